"""SIGTERM for commands that do no run: they end as by Ctrl-C, in one line, and within the time a service manager gives.

A run has a way of its own, which lets it be stored (``sync.cli.process.signals``).
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from threading import Thread
from typing import NoReturn

# Service managers allow 10 s.
GRACE_SECONDS = 8.0
"""How long what was told to stop may take, before it is left behind."""
_LEFT = b"catalog-sync: told to stop, and left what it waited for; run it again\n"


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
    Thread(target=_watch, args=(reader,), daemon=True, name="sigterm").start()


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
        os.write(2, _LEFT)
    finally:
        os._exit(128 + signal.SIGTERM)
