"""The lines of an exported history, which is JSON Lines: a header, the ignored fields, the runs, and an end.

A line holds what was decided and what cannot be derived: the rows of a run and the texts that it opened. Rows
that follow from the texts (costs, changes, the catalog as it is now) are made again on import. Columns that
are NULL are left out. A time is text in UTC of one width, so that the order of texts is that of times.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TypeAlias

import msgspec
from msgspec import Struct

from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.guards import MODE_HOLD_REASONS
from sync.catalog.times import good_start
from sync.catalog.watch import WatchDay

FORMAT = 1
"""Raised when an older program could not import the file, or would import it wrongly."""

Value: TypeAlias = str | int | None
Columns: TypeAlias = dict[str, Value]
"""A row by column."""


class Header(Struct, frozen=True, tag_field="line", tag="export"):
    """The first line."""

    format: int
    catalog_id: str
    """The catalog that was exported."""
    app_version: str
    revision: str


class IgnoredField(Struct, frozen=True, tag_field="line", tag="ignored_field"):
    """A row of ``ignored_fields``. These lines come before the runs, whose texts are compared with them."""

    row: Columns


class NotBefore(Struct, frozen=True, omit_defaults=True):
    """The ``not_before`` of a model's changes where it is not that of the mode; of one change with ``entity``."""

    model_id: str
    not_before: str | None = None
    entity: str | None = None
    field: str | None = None


class ClosedRejection(Struct, frozen=True):
    """The key of a row of ``rejected_models`` that the run closed."""

    raw_sha256: str
    valid_from: str


class ExportedMode(Struct, frozen=True, omit_defaults=True):
    """What a run did in one mode."""

    row: Columns
    """The row of ``sync_run_modes``."""
    not_before: str | None = None
    """That of the changes of the run."""
    opened: tuple[tuple[str, str], ...] = ()
    """Id and text of each model of which the run opened a version."""
    closed: tuple[str, ...] = ()
    """Ids of the models that were listed until this run."""
    not_before_of: tuple[NotBefore, ...] = ()
    rejected: tuple[Columns, ...] = ()
    """The rows of ``rejected_models`` that the run opened."""
    no_longer_rejected: tuple[ClosedRejection, ...] = ()
    is_recounted: bool = False
    """Whether a run before it was left out: its numbers of models are counted again."""
    archived: str | None = None
    """The name of the file in the archive that has the response as it came; for people, import does not read it."""

    @property
    def mode(self) -> str:
        return str(self.row["mode"])

    @property
    def stamp(self) -> str | None:
        """The time of the mode's rows; None if nothing was applied."""
        return text_or_none(self.row.get("stamp"))

    @property
    def is_good(self) -> bool:
        """Whether the response was applied whole, but for rejected models with a readable id."""
        return self.row.get("is_good") == 1 or self.row.get("status") == "success"

    @property
    def is_held_as_a_whole(self) -> bool:
        return self.row.get("hold_reason") in MODE_HOLD_REASONS

    def good_start(self, last: datetime | None) -> datetime | None:
        """The ``good_asked_at`` that the run leaves if it is good, where it was ``last`` before."""
        asked_at, age = text_or_none(self.row.get("asked_at")), self.row.get("response_age")
        if asked_at is None:
            return None
        return good_start(parse_time(asked_at), age if isinstance(age, int) else None, last)


class ExportedRun(Struct, frozen=True, tag_field="line", tag="run"):
    """A run: its row of ``sync_runs``, and its modes in their order."""

    run_id: int
    """In the catalog that was exported."""
    run: Columns
    modes: tuple[ExportedMode, ...] = ()

    @property
    def status(self) -> str:
        return str(self.run["status"])

    def applied(self) -> tuple[ExportedMode, ...]:
        """The modes to which the run applied something. A run is applied whole or not at all."""
        return tuple(mode for mode in self.modes if mode.stamp) if self.status in APPLIED_STATUSES else ()


class WatchedDay(Struct, frozen=True, tag_field="line", tag="watch_day"):
    """A row of ``watch_days``. These lines follow the runs; a day does not follow from them once runs are pruned."""

    mode: str
    day: str
    successful_syncs: int
    first_success_at: str
    last_success_at: str
    longest_gap_seconds: int | None = None

    @classmethod
    def of(cls, row: WatchDay) -> WatchedDay:
        times = time_text(row.first_success_at), time_text(row.last_success_at)
        return cls(row.mode, row.day.isoformat(), row.successful_syncs, *times, row.longest_gap_seconds)

    def watch_day(self) -> WatchDay:
        times = parse_time(self.first_success_at), parse_time(self.last_success_at)
        day = date.fromisoformat(self.day)
        return WatchDay(self.mode, day, self.successful_syncs, *times, self.longest_gap_seconds)


class End(Struct, frozen=True, tag_field="line", tag="end"):
    """The last line: without it the file is truncated."""

    runs: int
    sha256: str
    """Of all bytes before this line, uncompressed."""
    first_day: str | None
    """The first row of ``calendar_days``."""
    states: dict[str, Columns]
    """By mode, the columns of ``sync_state`` that do not follow from the runs, and ``observed_at`` to know it by."""


Line: TypeAlias = Header | IgnoredField | ExportedRun | WatchedDay | End

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """The line with its line break."""
    return _encoder.encode(line) + b"\n"


def decode(text: bytes) -> Line:
    """Raises ``msgspec.DecodeError`` or ``UnicodeDecodeError`` for anything else than such a line."""
    return _decoder.decode(text)


def time_text(moment: datetime) -> str:
    """Such as 2026-03-01T12:00:00.000000Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def text_or_none(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def earlier(one: str | None, other: str | None) -> str | None:
    """The earlier of two bounds; None, which bounds nothing, is the earliest."""
    return None if one is None or other is None else min(one, other)


def with_columns(row: Mapping[str, Value], **changed: Value) -> Columns:
    """The row with these columns changed; without those that become NULL."""
    return {name: value for name, value in {**row, **changed}.items() if value is not None}
