"""Serves saved catalogs over loopback HTTP, in a separate process whose CPU is not counted.

    python -m benchmarks.api_server FOLDER

A folder ``NAME`` with ``image.json`` and ``video.json`` is the API at ``http://127.0.0.1:PORT/NAME``.
Prints its port. Bodies are never compressed.
"""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.catalogs import MODES, Catalog, envelope


def save_catalog(folder: Path, name: str, catalog: Catalog) -> None:
    """Write a catalog so that it is served under this name."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    for mode in MODES:
        (folder / name / f"{mode}.json").write_bytes(envelope(mode, catalog[mode]))


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def translate_path(self, path: str) -> str:
        """The file of ``/NAME/studio/models?mode=MODE``."""
        parts = urlsplit(path)
        name = parts.path.strip("/").removesuffix("/studio/models")
        return str(Path(self.directory, name, f"{parse_qs(parts.query).get('mode', ['none'])[0]}.json"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Requests are not logged."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=sys.argv[1]))
    print(server.server_port, flush=True)
    server.serve_forever()
