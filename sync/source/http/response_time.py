"""When the API made a response, from its Date and Age headers. Pure: nothing here reads a clock.

A cache keeps the Date of the copy that it serves and says in Age for how many seconds it has had it (RFC 9111, 5.1).
Date plus Age is therefore the API's clock when the response arrived, and Age is how old the catalog in it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from sync.catalog.text import one_line
from sync.errors import ApiUnreachable
from sync.source.http.retry import parse_http_date

# A copy of this age is stored, with a note: the interval in which a change happened is only a little longer.
NOTED_AGE = 300
# A copy older than this is not used.
MAX_AGE = 3600
# RFC 9111, 1.2.2: a larger number means "very old". It also fits the column.
_LARGEST_AGE = 2**31 - 1
_QUOTE_LIMIT = 40


class ResponseTime(Struct, frozen=True):
    """What the headers of a response say about its time.

    ``date`` is the Date header in UTC, or None. ``age`` is in seconds, None without a valid Age header. ``problems``
    are clauses about values that cannot be used.
    """

    date: datetime | None = None
    age: int | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_stale(self) -> bool:
        return self.age is not None and self.age > MAX_AGE


def read_response_time(dates: Sequence[str], ages: Sequence[str], now: datetime) -> ResponseTime:
    """The time of a response from all values of its two headers, each as it was sent.

    Of several values the worst counts, so that nothing is taken that one of them denies: the date that is
    furthest from ``now``, the host's clock, and the largest age.
    """
    read_dates = {text: parse_http_date(text) for text in dates}
    read_ages = {text: _seconds(text) for value in ages for text in value.split(",")}
    return ResponseTime(
        date=max(filter(None, read_dates.values()), key=lambda date: abs(date - now), default=None),
        age=max((age for age in read_ages.values() if age is not None), default=None),
        problems=(
            *(f"its Date header is not a date ({_quoted(text)})" for text, date in read_dates.items() if date is None),
            *(
                f"its Age header is not a number of seconds ({_quoted(text)})"
                for text, age in read_ages.items()
                if age is None
            ),
        ),
    )


def stale_copy_error(mode: str, age: int | None, server: str = "the API") -> ApiUnreachable:
    """The error of a copy that is older than ``MAX_AGE``."""
    return ApiUnreachable(
        f"fetching mode {mode} from {server} failed: only a cache answered, with a response that is {age} s old;"
        " try again later, and exclude this address from the caches in front of the API"
    )


def _seconds(text: str) -> int | None:
    digits = text.strip(" \t")
    if not (digits.isascii() and digits.isdigit()):
        return None
    # int() refuses a text of thousands of digits.
    return min(int(digits.lstrip("0")[:11] or "0"), _LARGEST_AGE)


def _quoted(text: str) -> str:
    return repr(one_line(text, _QUOTE_LIMIT))
