"""The types of options beyond click's own: durations, times, UTF-8 texts, numbers, accepted numbers."""

from __future__ import annotations

import math
import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# Six digits reach from 11 days, in seconds, to 19,000 years, in weeks, which the calendar then refuses.
_DURATION = re.compile(r"(\d{1,6})([smhdw])")


def parse_duration(text: str) -> timedelta:
    """A duration such as ``90s``, ``15m``, ``1h``, ``7d`` or ``2w``. Raises ``ValueError`` for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write a number and s, m, h, d or w, such as 15m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def parse_moment(text: str, now: datetime) -> datetime:
    """A time in UTC: a duration before ``now``, a date (its start), or an ISO 8601 time (UTC without an offset).

    Raises ``ValueError`` for anything else, ``OverflowError`` for a duration that reaches before year 1.
    """
    if _DURATION.fullmatch(text.strip()):
        return now - parse_duration(text)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not a time; write 7d, 2026-03-01 or 2026-03-01T10:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Moment(click.ParamType[datetime]):
    """A time as ``parse_moment`` reads it."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return parse_moment(value, datetime.now(UTC))
        except (ValueError, OverflowError) as error:
            return self.fail(str(error), param, ctx)


class Duration(click.ParamType[timedelta]):
    """A duration as ``parse_duration`` reads it."""

    name = "DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(value)
        except (ValueError, OverflowError) as error:
            return self.fail(str(error), param, ctx)


class Utf8Text(click.ParamType[str]):
    """A text in UTF-8, whatever the locale: in a locale without UTF-8 Python decodes the bytes one by one."""

    name = "TEXT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return os.fsencode(value).decode()
        except UnicodeError:
            return self.fail("it is not UTF-8", param, ctx)


class FiniteFloat(click.FloatRange):
    """A number within a range. ``nan`` is refused here, since it passes every comparison of ``FloatRange``."""

    name = "number"  # click's error line says "is not a valid" and this name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return float(number)


class WholeNumber(click.IntRange):
    """A whole number within a range."""

    name = "whole number"  # as above


class AcceptedNumber(click.ParamType[int | str]):
    """The number of models that a person accepts, or ``all``."""

    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == "all" or (str(value).isdecimal() and len(str(value)) < 10):
            return value if value == "all" else int(value)
        return self.fail(f"{value!r} is neither a number nor all", param, ctx)
