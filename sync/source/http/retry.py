"""When to ask again. Pure: nothing here sleeps or looks at a clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

_DIGITS = 10


class RetryPolicy(Struct, frozen=True):
    """How often to ask, and how long to wait in between, in seconds."""

    attempts: int = 4
    base: float = 0.5
    longest: float = 30.0


def wait_before(attempt: int, retry_after: float | None, policy: RetryPolicy, rng: random.Random) -> float:
    """Seconds to wait before ``attempt`` (the second is 2).

    A wait the server named is obeyed exactly. Else it is anything between nothing and 0.5, 1, 2 s
    and so on (full jitter), so that clients which failed together do not come back together.
    """
    if retry_after is not None:
        return retry_after
    doublings = min(max(attempt - 2, 0), 30)
    return rng.uniform(0, min(policy.base * 2**doublings, policy.longest))


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for; None when it is missing or makes no sense.

    It is whole seconds or an HTTP date (RFC 9110, 10.2.3); a date that has passed is 0.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        # Some 300 years are for ever either way; int() refuses thousands of digits.
        return float(text) if len(text) <= _DIGITS else float(10**_DIGITS)
    then = parse_http_date(text)
    return None if then is None else max(0.0, (then - now).total_seconds())


def parse_http_date(text: str | None) -> datetime | None:
    """The instant of an HTTP date such as a Date header, in UTC; None when it is not one."""
    if not text:
        return None
    try:
        then = parsedate_to_datetime(text)
        return then.replace(tzinfo=UTC) if then.tzinfo is None else then.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
