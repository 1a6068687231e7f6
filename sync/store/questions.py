"""The questions of ``docs/questions.md``: their SQL, with the values of its parameters. Runs nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

Value: TypeAlias = str | int
_FILE = Path(__file__).with_name("questions.toml")


@dataclass(frozen=True)
class Parameter:
    """A value that a question needs. ``kind`` is moment, day, text or number."""

    kind: str
    default: Value
    """Of a moment or a day: the number of days from today to its midnight."""
    help: str

    def value(self, given: datetime | Value | None, now: datetime) -> Value:
        """The value for the SQL: the given one, or the default as of ``now``."""
        if self.kind not in ("moment", "day"):
            return self.default if given is None or isinstance(given, datetime) else given
        moment = given if isinstance(given, datetime) else self._default_moment(now)
        moment = moment.astimezone(UTC).replace(tzinfo=None)
        # SQLite compares times as text, so each has this one form.
        return moment.date().isoformat() if self.kind == "day" else moment.isoformat(" ", "microseconds")

    def _default_moment(self, now: datetime) -> datetime:
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(days=int(self.default))


@dataclass(frozen=True)
class Question:
    """A question and the one SELECT that answers it on every database."""

    name: str
    text: str
    sql: str
    explanation: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

    def values(self, given: Mapping[str, datetime | Value | None], now: datetime) -> dict[str, Value]:
        """The value of every parameter."""
        return {name: each.value(given.get(name), now) for name, each in self.parameters.items()}

    def statement(self, values: Mapping[str, Value], *, escapes_backslash: bool = False) -> str:
        """The SQL with these values in it, to be read, copied and run. MariaDB needs ``escapes_backslash``."""

        def literal(found: re.Match[str]) -> str:
            value = values.get(found[1])
            if value is None:
                return found[0]
            return _literal(value, escapes_backslash=escapes_backslash)

        return re.sub(r"(?<![:\w]):(\w+)", literal, self.sql)


@cache
def questions() -> Mapping[str, Question]:
    """Every question by name, in the order of the page."""
    return {table["name"]: _question(table) for table in _document()["question"]}


def introduction() -> str:
    """The text of the page before the first question."""
    return str(_document()["introduction"])


def _document() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def _question(table: Mapping[str, Any]) -> Question:
    return Question(
        name=table["name"],
        text=table["text"],
        sql=table["sql"].rstrip("\n"),
        explanation=table["explanation"].strip(),
        parameters={name: Parameter(**fields) for name, fields in table.get("parameters", {}).items()},
    )


def _literal(value: Value, *, escapes_backslash: bool) -> str:
    if isinstance(value, int):
        return str(value)
    text = value.replace("\\", "\\\\") if escapes_backslash else value
    return "'" + text.replace("'", "''") + "'"
