"""SIGINT and SIGTERM: how a command ends within the 10 seconds that service managers allow.

Commands that do a run, an import or any other work in steps use ``run_until_stopped``: the work ends
its step, so that it is stored or rolled back as a whole. ``end_on_sigterm`` covers everything else,
loading the program included: there SIGTERM acts like Ctrl-C.

This module imports no other module of the program while it is loaded: until ``end_on_sigterm`` is
called, SIGTERM ends the process without a line on stderr.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Generic, NamedTuple, NoReturn, TypeVar

if TYPE_CHECKING:
    from sync.errors import Outcome

T = TypeVar("T")

# Service managers kill a process 10 s after SIGTERM; the rest is for the exit itself.
GRACE_SECONDS = 8.0
"""How long a command may go on after a signal before the process exits without waiting for it."""
_RUN_ABANDONED = "stopped while the database did not respond; catalog-sync status shows whether the run was stored"
_COMMAND_ABANDONED = b"catalog-sync: stopped by SIGTERM while waiting; run it again\n"
_HANDLED = (signal.SIGINT, signal.SIGTERM)


class WorkResult(NamedTuple, Generic[T]):
    """The value that the work returned, and the signal that arrived meanwhile, if any."""

    value: T
    signal: signal.Signals | None


class _Work(Generic[T]):
    """Work in a separate thread.

    Python calls a signal handler only between two steps of the main thread, and a statement in a
    database driver can keep the main thread in one step for longer than the grace period.
    """

    def __init__(
        self,
        work: Callable[[], T],
        stop: threading.Event,
        outcome_if_abandoned: Outcome | None,
        abandoned_line: Callable[[str], str],
    ) -> None:
        self._outcome_if_abandoned = outcome_if_abandoned
        self._abandoned_line = abandoned_line
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
        # In short waits: only between two of them can the main thread call a signal handler.
        while not self._done.wait(0.2):
            if self.stop.is_set() and not self._done.wait(GRACE_SECONDS):
                self._abandon()  # the database rolls back what is not committed by now
        if self._error is not None:
            raise self._error
        return self._values[0]

    def _abandon(self) -> None:
        outcome = self._outcome_if_abandoned
        if outcome is None:
            outcome = outcome_of(self.received or signal.SIGTERM)
        with suppress(OSError):
            os.write(2, f"{self._abandoned_line(_RUN_ABANDONED)}\n".encode())
        os._exit(outcome)  # sys.exit would wait for the thread


def run_until_stopped(
    work: Callable[[], T],
    stop: threading.Event,
    outcome_if_abandoned: Outcome | None = None,
    abandoned_line: Callable[[str], str] = "catalog-sync: {}".format,
) -> WorkResult[T]:
    """Runs the work and sets ``stop`` when SIGINT or SIGTERM arrives. Raises what the work raises.

    Work that does not end within ``GRACE_SECONDS`` of the signal is abandoned: the process exits
    with ``outcome_if_abandoned``, or with the outcome of the signal, and prints the line that ``abandoned_line``
    makes of the text that says so.
    """
    from sync.errors import Interrupted

    task = _Work(work, stop, outcome_if_abandoned, abandoned_line)
    before = {number: signal.signal(number, task.on_signal) for number in _HANDLED}
    thread = threading.Thread(target=task.run, daemon=True, name="work")
    try:
        thread.start()
        return WorkResult(task.wait(), task.received)
    except Interrupted as error:
        if task.received:
            error.outcome = outcome_of(task.received)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def outcome_of(number: signal.Signals) -> Outcome:
    from sync.errors import Outcome

    return Outcome.INTERRUPTED if number is signal.SIGINT else Outcome.TERMINATED


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived."""


def end_on_sigterm() -> None:
    """From now on SIGTERM raises ``Terminated`` in the main thread, and after ``GRACE_SECONDS`` ends the process.

    The second part is for a statement in a database driver that waits for a lock: until it ends no
    handler runs. The interpreter writes the number of each signal to a pipe nevertheless, and a
    thread reads it there.
    """
    reader, writer = map(_outside_standard_streams, os.pipe())
    os.set_blocking(writer, False)  # required by set_wakeup_fd
    signal.signal(signal.SIGTERM, _raise_terminated)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_exit_after_sigterm, args=(reader,), daemon=True, name="sigterm").start()


def _outside_standard_streams(descriptor: int) -> int:
    """The same open file under a number above 2: with stdout closed, the pipe would get the number of stdout."""
    if descriptor > 2:
        return descriptor
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        os.close(descriptor)


def _raise_terminated(_number: int, _frame: object) -> NoReturn:
    raise Terminated


def _exit_after_sigterm(reader: int) -> None:
    # Other signals are of no interest here, and a SIGTERM during run_until_stopped is handled there.
    while os.read(reader, 1)[0] != signal.SIGTERM or signal.getsignal(signal.SIGTERM) is not _raise_terminated:
        pass
    time.sleep(GRACE_SECONDS)
    try:
        os.write(2, _COMMAND_ABANDONED)
    finally:
        os._exit(128 + signal.SIGTERM)
