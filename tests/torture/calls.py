"""The Nth call of a run fails, for N = 1, 2, 3 ... until none fails: statement, COMMIT, read of a socket.

Each run is the whole program on a new catalog. What it says must be one of the documented ends, in
one line; what is stored must hold; and the next run must bring the catalog in.
"""

from __future__ import annotations

import io
import os
import random
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from itertools import product
from typing import Any, Self
from unittest.mock import patch

from sync.cli.entry_point import run as command
from sync.source.emulator.server import Emulator
from tests.torture.changing_catalog import Catalog, Upheaval
from tests.torture.database_calls import Call, around_calls
from tests.torture.database_under_test import ROOM, Ground, ask, require, require_listed, require_sound
from tests.torture.failing_calls import ENDS, READ_FAILURES, database_failures, failing_at, reads_failing_at
from tests.torture.forked_processes import as_served
from tests.torture.progress import Ledger

_KEY = "gva_live_torture.0123456789"
_FAILURES_ON_ONE_DATABASE = 6
_NOTHING_STORED = "nothing of this step was stored"
_EXPECTED = {"database": {0, 6}, "COMMIT": {0, 6}, "socket": {0, 4}}
_RUNS = "SELECT COUNT(*) FROM sync_runs WHERE status IN ('success', 'partial', 'held')"

Way = tuple[str, str, bool, bool]
"""What fails (database, COMMIT, socket), how, whether after its effect, and whether all later ones fail too.

COMMITs are counted by themselves as well: runs differ in length, so that the last call of one, its
COMMIT, may never be the Nth.
"""


def run(ground: Ground, ledger: Ledger) -> None:
    """Every way for every N; the goal bounds how many in all, for a short version."""
    chance = random.Random(f"{ledger.order.seed} calls {ledger.order.kind}")
    ways = _ways(ground.kind)
    last: dict[Way, int] = {}
    tries = deque((max(1, ledger.order.first), way) for way in ways)
    while tries and ledger.goes_on:
        with _Chain(ground, ledger, chance) as chain:
            for number, way in [tries.popleft() for _ in range(min(len(tries), _FAILURES_ON_ONE_DATABASE))]:
                if chain.failed(way, number):
                    tries.append((number + 1, way))
                else:
                    last[way] = number
    if not tries:
        for what in _EXPECTED:
            calls = [number for way, number in last.items() if way[0] == what]
            ledger.figures[f"most {what} calls of a run"] = max(calls, default=1) - 1


def _ways(kind: str) -> list[Way]:
    database = product(["database", "COMMIT"], database_failures(kind), [False, True], [False])
    reads = product(["socket"], READ_FAILURES, [False, True], [False, True])
    return [*database, *(way for way in reads if not (way[1] == ENDS and way[2]))]  # what was read has not ended


class _Chain:
    """Some catalogs on one database, and an API that serves them."""

    def __init__(self, ground: Ground, ledger: Ledger, chance: random.Random) -> None:
        self._ledger = ledger
        upheaval = Upheaval(chance)
        self._catalogs = [upheaval.now(), *(upheaval.next() for _ in range(_FAILURES_ON_ONE_DATABASE))]
        self._kind, self._step, self._stack = ground.kind, 0, ExitStack()
        self._url = self._stack.enter_context(ground.database())
        self._api = self._stack.enter_context(Emulator([as_served(each) for each in self._catalogs], stepping="manual"))
        self._stack.enter_context(_environment(ground, self._url, self._api.base_url))

    def __enter__(self) -> Self:
        self._sync_undisturbed()
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    @property
    def _catalog(self) -> Catalog:
        return self._catalogs[self._step]

    def failed(self, way: Way, number: int) -> bool:
        """One run in which a call fails; False when it made fewer calls than that."""
        self._ledger.place = f"call {number}, {way}"
        self._step += 1
        self._api.step_to(self._step)
        before = ask(self._url, _RUNS)
        with _failing(self._kind, way, number) as met:
            code, out, err = _sync()
        self._require_honest(way, code, out, err, stored=ask(self._url, _RUNS) != before, met=met)
        require_sound(self._url)
        self._sync_undisturbed()
        require_listed(self._url, self._catalog)
        self._note(way, code, met)
        return bool(met)

    def _require_honest(self, way: Way, code: int, out: str, err: str, *, stored: bool, met: list[Any]) -> None:
        require(code in (_EXPECTED[way[0]] if met else {0}), f"exit code {code}: {err}")
        require("Traceback" not in out + err, f"a traceback: {err}")
        if code == 0:
            require(err == "", f"it went well and said on stderr: {err}")
            require_listed(self._url, self._catalog)
            return
        require(err.count("\n") == 1 and err.startswith("catalog-sync: "), f"not one line on stderr: {err!r}")
        # No database carries a COMMIT out and then says that it could not, but for one whose answer is lost.
        contrived = way[0] != "socket" and way[2] and met[0].is_commit and way[1] != "the connection breaks"
        if _NOTHING_STORED in err and not contrived:
            require(not stored, f"it was stored after all, and said: {err}")

    def _sync_undisturbed(self) -> None:
        code, _, err = _sync()
        require((code, err) == (0, ""), f"the next run ended with {code}: {err}")

    def _note(self, way: Way, code: int, met: list[Any]) -> None:
        if met:
            what = "reads of a socket" if way[0] == "socket" else ("COMMITs" if met[0].is_commit else "statements")
            self._ledger.add(f"{what} that failed")
            self._ledger.add("runs that succeeded all the same" if code == 0 else f"runs that ended with exit {code}")
            self._ledger.count()


@contextmanager
def _failing(kind: str, way: Way, number: int) -> Iterator[list[Any]]:
    what, how, after, on = way
    if what == "socket":
        reads: list[int] = []
        with reads_failing_at(number, READ_FAILURES[how], after=after, on=on, met=reads):
            yield reads
        return
    calls: list[Call] = []
    failure = database_failures(kind)[how]
    with around_calls(failing_at(number, failure, after=after, met=calls, commits=what == "COMMIT")):
        yield calls


@contextmanager
def _environment(ground: Ground, url: str, base_url: str) -> Iterator[None]:
    ours = {"DATABASE_URL": url, "BASE_URL": base_url, "API_KEY": _KEY}
    bare = {"PATH": os.defpath, "HOME": str(ground.folder)}
    kept = {ROOM: os.environ[ROOM]}
    with patch.dict(
        os.environ, kept | bare | {f"CATALOG_SYNC_{name}": value for name, value in ours.items()}, clear=True
    ):
        yield


def _sync() -> tuple[int, str, str]:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = command(["sync", "--quiet"], os.environ)
    return code, out.getvalue(), err.getvalue()
