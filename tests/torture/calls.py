"""Makes the Nth call of a run fail, for N = 1, 2, 3 ... until a run makes fewer calls.

A call is a statement, a COMMIT or a read from a socket. Each run is the whole command with a new catalog.
It must end with a documented exit code and at most one line, the database must be consistent, and the next
run must store the catalog.
"""

from __future__ import annotations

import io
import os
import random
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple, Self
from unittest.mock import patch

from sync.cli.entry_point import run as run_command
from sync.source.emulator.server import Emulator
from tests.support.commands import NO_AUTHORITIES
from tests.torture.changing_catalog import ACCEPT_ALL, Catalog, ChangingCatalog
from tests.torture.database_calls import DatabaseCall, intercept_calls
from tests.torture.database_under_test import (
    SERVERS_FOLDER,
    EmptyDatabases,
    query,
    require,
    require_consistent,
    require_listed,
)
from tests.torture.failing_calls import (
    BROKEN_CONNECTION,
    END_OF_RESPONSE,
    READ_FAILURES,
    database_failures,
    fail_call,
    fail_reads,
)
from tests.torture.forked_processes import emulator_catalog
from tests.torture.progress import Progress

_KEY = "gva_live_torture.0123456789"
# A new database for every failure would take most of the time.
_FAILURES_PER_DATABASE = 6
_NOTHING_STORED = "nothing of this step was stored"
# Transactions are repeated after some errors of the database, and requests after a failure, so a run may succeed.
_EXPECTED_CODES = {"database": {0, 6}, "COMMIT": {0, 6}, "socket": {0, 4}}
_COUNT_APPLIED_RUNS = "SELECT COUNT(*) FROM sync_runs WHERE status IN ('success', 'partial', 'held')"


class FailureCase(NamedTuple):
    """A way in which the Nth call of a run fails."""

    target: str
    """``database``, ``COMMIT`` or ``socket``.

    COMMITs are also counted separately: runs differ in length, so the COMMIT at the end of a run might
    never be the Nth call.
    """
    how: str
    """A key of ``database_failures`` or ``READ_FAILURES``."""
    after: bool
    """Whether the call fails after its effect."""
    all_later: bool
    """Whether all calls after the Nth fail too."""


@dataclass(frozen=True)
class _CommandResult:
    code: int
    out: str
    err: str


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """Every case for every N, or fewer if the part has reached its goal."""
    rng = random.Random(f"{progress.options.seed} calls {progress.options.kind}")
    cases = _cases(databases.kind)
    call_counts: dict[FailureCase, int] = {}
    # The cases take turns, so that even a short version reaches each of them.
    pending = deque((max(1, progress.options.first), case) for case in cases)
    while pending and progress.continues:
        with _DatabaseAndApi(databases, progress, rng) as pair:
            for number, case in [pending.popleft() for _ in range(min(len(pending), _FAILURES_PER_DATABASE))]:
                if pair.run_with_failure(case, number):
                    pending.append((number + 1, case))
                else:
                    call_counts[case] = number - 1
    if not pending:
        for target in _EXPECTED_CODES:
            counts = [calls for case, calls in call_counts.items() if case.target == target]
            progress.figures[f"most {target} calls of a run"] = max(counts, default=0)


def _cases(kind: str) -> list[FailureCase]:
    database = product(["database", "COMMIT"], database_failures(kind), [False, True], [False])
    reads = product(["socket"], READ_FAILURES, [False, True], [False, True])
    cases = [FailureCase(*case) for case in [*database, *reads]]
    # A read that has returned bytes is not at the end of the response.
    return [case for case in cases if not (case.how == END_OF_RESPONSE and case.after)]


class _DatabaseAndApi:
    """One database, and an emulator that serves a series of catalogs."""

    def __init__(self, databases: EmptyDatabases, progress: Progress, rng: random.Random) -> None:
        self._progress = progress
        changing = ChangingCatalog(rng)
        self._catalogs = [changing.current(), *(changing.next_catalog() for _ in range(_FAILURES_PER_DATABASE))]
        self._kind, self._step, self._stack = databases.kind, 0, ExitStack()
        self._url = self._stack.enter_context(databases.new())
        served = [emulator_catalog(each) for each in self._catalogs]
        self._api = self._stack.enter_context(Emulator(served, stepping="manual"))
        self._stack.enter_context(_environment(databases, self._url, self._api.base_url))

    def __enter__(self) -> Self:
        self._sync_without_failure()
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    @property
    def _catalog(self) -> Catalog:
        return self._catalogs[self._step]

    def run_with_failure(self, case: FailureCase, number: int) -> bool:
        """A run whose call with this number fails; False if it made fewer calls."""
        self._progress.position = f"call {number}, {tuple(case)}"
        self._step += 1
        self._api.step_to(self._step)
        applied = query(self._url, _COUNT_APPLIED_RUNS)
        with _failing(self._kind, case, number) as failed:
            result = _sync()
        has_stored = query(self._url, _COUNT_APPLIED_RUNS) != applied
        self._require_documented_end(case, result, failed, has_stored=has_stored)
        require_consistent(self._url)
        self._sync_without_failure()
        require_listed(self._url, self._catalog)
        self._add_figures(case, result.code, failed)
        return bool(failed)

    def _require_documented_end(
        self, case: FailureCase, result: _CommandResult, failed: list[Any], *, has_stored: bool
    ) -> None:
        err = result.err
        require(result.code in (_EXPECTED_CODES[case.target] if failed else {0}), f"exit code {result.code}: {err}")
        require("Traceback" not in result.out + err, f"a traceback: {err}")
        if result.code == 0:
            require(err == "", f"the run succeeded and printed on stderr: {err}")
            require_listed(self._url, self._catalog)
            return
        require(err.count("\n") == 1 and err.startswith("catalog-sync: "), f"not one line on stderr: {err!r}")
        # A database that carries out a COMMIT never reports an error for it, unless the connection breaks.
        # Only these tests do that, so the line of the program may be wrong then.
        is_impossible = case.target != "socket" and case.after and failed[0].is_commit and case.how != BROKEN_CONNECTION
        if _NOTHING_STORED in err and not is_impossible:
            require(not has_stored, f"the run was stored, but its line says: {err}")

    def _sync_without_failure(self) -> None:
        result = _sync()
        require((result.code, result.err) == (0, ""), f"the next run ended with {result.code}: {result.err}")

    def _add_figures(self, case: FailureCase, code: int, failed: list[Any]) -> None:
        if failed:
            is_read = case.target == "socket"
            calls = "reads from a socket" if is_read else ("COMMITs" if failed[0].is_commit else "statements")
            self._progress.add(f"{calls} that failed")
            self._progress.add("runs that succeeded anyway" if code == 0 else f"runs that ended with exit {code}")
            self._progress.count()


@contextmanager
def _failing(kind: str, case: FailureCase, number: int) -> Iterator[list[Any]]:
    """Makes the call with this number fail; the list gets the calls that failed."""
    if case.target == "socket":
        reads: list[int] = []
        failure = READ_FAILURES[case.how]
        with fail_reads(number, failure, after=case.after, all_later=case.all_later, failed=reads):
            yield reads
        return
    calls: list[DatabaseCall] = []
    raise_error = database_failures(kind)[case.how]
    commits = case.target == "COMMIT"
    with intercept_calls(fail_call(number, raise_error, after=case.after, failed=calls, commits=commits)):
        yield calls


@contextmanager
def _environment(databases: EmptyDatabases, url: str, base_url: str) -> Iterator[None]:
    """Sets the environment of the command, without the settings of this machine."""
    settings = {"DATABASE_URL": url, "BASE_URL": base_url, "API_KEY": _KEY}
    environ = {f"CATALOG_SYNC_{name}": value for name, value in settings.items()}
    environ |= NO_AUTHORITIES | {
        "PATH": os.defpath,
        "HOME": str(databases.folder),
        SERVERS_FOLDER: os.environ[SERVERS_FOLDER],
    }
    with patch.dict(os.environ, environ, clear=True):
        yield


def _sync() -> _CommandResult:
    # The command runs in this process, because the failing calls are patched here.
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run_command(["sync", "--quiet", *ACCEPT_ALL], os.environ)
    return _CommandResult(code, out.getvalue(), err.getvalue())
