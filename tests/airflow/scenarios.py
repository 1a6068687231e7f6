"""The ways in which a task can end: what each needs, and the states that Airflow must record."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sync.source.emulator.http_server import Reply
from sync.source.emulator.server import BUSY_KEY, EXPIRED_KEY
from tests.airflow.api_servers import cut, emulator, good, in_turn, listed, overtaken, server, silent, unavailable
from tests.support.commands import environment, run_process

KEY = "gva_live_made-up.0123456789"
RETRIED = ("up_for_retry", "failed")
"""The states of a task that is retried once and fails again."""


@dataclass(frozen=True)
class Scenario:
    """A copy of the DAG with a catalog of its own."""

    name: str
    exit_code: str
    states: tuple[str, ...]
    """The last state of each try."""
    settings: Mapping[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ("sync", "--migrate", "--json")
    python: str = sys.executable
    tick: str = ""
    file: str = "catalog_sync_dag.py"
    timeout_seconds: int = 120
    has_line: bool = True
    """Whether the log has the one line that catalog-sync printed on stderr."""


class Workshop:
    """A folder for the catalogs of the scenarios, and servers that run until the end."""

    def __init__(self, folder: Path, servers: ExitStack) -> None:
        self.folder, self.servers = folder, servers
        self.released = threading.Event()
        servers.callback(self.released.set)

    def catalog(self, name: str) -> dict[str, str]:
        """A new catalog, as a setting."""
        url = {"DATABASE_URL": f"sqlite:///{self.folder}/{name}.sqlite"}
        self.run("migrate", settings=url)
        return url

    def run(self, *arguments: str, settings: Mapping[str, str]) -> None:
        ended = run_process(*arguments, environ=environment(self.folder, **settings))
        if ended.code:
            raise RuntimeError(ended.err)

    def wrapper(self, name: str, script: str) -> str:
        """A program that stands for the Python of catalog-sync, and runs it."""
        path = self.folder / name
        path.write_text(f'#!/bin/sh\ncase "$*" in *"-m sync"*) {script};; esac\nexec {sys.executable} "$@"\n')
        path.chmod(0o755)
        return str(path)


@contextmanager
def scenarios(folder: Path) -> Iterator[list[Scenario]]:
    """Every scenario; its servers run until the end."""
    with ExitStack() as servers:
        shop = Workshop(folder, servers)
        yield [made for make in _MAKERS for made in make(shop)]


def _from_the_emulator(shop: Workshop) -> Iterator[Scenario]:
    api = shop.servers.enter_context(emulator())
    both = {"BASE_URL": api.base_url, "API_KEY": KEY}
    yield Scenario("done", "0", ("success",), both | shop.catalog("done"), has_line=False)
    yield Scenario("checkpoint_lost", "1", ("failed",), both | shop.catalog("lost") | {"CHECKPOINT_FILE": "/dev/full"})
    yield Scenario("no_catalog", "2", ("failed",), both | {"DATABASE_URL": f"sqlite:///{shop.folder}/none.sqlite"})
    yield Scenario("wrong_key", "3", ("failed",), both | shop.catalog("key") | {"API_KEY": EXPIRED_KEY})
    yield Scenario(
        "too_many_requests", "4", RETRIED, both | shop.catalog("busy") | {"API_KEY": BUSY_KEY, "ATTEMPTS": "1"}
    )
    down = {"DATABASE_URL": "postgresql://job:made-up-password@127.0.0.1:1/catalog", "DATABASE_TIMEOUT": "1"}
    yield Scenario("database_down", "6", RETRIED, both | down)
    yield Scenario(
        "no_recent_sync", "9", ("failed",), shop.catalog("old"), arguments=("status", "--max-age", "2h", "--json")
    )
    taken = both | shop.catalog("tick")
    shop.run("sync", "--tick", "24h", settings=taken)
    yield Scenario("tick_of_another", "0", ("skipped",), taken, tick="24h", has_line=False)
    missing = str(shop.folder / "nowhere" / "python")
    yield Scenario("not_installed", "none", ("failed",), both | shop.catalog("nowhere"), python=missing, has_line=False)


def _from_other_servers(shop: Workshop) -> Iterator[Scenario]:
    def api(answer: Callable[[str], Reply]) -> dict[str, str]:
        return {"BASE_URL": shop.servers.enter_context(server(answer)), "API_KEY": KEY, "ATTEMPTS": "1"}

    yield Scenario("unavailable", "4", RETRIED, api(unavailable) | shop.catalog("unavailable"))
    back = api(in_turn([unavailable, unavailable, good]))
    yield Scenario("back_at_the_retry", "4, 0", ("up_for_retry", "success"), back | shop.catalog("back"))
    yield Scenario("response_cut", "5", ("failed",), api(cut) | shop.catalog("cut"))
    hangs = api(silent(shop.released)) | {"DEADLINE": "50"}
    terminated = shop.wrapper("terminated", f'exec timeout --preserve-status -s TERM 4 {sys.executable} "$@"')
    yield Scenario("terminated", "143", RETRIED, hangs | shop.catalog("terminated"), python=terminated)
    killed = shop.wrapper("killed", f'{sys.executable} "$@" & sleep 4; kill -9 $! $$')
    yield Scenario("killed", "-9", RETRIED, hangs | shop.catalog("killed"), python=killed, has_line=False)
    yield Scenario("over_time", "none", RETRIED, hangs | shop.catalog("over_time"), timeout_seconds=4, has_line=False)


def _by_the_library(shop: Workshop) -> Iterator[Scenario]:
    """With ``sync.api`` in the task: one outcome of each kind."""
    file = "catalog_sync_library_dag.py"
    api = shop.servers.enter_context(emulator())
    both = {"BASE_URL": api.base_url, "API_KEY": KEY}
    yield Scenario("library_done", "0", ("success",), both | shop.catalog("library"), file=file, has_line=False)
    yield Scenario(
        "library_wrong_key", "3", ("failed",), both | shop.catalog("library_key") | {"API_KEY": EXPIRED_KEY}, file=file
    )
    busy = both | shop.catalog("library_busy") | {"API_KEY": BUSY_KEY}
    yield Scenario("library_too_many_requests", "4", RETRIED, busy, file=file)


def _held(shop: Workshop) -> Iterator[Scenario]:
    api = shop.servers.enter_context(emulator(listed(10), listed(5)))
    settings = {"BASE_URL": api.base_url, "API_KEY": KEY} | shop.catalog("held")
    shop.run("sync", settings=settings)
    api.step_to(1)
    yield Scenario("removals_held", "7", ("failed",), settings)


def _superseded(shop: Workshop) -> Iterator[Scenario]:
    settings = {"API_KEY": KEY} | shop.catalog("superseded")
    settings["BASE_URL"] = shop.servers.enter_context(server(overtaken(lambda: shop.run("sync", settings=settings))))
    yield Scenario("superseded", "8", ("skipped",), settings)


_MAKERS: tuple[Callable[[Workshop], Iterator[Scenario]], ...] = (
    _from_the_emulator,
    _from_other_servers,
    _by_the_library,
    _held,
    _superseded,
)
