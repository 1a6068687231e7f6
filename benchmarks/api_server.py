"""Serves saved answers over loopback HTTP, in a process of its own: its time is nobody's.

    python -m benchmarks.api_server FOLDER

A folder ``NAME`` with ``image.json`` and ``video.json`` is the API at ``http://127.0.0.1:PORT/NAME``.
Prints its port. Bodies go out as they are, never packed.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.catalogs import MODES, Catalog, envelope


def save(folder: Path, name: str, catalog: Catalog) -> None:
    """Make a catalog servable under a name."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for mode in MODES:
        (folder / name / f"{mode}.json").write_bytes(envelope(mode, catalog[mode]))


class _Server(ThreadingHTTPServer):
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        name, _, rest = parts.path.strip("/").partition("/")
        body = self.server.folder / name / f"{parse_qs(parts.query).get('mode', ['none'])[0]}.json"
        if rest != "studio/models" or not body.is_file():
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(body.stat().st_size))
        self.end_headers()
        with body.open("rb") as file:
            self.connection.sendfile(file)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Says nothing."""


if __name__ == "__main__":
    server = _Server(Path(sys.argv[1]))
    print(server.server_port, flush=True)
    server.serve_forever()
