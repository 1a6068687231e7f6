"""SIGINT and SIGTERM: the work is asked to stop, given a moment, and then left behind.

The work runs in a thread of its own, since a signal handler only runs between two steps of the main
thread, and a database may keep a step waiting for longer than a service manager waits for us.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import Generic, NoReturn, TypeVar

from sync.errors import ExitCode, Interrupted

T = TypeVar("T")

# Service managers allow 10 s.
GRACE_SECONDS = 8.0
"""How long what was told to stop may take, before it is left behind."""
_LEFT_COMMAND = b"catalog-sync: told to stop, and left what it waited for; run it again\n"
_LEFT = (
    b"catalog-sync: stopped while the database kept it waiting; catalog-sync status tells whether the run was stored\n"
)
_EXIT_CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What the work gave, and the signal that came meanwhile, if one did."""

    value: T
    signal: signal.Signals | None


class _Work(Generic[T]):
    def __init__(self, work: Callable[[], T], stop: threading.Event, left_behind: ExitCode | None) -> None:
        self._left_behind = left_behind
        self.stop = stop
        self.received: signal.Signals | None = None
        self._work = work
        self._done = threading.Event()
        self._values: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._values.append(self._work())
        except BaseException as error:  # noqa: BLE001  # raised again in the main thread
            self._error = error
        finally:
            self._done.set()

    def on_signal(self, number: int, _: FrameType | None) -> None:
        self.received = signal.Signals(number)
        self.stop.set()

    def wait(self) -> T:
        while not self._done.wait(0.2):
            if self.stop.is_set() and not self._done.wait(GRACE_SECONDS):
                self._leave()  # what is not stored by now is rolled back by the database
        if self._error is not None:
            raise self._error
        return self._values[0]

    def _leave(self) -> None:
        # Not sys.exit: that would wait for the thread that does not end.
        code = self._left_behind
        if code is None:
            code = exit_code(self.received) if self.received else ExitCode.UNEXPECTED
        with suppress(OSError):
            os.write(2, _LEFT)
        os._exit(code)


def run_until_stopped(work: Callable[[], T], stop: threading.Event, left_behind: ExitCode | None = None) -> Outcome[T]:
    """Runs the work; ``stop`` is set when SIGINT or SIGTERM comes. Raises what the work raises.

    Work that does not end within 8 s of the signal ends with the process, whose exit code is then
    ``left_behind``, or the signal's.
    """
    task = _Work(work, stop, left_behind)
    before = {number: signal.signal(number, task.on_signal) for number in _EXIT_CODES}
    thread = threading.Thread(target=task.run, daemon=True, name="work")
    try:
        thread.start()
        return Outcome(task.wait(), task.received)
    except Interrupted as error:
        if task.received:
            error.exit_code = exit_code(task.received)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(number: signal.Signals) -> ExitCode:
    return _EXIT_CODES[number]


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def end_on_sigterm() -> None:
    """From here on SIGTERM raises ``Terminated`` in the main thread, or ends the process if that does not come to it.

    A statement in a database's own library lets no handler run until it ends, which may take as long
    as a lock is waited for. The interpreter writes a signal's number to a pipe all the same.
    """
    reader, writer = map(_above_streams, os.pipe())
    os.set_blocking(writer, False)
    signal.signal(signal.SIGTERM, _terminate)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reader,), daemon=True, name="sigterm").start()


def _above_streams(number: int) -> int:
    """Another number for an open file: one of a closed stream would be taken for that stream."""
    if number > 2:
        return number
    try:
        return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(number)


def _terminate(_number: int, _frame: object) -> NoReturn:
    raise Terminated


def _watch(reader: int) -> None:
    while os.read(reader, 1)[0] != signal.SIGTERM or signal.getsignal(signal.SIGTERM) is not _terminate:
        pass  # of another signal, or of a run, which sees to it by itself
    time.sleep(GRACE_SECONDS)
    try:
        os.write(2, _LEFT_COMMAND)
    finally:
        os._exit(128 + signal.SIGTERM)
