"""An API whose next responses a test sets, and the files of the archive that syncs keep of them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.api_catalogs import Model, envelope
from tests.support.rude_server import RudeServer, response

JSON = "Content-Type: application/json"


class ApiToArchive:
    """Sends what was set last, the same for each request of a mode."""

    def __init__(self) -> None:
        self._sent: dict[str, bytes] = {}
        self.set("image")
        self.set("video")

    def set(self, mode: str, *models: Model) -> bytes:
        """The body of the next responses for the mode."""
        return self.set_bytes(mode, envelope(models, mode))

    def set_bytes(self, mode: str, body: bytes, *headers: str, status: str = "200 OK") -> bytes:
        self._sent[mode] = response(status, body, JSON, *headers)
        return body

    def image(self, peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(self._sent["image"])

    def video(self, peer: socket.socket, stop: threading.Event) -> None:
        peer.sendall(self._sent["video"])


@contextmanager
def api_to_archive() -> Iterator[tuple[ApiToArchive, str]]:
    """The API and its base URL."""
    api = ApiToArchive()
    with RudeServer(image=api.image, video=api.video) as server:
        yield api, server.url


def bodies(folder: Path, mode: str = "") -> list[bytes]:
    """The content of the bodies in the folder, rejected ones included, in the order of their names."""
    files = sorted(file for file in folder.iterdir() if file.name.endswith((".json", ".rejected")))
    return [file.read_bytes() for file in files if f"Z-{mode}" in file.name and ".meta." not in file.name]


def records(folder: Path, mode: str = "") -> list[dict[str, Any]]:
    """The records in the folder, in the order of their names."""
    files = sorted(file for file in folder.iterdir() if file.name.endswith(".meta.json"))
    return [json.loads(file.read_text()) for file in files if f"Z-{mode}" in file.name]
