"""Runs that report to a file with metrics, to pings, and to scrapes: what their tests share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.rude_server import RudeServer, response, says

SECRET = "5f3e-zvkTheKeyOfTheCheck"
OK = says(response("200 OK", b"OK"))
UNREACHABLE = "http://127.0.0.1:9"


def samples(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def pinged(server: RudeServer) -> list[str]:
    return [request.split()[1] for request in server.requests]


def ping_url(server: RudeServer) -> str:
    return f"http://127.0.0.1:{server.port}/{SECRET}/"


@contextmanager
def synced(shell: Shell, url: str, **settings: str) -> Iterator[None]:
    with emulator([catalog(*numbered_models(2))]) as api:
        shell.set(DATABASE_URL=url, BASE_URL=api.base_url, ATTEMPTS="1", **settings)
        yield
