"""The arguments of libpq for a login: TLS, and that no impostor gets the password."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

from psycopg import pq
from sqlalchemy import URL

from models_db.engine.tls import tls_of
from models_db.engine.url_options import ALLOW_CLEARTEXT, SYSTEM_AUTHORITIES
from models_db.errors import DatabaseSettingError

_FIRST_WITH_REQUIRE_AUTH = 160_000
_OLDEST_SERVER = 120_000  # the first with generated columns
_NOT_POSTGRESQL = {"crdb_version": "CockroachDB"}


def login_arguments(url: URL) -> dict[str, Any]:
    """Return the arguments for the driver that secure the login. PGSSLMODE and the like are respected.

    Raises ``DatabaseSettingError`` if the URL contradicts itself, or libpq is too old.
    """
    environment = _environment()
    tls = tls_of(url, environment)
    arguments: dict[str, Any] = {"sslmode": tls.mode}
    if tls.root_certificate or tls.mode == "verify-full":
        arguments["sslrootcert"] = tls.root_certificate or _system_authorities()
    arguments |= {"sslcert": tls.certificate} if tls.certificate else {}
    arguments |= {"sslkey": tls.key} if tls.key else {}
    if not tls.allows_cleartext and "require_auth" not in {**environment, **url.query}:
        arguments |= _without_cleartext()
    return arguments


def without_own_options(url: URL) -> URL:
    """Return the URL without the options that libpq does not know."""
    return url.difference_update_query([ALLOW_CLEARTEXT])


def require_postgresql(connection: Any, _record: object) -> None:
    """Raise ``DatabaseSettingError`` unless the server is a PostgreSQL that catalog-sync supports."""
    names = (name for parameter, name in _NOT_POSTGRESQL.items() if connection.info.parameter_status(parameter))
    name = next(names, None)
    version = connection.info.server_version
    # Redshift calls itself PostgreSQL 8.0.2. PgBouncer's own console has no such version.
    if name or 0 < version < _OLDEST_SERVER:
        called = name or f"PostgreSQL {connection.info.parameter_status('server_version')}"
        raise DatabaseSettingError(
            f"the server of the database URL is {called}; use PostgreSQL 12 or later, MariaDB 10.5 or later, or SQLite"
        )


def _without_cleartext() -> dict[str, str]:
    if pq.version() >= _FIRST_WITH_REQUIRE_AUTH:
        return {"require_auth": "!password"}
    raise DatabaseSettingError(
        f"libpq {pq.version() // 10_000} cannot refuse to send the password in clear; install psycopg[binary],"
        f" write sslmode=verify-full, or add {ALLOW_CLEARTEXT}=true"
    )


def _environment() -> dict[str, str]:
    """Return what libpq takes from PGHOST, PGSSLMODE and the like, and from the service that PGSERVICE names."""
    defaults = {line.keyword.decode(): line.val.decode() for line in pq.Conninfo.get_defaults() if line.val}
    wanted = ("host", "hostaddr", "sslmode", "sslrootcert", "require_auth")
    found = {name: defaults[name] for name in wanted if name in defaults}
    if found.get("sslmode") == "prefer":  # libpq's own default, with which a network would read along
        del found["sslmode"]
    if found.get("sslmode", "").startswith("verify"):
        with suppress(RuntimeError):  # an account without a home directory
            own_authority = Path.home() / ".postgresql" / "root.crt"
            if own_authority.is_file():
                found.setdefault("sslrootcert", str(own_authority))
    return found


def _system_authorities() -> str:
    # libpq in a wheel does not know where this machine has its authorities; Python does.
    return ssl.get_default_verify_paths().cafile or SYSTEM_AUTHORITIES
