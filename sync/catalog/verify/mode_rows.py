"""The rules of one row of ``sync_run_modes``: values that contradict each other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from sync.catalog.changes.mode_plan import APPLIED_STATUSES
from sync.catalog.guards import GUARDS, MODE_HOLD_REASONS
from sync.catalog.verify.findings import format_value
from sync.catalog.verify.run_counts import RunCounts

_SHA256 = re.compile(r"[0-9a-f]{64}")
_OK = 200
# NULL unless the mode was applied, and never NULL then.
_OF_APPLIED = ("stamp", "models_rejected", "models_added", "models_changed", "models_removed", "removals_held")
_OF_RESPONSE = ("asked_at", "models_reported", "models_received", "payload_bytes", "payload_sha256")
_NUMBERS = (*_OF_APPLIED[1:], "models_reported", "models_received", "payload_bytes", "attempts", "response_age")
_HOLD_REASONS = frozenset(guard.reason for guard in GUARDS)


class ModeRow(Struct, frozen=True):
    """A row of ``sync_run_modes``; the times in UTC."""

    run_id: int
    mode: str
    status: str
    http_status: int | None
    attempts: int
    asked_at: datetime | None
    previous_success_at: datetime | None
    models_reported: int | None
    models_received: int | None
    models_rejected: int | None
    models_added: int | None
    models_changed: int | None
    models_removed: int | None
    removals_held: int | None
    payload_bytes: int | None
    payload_sha256: str | None
    response_age: int | None
    stamp: datetime | None
    is_good: int
    hold_reason: str | None
    held_ids: str | None
    models_listed: int | None

    @property
    def is_applied(self) -> bool:
        return self.status in APPLIED_STATUSES

    @property
    def is_of_older_version(self) -> bool:
        """Whether a version before schema revision 0005 stored this row of an applied mode."""
        return self.models_listed is None

    @property
    def holds_mode(self) -> bool:
        return self.hold_reason in MODE_HOLD_REASONS

    @property
    def was_requested(self) -> bool:
        """Whether a request was sent, which an import does not."""
        return self.attempts > 0 or self.http_status is not None


def held_ids_of(text: object) -> list[str] | None:
    """The ids of a stored list; None for a value that is not a list of distinct ids."""
    if text is None:
        return []
    try:
        ids = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    is_list = isinstance(ids, list) and all(isinstance(one, str) for one in ids) and len(set(ids)) == len(ids)
    return ids if is_list and ids else None


def mode_problems(row: ModeRow, counts: RunCounts) -> Iterator[str]:
    """What is wrong with a row, beside the history that its run wrote, which ``counts`` has."""
    yield from _null_problems(row)
    for name in _NUMBERS:
        value = getattr(row, name)
        if value is not None and value < 0:
            yield f"{name} is {value}"
    yield from _payload_problems(row)
    yield from _hold_problems(row)
    if row.is_applied:
        yield from _status_problems(row)
        yield from _count_problems(row, counts)


def _null_problems(row: ModeRow) -> Iterator[str]:
    names = (*_OF_APPLIED, *_OF_RESPONSE) if row.is_applied else _OF_APPLIED
    for name in names:
        value = getattr(row, name)
        if (value is None) == row.is_applied:
            yield f"{name} is {format_value(value)}, but status is {row.status}"
    if row.is_good and not row.is_applied:
        yield f"is_good is {row.is_good}, but status is {row.status}"


def _payload_problems(row: ModeRow) -> Iterator[str]:
    if (row.payload_sha256 is None) != (row.payload_bytes is None):
        yield "only one of payload_sha256 and payload_bytes is NULL"
    if row.payload_sha256 is not None and not _SHA256.fullmatch(row.payload_sha256):
        yield f"payload_sha256 is {format_value(row.payload_sha256)}, which is not 64 hex digits"
    if row.is_applied and row.models_reported != row.models_received:
        yield f"models_received is {row.models_received}, but models_reported is {row.models_reported}"
    if row.is_applied and row.was_requested and (row.http_status != _OK or row.attempts < 1):
        yield f"http_status is {row.http_status} after {row.attempts} requests, but the mode was applied"


def _hold_problems(row: ModeRow) -> Iterator[str]:
    ids = held_ids_of(row.held_ids)
    if row.hold_reason is None:
        if row.held_ids is not None:
            yield f"held_ids is {format_value(row.held_ids)}, but hold_reason is NULL"
        if row.removals_held:
            yield f"removals_held is {row.removals_held}, but hold_reason is NULL"
        return
    if row.hold_reason not in _HOLD_REASONS or not row.is_applied:
        yield f"hold_reason is {format_value(row.hold_reason)}, but status is {row.status}"
    if ids is None:
        yield f"held_ids is {format_value(row.held_ids)}, which is not a list of ids"
    # With hold_reason costs, removals may be held back too, and held_ids has the models whose cost moved.
    elif ids and row.hold_reason != "costs" and len(ids) != row.removals_held:
        yield f"removals_held is {row.removals_held}, but held_ids has {len(ids)} ids"
    if row.hold_reason != "costs" and not row.removals_held:
        yield f"removals_held is {row.removals_held}, but hold_reason is {row.hold_reason}"


def _status_problems(row: ModeRow) -> Iterator[str]:
    if row.status != _expected_status(row):
        rejected, hold = row.models_rejected, format_value(row.hold_reason)
        yield f"status is {row.status}, but models_rejected is {rejected} and hold_reason is {hold}"
    is_never_good = row.hold_reason is not None
    if row.is_good not in (0, 1) or (row.is_good and is_never_good) or (not row.is_good and row.status == "success"):
        yield f"is_good is {row.is_good}, but status is {row.status} and hold_reason is {format_value(row.hold_reason)}"
    rejected, received, listed = row.models_rejected or 0, row.models_received or 0, row.models_listed or 0
    if rejected > received:
        yield f"models_rejected is {rejected}, but models_received is {received}"
    # Equal copies of a model are received as several and listed as one.
    if row.status == "success" and listed > received:
        yield f"models_received is {received}, but models_listed is {listed}"


def _expected_status(row: ModeRow) -> str:
    if row.holds_mode:
        return "held"
    if row.models_rejected:
        return "partial"
    return "held" if row.hold_reason else "success"


def _count_problems(row: ModeRow, counts: RunCounts) -> Iterator[str]:
    expected = {
        "models_added": counts.added,
        "models_changed": counts.changed,
        "models_removed": counts.removed,
    }
    for name, number in expected.items():
        value = getattr(row, name)
        if value != number:
            yield f"{name} is {value}, but the changes of the run give {number}"
    if row.hold_reason and row.models_removed:
        yield f"models_removed is {row.models_removed}, but hold_reason is {row.hold_reason}"
    if row.holds_mode and row.models_rejected:
        yield f"models_rejected is {row.models_rejected}, but hold_reason is {row.hold_reason}"
