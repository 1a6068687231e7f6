"""When to send a request again. Pure: nothing here waits or reads a clock.

The waits are "full jitter" of the AWS Architecture Blog ("Exponential Backoff And Jitter", 2015): a random
time up to a bound that doubles with each attempt. With the default of 4 attempts the bounds are 0.5, 1 and
2 s, so the waits take 3.5 s at most and 1.75 s on average of the default deadline of 60 s.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

_MAX_DIGITS = 10
# 0.5 s doubled 30 times is 17 years: far above any bound, and no attempt number overflows a float.
_MAX_DOUBLINGS = 30


class RetryPolicy(Struct, frozen=True):
    """The number of attempts and the bounds of the waits, in seconds.

    ``base`` is the bound before the second attempt. ``longest`` limits it from the eighth attempt on, so that
    a long series of attempts still sends one request in 15 s on average.
    """

    attempts: int = 4
    base: float = 0.5
    longest: float = 30.0


def wait_before(attempt: int, retry_after: float | None, policy: RetryPolicy, rng: random.Random) -> float:
    """Seconds to wait before ``attempt``, 2 being the second.

    ``retry_after``, the wait that the server requires, is taken exactly. Otherwise the wait is random, so that
    clients whose requests failed at the same time do not send them again at the same time.
    """
    if retry_after is not None:
        return retry_after
    doublings = min(max(attempt - 2, 0), _MAX_DOUBLINGS)
    return rng.uniform(0, min(policy.base * 2**doublings, policy.longest))


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """The seconds in a Retry-After header; None when it is missing or invalid.

    The header has whole seconds or an HTTP date (RFC 9110, 10.2.3); a date in the past gives 0.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        # int() refuses a text of thousands of digits, and 10 digits are 300 years already.
        return float(text) if len(text) <= _MAX_DIGITS else float(10**_MAX_DIGITS)
    then = parse_http_date(text)
    return None if then is None else max(0.0, (then - now).total_seconds())


def parse_http_date(text: str | None) -> datetime | None:
    """The time of an HTTP date, such as a Date header, in UTC; None when it is missing or invalid."""
    if not text:
        return None
    try:
        then = parsedate_to_datetime(text)
        # parsedate_to_datetime gives a naive time for the zone -0000, which also means UTC.
        return then.replace(tzinfo=UTC) if then.tzinfo is None else then.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):  # what it raises for various invalid dates
        return None
