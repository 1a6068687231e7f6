"""Processes that are forked from a warm one, since a fresh interpreter for each would take too long.

The parent has a single thread and no open connection when it forks.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sync.source.emulator.server import Catalog as Served
from sync.source.emulator.server import Emulator
from tests.support.made_responses import raw
from tests.torture.changing_catalog import Catalog
from tests.torture.database_calls import quiet_end
from tests.torture.database_under_test import BrokenError

FAILED = 99
_LONGEST_SECONDS = 120.0


def forked(work: Callable[[], int]) -> int:
    """The number of a new process that does the work and ends with the code it gives."""
    pid = os.fork()
    if pid:
        return pid
    code = FAILED
    try:
        code = work()
    except BaseException:  # noqa: BLE001 - it must not get back into the parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(pid: int) -> int:
    """How a process ended: its exit code, or less than 0 for a signal. Killed when it takes too long."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    pause = 0.001
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            quiet_end(pid)
            raise BrokenError(f"a run did not end within {_LONGEST_SECONDS:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.02)


def killed_after(pid: int, seconds: float) -> int:
    """As ``ended``, of a process that is killed after so long."""
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)  # not yet waited for, so the number is still its own
    return ended(pid)


@dataclass(frozen=True)
class Api:
    """An emulator in a process of its own."""

    base_url: str
    _orders: int
    _answers: int

    def step_to(self, step: int) -> None:
        os.write(self._orders, f"{step}\n".encode())
        if os.read(self._answers, 16) != b"ok\n":
            raise BrokenError("the emulator is gone")


@contextmanager
def served(catalogs: list[Catalog]) -> Iterator[Api]:
    """These catalogs on loopback, the first one to begin with."""
    theirs, orders = os.pipe()
    answers, back = os.pipe()

    def serve() -> int:
        os.close(orders)
        with Emulator([as_served(each) for each in catalogs], stepping="manual") as api, os.fdopen(theirs) as steps:
            os.write(back, f"{api.base_url}\n".encode())
            for step in steps:
                api.step_to(int(step))
                os.write(back, b"ok\n")
        return 0

    pid = forked(serve)
    os.close(theirs)
    os.close(back)
    try:
        yield Api(os.read(answers, 200).decode().strip(), orders, answers)
    finally:
        os.close(orders)
        os.close(answers)
        quiet_end(pid)


def as_served(catalog: Catalog) -> Served:
    """The catalog as an emulator takes it."""
    return Served(*(tuple(raw(model) for model in catalog[mode]) for mode in ("image", "video")))
