"""The costs and changes that a model's versions give, to be held against those that are stored.

The job writes them run by run as it goes; here all of them follow at once from what the API sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sync.catalog.changes.diff import EVENT_COLUMNS, Event, events_between
from sync.catalog.model.costs import OPEN_GAP_END, CostChange, for_arithmetic
from sync.catalog.model.records import Record
from sync.catalog.verify.findings import Finding, RowScope, Values, instant, row_findings, time_of

_SOURCE = "model_versions"
_EVENT_KEY = ("changed_at", "entity", "field")


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version that could be read."""

    row: Values
    record: Record

    @property
    def is_open(self) -> bool:
        return self.row["valid_to"] is None

    def is_followed_by(self, later: Version) -> bool:
        """Whether the model stayed listed between the two."""
        return self.row["valid_to"] == later.row["valid_from"]


def interval_findings(place: RowScope, rows: Sequence[Values]) -> Iterator[Finding]:
    """Intervals that run backward, overlap, stay open twice, or end without a run; ``rows`` in order of begin."""
    for row in rows:
        begin, end = row["valid_from"], row["valid_to"]
        if isinstance(begin, datetime) and isinstance(end, datetime) and end <= begin:
            yield place.fault(f"it ends at {instant(end)}, not after it begins", begin)
        if (end is None) != (row["closed_run_id"] is None):
            yield place.fault("only one of valid_to and closed_run_id is NULL", begin)
    for row, later in pairwise(rows):
        end, begin = row["valid_to"], later["valid_from"]
        if end is None:
            yield place.fault("it is open and another one follows", row["valid_from"])
        elif isinstance(end, datetime) and isinstance(begin, datetime) and end > begin:
            yield place.fault(f"it overlaps the one before, which ends at {instant(end)}", begin)


def version_findings(place: RowScope, versions: Sequence[Version]) -> Iterator[Finding]:
    """Versions that follow each other and say the same, or were not closed and opened by one run."""
    for old, new in pairwise(versions):
        if not old.is_followed_by(new):
            continue
        if old.record.tree == new.record.tree:
            yield place.fault("it means the same as the version before it", time_of(new.row))
        if old.row["closed_run_id"] != new.row["opened_run_id"]:
            yield place.fault("it was opened by another run than closed the one before it", time_of(new.row))


def cost_findings(place: RowScope, versions: Sequence[Version], stored: Sequence[Values]) -> Iterator[Finding]:
    return row_findings(place, ("valid_from",), _expected_costs(versions), stored, _SOURCE)


def change_findings(place: RowScope, versions: Sequence[Version], stored: Sequence[Values]) -> Iterator[Finding]:
    """``stored`` in the order of ``change_id``."""
    yield from row_findings(place, _EVENT_KEY, _expected_changes(versions), stored, _SOURCE)
    for row, later in pairwise(stored):
        before, after = row["changed_at"], later["changed_at"]
        if isinstance(before, datetime) and isinstance(after, datetime) and after < before:
            yield place.fault("it was recorded after a later change", after)


def _expected_costs(versions: Sequence[Version]) -> Iterator[Values]:
    begun: list[Version] = []
    for version, later in zip(versions, (*versions[1:], None), strict=False):
        begun = begun or [version]
        if later and version.is_followed_by(later) and version.record.cost == later.record.cost:
            continue
        yield {
            "valid_from": begun[0].row["valid_from"],
            "valid_to": version.row["valid_to"],
            "default_cost": for_arithmetic(version.record.cost),
            "default_cost_exact": version.record.cost,
            "opened_run_id": begun[0].row["opened_run_id"],
            "closed_run_id": version.row["closed_run_id"],
            "gap_to": _gap_to(version, later),
        }
        begun = []


def _gap_to(version: Version, later: Version | None) -> object:
    if version.is_open or (later and version.is_followed_by(later)):
        return None
    return later.row["valid_from"] if later else OPEN_GAP_END


def _expected_changes(versions: Sequence[Version]) -> Iterator[Values]:
    before: Version | None = None
    for version in versions:
        if before is not None and before.is_followed_by(version):
            events = tuple(events_between(before.record.tree, version.record.tree))
        else:
            if before is not None:
                yield _removal(before)
            cost = CostChange(before.record.cost if before else None, version.record.cost)
            events = (Event("models", None, "relisted" if before else "added", cost=cost),)
        row = version.row
        yield from (_change(row["valid_from"], row["opened_run_id"], version.record, event) for event in events)
        before = version
    if before is not None and not before.is_open:
        yield _removal(before)


def _removal(last: Version) -> Values:
    event = Event("models", None, "removed", cost=CostChange(last.record.cost, None))
    return _change(last.row["valid_to"], last.row["closed_run_id"], last.record, event)


def _change(at: object, run_id: object, record: Record, event: Event) -> Values:
    named = {"model_name": record.text("name"), "provider": record.text("provider")}
    said = dict(zip(EVENT_COLUMNS, event.values(), strict=True))
    return {"changed_at": at, **said, "run_id": run_id, **named}
