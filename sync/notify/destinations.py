"""The notify file: its TOML as typed values, or every mistake in it. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from sync.catalog.modes import MODES
from sync.catalog.text import one_line

CHANGE_KINDS = ("increase", "decrease", "added", "removed", "relisted", "cost_set", "cost_unset", "changed")
"""Values of ``catalog_changes.change_kind``."""
RUN_KINDS = ("held", "failed", "rejected", "recovered", "stale")
KINDS = (*CHANGE_KINDS, *RUN_KINDS)
DEFAULT_KINDS = frozenset(KINDS) - {"changed"}
"""A catalog whose descriptions are edited has many changes that cost nobody anything."""
DEFAULT_STALE_AFTER = timedelta(hours=26)
"""A day and what a daily sync may be late."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")
_DURATION = re.compile(r"([1-9]\d{0,5})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MOST_NUMBER = 1e15  # no cost and no percentage reaches it
_MOST_PATTERN = 255  # characters, as in an id
_QUOTED = 40  # characters of a wrong word


class Destination(Struct, frozen=True):
    """Where messages go, and which. A filter that is None lets everything pass."""

    name: str
    url: str | None = None
    """The Apprise URL, a secret; None if ``url_file`` names the file with it. It is not in the repr."""
    url_file: str | None = None
    kinds: frozenset[str] = DEFAULT_KINDS
    mode: str | None = None
    providers: frozenset[str] | None = None
    models: tuple[str, ...] | None = None
    """Patterns with ``*`` and ``?``."""
    min_pct: float | None = None
    min_delta: float | None = None
    each_event: bool = False
    """One message per event, not per run."""
    stale_after: timedelta = DEFAULT_STALE_AFTER

    def __repr__(self) -> str:
        return f"Destination({self.name!r})"


class NotifyFile(Struct, frozen=True):
    """What a notify file says: with any mistake nothing of it may be used."""

    destinations: tuple[Destination, ...] = ()
    mistakes: tuple[str, ...] = ()
    """Clauses for people. They never quote the value of a URL."""


def parse_notify_file(text: str) -> NotifyFile:
    """The destinations of a file. It never raises."""
    try:
        document = tomllib.loads(text)
    # A ValueError is also an integer of thousands of digits.
    except (ValueError, RecursionError) as error:
        return NotifyFile(mistakes=(_syntax_mistake(error),))
    mistakes = [f"{_quoted(key)} is unknown{_hint(key, ['destination'])}" for key in document if key != "destination"]
    tables = document.get("destination", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return NotifyFile(mistakes=(*mistakes, "destination is not a list of tables: begin each with [[destination]]"))
    if not tables and not mistakes:
        mistakes.append("it has no [[destination]]")
    read = [_Reader(number, table) for number, table in enumerate(tables, 1)]
    mistakes += [mistake for each in read for mistake in each.mistakes]
    mistakes += _repeated_names(read)
    return NotifyFile(() if mistakes else tuple(each.destination for each in read), tuple(mistakes))


def _syntax_mistake(error: Exception) -> str:
    """Where the text is not TOML. The reason may quote a line, and with it a URL, so only the place is given."""
    place = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    return f"it is not TOML{f' at {place[1]}' if place else ''}"


def _repeated_names(read: list[_Reader]) -> Iterator[str]:
    seen: set[str] = set()
    for each in read:
        # MariaDB and people alike take Ops and ops for one name.
        name = each.destination.name.lower()
        if name and name in seen:
            yield f"{each.label} has the name of another one"
        seen.add(name)


class _Reader:
    """One table of the file: its values, and the mistakes in them."""

    def __init__(self, number: int, table: Mapping[str, Any]) -> None:
        self.mistakes: list[str] = []
        self._table = table
        name = table.get("name")
        is_name = isinstance(name, str) and _NAME.fullmatch(name) is not None and name == name.strip()
        self.label = f'destination "{name}"' if is_name else f"destination {number}"
        if not is_name:
            self._mistake("needs a name of letters, digits, blanks, dots and hyphens")
        self.destination = self._read(str(name) if is_name else "")
        for key in table:
            if key not in _KEYS:
                self._mistake(f"has {_quoted(key)}, which is unknown{_hint(key, _KEYS)}")

    def _mistake(self, text: str) -> None:
        self.mistakes.append(f"{self.label} {text}")

    def _read(self, name: str) -> Destination:
        url, url_file = self._text("url"), self._text("url_file")
        if (url is None) == (url_file is None) and not self._has_bad_url():
            self._mistake("needs either url or url_file")
        if url is not None and not is_url(url):
            self._mistake("has a url that is not of the form service://...")
        return Destination(
            name,
            url,
            url_file,
            kinds=self._kinds(),
            mode=self._one_of("mode", MODES),
            providers=self._words("provider", frozenset),
            models=self._words("model", tuple),
            min_pct=self._number("min_pct"),
            min_delta=self._number("min_delta"),
            each_event=self._one_of("each", ("run", "event")) == "event",
            stale_after=self._duration("stale_after") or DEFAULT_STALE_AFTER,
        )

    def _has_bad_url(self) -> bool:
        return any(key in self._table and not _is_text(self._table[key]) for key in ("url", "url_file"))

    def _text(self, key: str) -> str | None:
        value = self._table.get(key)
        if value is None or _is_text(value):
            return value.strip() if isinstance(value, str) else None
        self._mistake(f"has a {key} that is not a text")
        return None

    def _kinds(self) -> frozenset[str]:
        value = self._table.get("kinds")
        if value is None:
            return DEFAULT_KINDS
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            self._mistake("has kinds that are not a list of texts")
            return DEFAULT_KINDS
        for kind in value:
            if kind not in KINDS:
                self._mistake(f"has the kind {_quoted(kind)}, which is unknown{_hint(kind, KINDS)}")
        return frozenset(value)

    def _one_of(self, key: str, allowed: tuple[str, ...]) -> str | None:
        value = self._table.get(key)
        if value is None or (isinstance(value, str) and value in allowed):
            return value
        self._mistake(f"has {key} {_quoted(value)}, which is neither {' nor '.join(allowed)}")
        return None

    def _words(self, key: str, kind: Callable[[list[str]], Any]) -> Any:
        value = self._table.get(key)
        words = [value] if isinstance(value, str) else value
        if value is None:
            return None
        if isinstance(words, list) and words and all(_is_text(each) and len(each) <= _MOST_PATTERN for each in words):
            return kind(words)
        self._mistake(f"has a {key} that is neither a text nor a list of texts")
        return None

    def _number(self, key: str) -> float | None:
        value = self._table.get(key)
        if value is None:
            return None
        # A bool is an int in Python, and an int may be too large for a float.
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= _MOST_NUMBER:
            return float(value)
        self._mistake(f"has a {key} that is not a number from 0 on")
        return None

    def _duration(self, key: str) -> timedelta | None:
        value = self._table.get(key)
        found = _DURATION.fullmatch(value) if isinstance(value, str) else None
        if found:
            return timedelta(**{_UNITS[found[2]]: int(found[1])})
        if value is not None:
            self._mistake(f"has a {key} that is not a duration such as 2h")
        return None


_KEYS = ("name", "url", "url_file", "kinds", "mode", "provider", "model", "min_pct", "min_delta", "each", "stale_after")


def is_url(text: str) -> bool:
    """Whether a text has the form of an Apprise URL."""
    return _URL.fullmatch(text) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _quoted(value: object) -> str:
    """A wrong word; what looks like an address may be a secret."""
    if not isinstance(value, str) and not isinstance(value, (bool, float)):
        return "a value that is no text"  # str() of an int may fail, and that of a table quotes what is in it
    text = one_line(str(value), _QUOTED)
    return "a text that looks like a secret" if "://" in str(value) or "@" in text else f'"{text}"'


def _hint(word: object, known: Any) -> str:
    near = get_close_matches(str(word), known, n=1)
    return f": write {near[0]}" if near else f": known are {', '.join(known)}"
