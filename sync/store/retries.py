"""The one policy of retries: which failures of the database are tried again, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import TypeAlias, TypeVar

from models_db.engine import error_classes
from sync.errors import CommitUnanswered, DatabaseError

T = TypeVar("T")
Pause: TypeAlias = Callable[[float], object]
"""Waits for this number of seconds; an error that it raises ends the retries."""

ATTEMPTS = 4
"""After a deadlock: the first attempt and three more."""

# The timeout ends the retries for an unreachable server. This number ends them where a pause takes no time, as in
# tests.
_MOST_RETRIES = 1000
# Pauses grow by this much each time, so that two runs that deadlocked do not meet again at once.
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0


def retried(action: Callable[[int], T], seconds: float, pause: Pause, attempts: int = ATTEMPTS) -> T:
    """The result of ``action``, which is called with the number of the attempt until it succeeds.

    After a deadlock or a serialization failure it is called ``attempts`` times at most. From the first
    sign on that no server can be used, whatever the step, it is called for ``seconds``, unless
    ``attempts`` is 1. Raises the last error; but when a COMMIT was not answered, the first such error,
    since a later failure does not show whether that COMMIT was carried out.
    """
    retries: _Retries | None = None
    unanswered: CommitUnanswered | None = None
    for number in count(1):
        try:
            return action(number)
        except DatabaseError as error:
            cause = error.__cause__
            if unanswered is None and isinstance(error, CommitUnanswered):
                unanswered = error
            # The time for retries begins with the first failure of the server, not with the action.
            if retries is None and attempts > 1 and error_classes.server_unavailable(cause):
                retries = _Retries(seconds, number)
            if not _may_retry(cause, retries) or (retries is None and number >= attempts):
                if unanswered is None or unanswered is error:
                    raise
                raise unanswered from unanswered.__cause__
        pause(retries.next_pause() if retries else _PAUSE_SECONDS * number)
    raise AssertionError("unreachable")  # count never ends


def was_unreachable(error: BaseException) -> bool:
    """Whether ``retried`` raised this because no server could be used for as long as it tries."""
    return isinstance(error, DatabaseError) and error_classes.server_unavailable(error.__cause__)


class _Retries:
    """Retries for a server that cannot be used: when they end, and how long to pause before the next one."""

    def __init__(self, seconds: float, done: int) -> None:
        self._ends_at = time.monotonic() + seconds
        self._done = done

    @property
    def exhausted(self) -> bool:
        return time.monotonic() >= self._ends_at or self._done >= _MOST_RETRIES

    def next_pause(self) -> float:
        self._done += 1
        return min(_PAUSE_SECONDS * self._done, _LONGEST_PAUSE_SECONDS)


def _may_retry(cause: BaseException | None, retries: _Retries | None) -> bool:
    if retries is None:
        return error_classes.is_transient(cause)
    # The lock may belong to an earlier transaction of this process, which the server has not ended yet.
    tests = (error_classes.is_transient, error_classes.retry_may_reach_server, error_classes.is_lock_wait)
    return not retries.exhausted and any(test(cause) for test in tests)
