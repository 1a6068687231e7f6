"""The pauses between two attempts to reach the database."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from sync.cli.process.waiting import pause_until
from sync.errors import Interrupted
from tests.support.terminals import Terminal

PAUSES = (0.004, 0.3, 0.3, 0.3, 0.3)


class Never(threading.Event):
    """An event for which nobody waits in fact."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


@pytest.mark.parametrize(
    ("stream", "silent", "lines"), [(Terminal(), False, 1), (io.StringIO(), False, 0), (Terminal(), True, 0)]
)
def test_a_person_is_told_once_that_the_command_waits(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *, silent: bool, lines: int
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    pause = pause_until(Never(), silent=silent)
    for seconds in PAUSES[:-1]:
        pause(seconds)
    assert stream.getvalue() == ""  # as after a deadlock
    for seconds in PAUSES:
        pause(seconds)
    assert len(stream.getvalue().splitlines()) == lines


def test_the_end_of_the_command_ends_a_pause() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted, match="catalog-sync status"):
        pause_until(stop)(60)
