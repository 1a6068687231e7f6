#!/bin/bash
# Imports the dashboard into a fresh Superset for each database URL, and compares every tile with its view.
# Usage: check.sh URL... ; PATH must have Superset's programs first (make bi-check sees to it).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
export SUPERSET_CONFIG_PATH=$here/superset_config.py SUPERSET_SECRET_KEY=check SUPERSET_ALLOW_SQLITE=1 FLASK_APP=superset TZ=UTC
export SUPERSET_HOME=$work/fresh
mkdir "$SUPERSET_HOME"
{
  superset db upgrade
  superset fab create-admin --username admin --firstname a --lastname b --email a@example.com --password admin
  superset init
} >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
failed=0
number=0
port=${PORT:-18088}
for url in "$@"; do
  number=$((number + 1))
  export SUPERSET_HOME=$work/$number
  cp -r "$work/fresh" "$SUPERSET_HOME"
  python "$here/load.py" "$url" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  gunicorn -w 1 -k gthread --threads 8 --timeout 120 -b "127.0.0.1:$port" 'superset.app:create_app()' >"$work/log" 2>&1 &
  server=$!
  # The server accepts connections before Superset is loaded.
  for _ in $(seq 180); do
    curl -fsS -m 60 "http://127.0.0.1:$port/health" >/dev/null 2>&1 && break
    sleep 1
  done
  echo "== ${url%%:*}"
  python "$here/check.py" "http://127.0.0.1:$port" "$url" ${SCREENSHOT:+--screenshot "$SCREENSHOT-$number.png"} || failed=1
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
done
exit $failed
