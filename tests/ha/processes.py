"""All processes of a server at once, without a question to the server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_STOP_SECONDS = 30


def kill_family(pid: int) -> None:
    """Kills this process and its children, as a power failure would."""
    family = _stopped_family(pid)
    _send(family, signal.SIGKILL)
    for each in family:  # until then they keep the server's shared memory, with which it does not start again
        _wait_for(each, "ZX")


@contextmanager
def frozen_family(pid: int) -> Iterator[None]:
    """Within it this process and its children are stopped; the kernel still accepts what clients send."""
    family = _stopped_family(pid)
    try:
        yield
    finally:
        _send(family, signal.SIGCONT)


def _stopped_family(pid: int) -> list[int]:
    """The parent is stopped first, so that it starts no child that would be missed."""
    _send([pid], signal.SIGSTOP)
    _wait_for(pid, "TZX")
    family = [pid, *_children(pid)]
    _send(family, signal.SIGSTOP)
    return family


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _wait_for(pid: int, states: str) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while _state(pid) not in states:
        if time.monotonic() > deadline:
            raise RuntimeError(f"process {pid} did not stop")
        time.sleep(0.002)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
