"""Forks processes that sync or serve catalogs; a fresh interpreter for each of them would take too long.

The parent has one thread and no open connection when it forks.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sync.source.emulator.server import Catalog as EmulatorCatalog
from sync.source.emulator.server import Emulator
from tests.support.made_responses import raw
from tests.torture.changing_catalog import Catalog
from tests.torture.database_under_test import InvariantError

KILLED = -signal.SIGKILL
"""The exit code of a process that SIGKILL ended."""

_UNEXPECTED_ERROR = 99  # not an exit code of the program
_TIMEOUT_SECONDS = 120.0


def fork(work: Callable[[], int]) -> int:
    """Starts a process that runs ``work`` and exits with the code it returns; the PID."""
    pid = os.fork()
    if pid:
        return pid
    code = _UNEXPECTED_ERROR
    try:
        code = work()
    except BaseException:  # noqa: BLE001 - the child must never return into the code of the parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def wait_for(pid: int) -> int:
    """The exit code of a process, or the negative number of the signal that ended it.

    A process that takes longer than two minutes is killed and raises ``InvariantError``.
    """
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    pause = 0.001
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            _kill_and_reap(pid)
            raise InvariantError(f"a run did not end within {_TIMEOUT_SECONDS:g} s")
        time.sleep(pause)
        # A run in a forked process ends within milliseconds, a command takes up to seconds.
        pause = min(pause * 1.5, 0.02)


def kill_after(pid: int, seconds: float) -> int:
    """Sends SIGKILL to a process after this time; its exit code, as of ``wait_for``."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)  # not reaped yet, so the PID cannot belong to another process
    return wait_for(pid)


def _kill_and_reap(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with suppress(ChildProcessError):
        os.waitpid(pid, 0)


@dataclass(frozen=True)
class ForkedEmulator:
    """An emulator of the API in another process."""

    base_url: str
    _steps: int
    _replies: int

    def step_to(self, step: int) -> None:
        """Serves the catalog with this index from now on."""
        os.write(self._steps, f"{step}\n".encode())
        if os.read(self._replies, 16) != b"ok\n":
            raise InvariantError("the emulator does not reply")


@contextmanager
def serve_catalogs(catalogs: list[Catalog]) -> Iterator[ForkedEmulator]:
    """An emulator on loopback that serves the first of the catalogs until ``step_to`` selects another."""
    steps_in, steps_out = os.pipe()
    replies_in, replies_out = os.pipe()

    def serve() -> int:
        # The loop over the steps ends when no process has the other end of the pipe open.
        os.close(steps_out)
        with (
            Emulator([emulator_catalog(each) for each in catalogs], stepping="manual") as api,
            os.fdopen(steps_in) as steps,
        ):
            os.write(replies_out, f"{api.base_url}\n".encode())
            for step in steps:
                api.step_to(int(step))
                os.write(replies_out, b"ok\n")
        return 0

    pid = fork(serve)
    os.close(steps_in)
    os.close(replies_out)
    try:
        yield ForkedEmulator(os.read(replies_in, 200).decode().strip(), steps_out, replies_in)
    finally:
        os.close(steps_out)
        os.close(replies_in)
        _kill_and_reap(pid)


def emulator_catalog(catalog: Catalog) -> EmulatorCatalog:
    """The catalog in the form that the emulator serves."""
    return EmulatorCatalog(*(tuple(raw(model) for model in catalog[mode]) for mode in ("image", "video")))
