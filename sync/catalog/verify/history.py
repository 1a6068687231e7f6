"""The costs and changes that follow from a model's versions, compared with the stored ones.

``model_versions`` is the truth; ``credit_history`` and ``catalog_changes`` are derived from it. A run
derives them step by step as it applies a plan; here they are derived again from all versions at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sync.catalog.changes.diff import EVENT_COLUMNS, Event
from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.model.costs import OPEN_GAP_END, CostChange, for_arithmetic
from sync.catalog.model.entities import EVENT_RULES
from sync.catalog.model.records import Record
from sync.catalog.times import unsure_hours
from sync.catalog.verify.findings import (
    Finding,
    RowScope,
    StoredRow,
    equals_stored,
    format_time,
    format_value,
    row_findings,
    time_of,
)
from sync.catalog.verify.runs import RunInMode, event_rules_of

_SOURCE = "model_versions"
_EVENT_KEY = ("changed_at", "entity", "field")


@dataclass(frozen=True, slots=True)
class Version:
    """A row of ``model_versions`` whose text could be read."""

    row: StoredRow
    record: Record

    @property
    def is_open(self) -> bool:
        return self.row["valid_to"] is None

    def is_followed_by(self, later: Version) -> bool:
        """Whether the model stayed listed between the two versions: no gap lies between them."""
        return self.row["valid_to"] == later.row["valid_from"]


@dataclass(frozen=True, slots=True)
class ExpectedChange:
    """A row of ``catalog_changes`` that follows from the versions, as far as it does."""

    row: StoredRow
    not_before: datetime | None
    """An earlier bound than that of the run, where the field was ignored before."""


def interval_findings(scope: RowScope, rows: Sequence[StoredRow]) -> Iterator[Finding]:
    """Intervals that run backward, overlap or lack the run that closed them, and open ones that are not the last.

    ``rows`` are in the order of ``valid_from``.
    """
    for row in rows:
        start, end = row["valid_from"], row["valid_to"]
        if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
            yield scope.finding(f"valid_to is {format_time(end)}, not after valid_from", start)
        if (end is None) != (row["closed_run_id"] is None):
            yield scope.finding("only one of valid_to and closed_run_id is NULL", start)
    # Intervals are half-open: one may begin exactly when the previous one ends. Only the last may be open.
    for row, later in pairwise(rows):
        end, next_start = row["valid_to"], later["valid_from"]
        if end is None:
            yield scope.finding("valid_to is NULL, but a later interval follows", row["valid_from"])
        elif isinstance(end, datetime) and isinstance(next_start, datetime) and end > next_start:
            yield scope.finding(f"the interval overlaps the previous one, which ends at {format_time(end)}", next_start)


def version_findings(scope: RowScope, versions: Sequence[Version], ignored: IgnoredFields) -> Iterator[Finding]:
    """Adjacent versions without a difference that counts, or that two different runs closed and opened."""
    for old, new in pairwise(versions):
        if not old.is_followed_by(new):
            continue
        if old.record.tree == new.record.tree:
            yield scope.finding("raw means the same as in the previous version", time_of(new.row))
        elif not _events(old, new, ignored):
            yield scope.finding("raw differs from the previous version only in ignored fields", time_of(new.row))
        closed_by, opened_by = old.row["closed_run_id"], new.row["opened_run_id"]
        if closed_by != opened_by:
            yield scope.finding(
                f"opened_run_id is {format_value(opened_by)},"
                f" but run {format_value(closed_by)} closed the previous version",
                time_of(new.row),
            )


def cost_findings(scope: RowScope, versions: Sequence[Version], stored: Sequence[StoredRow]) -> Iterator[Finding]:
    """Rows of ``credit_history`` that are not exactly those that follow from the versions."""
    return row_findings(scope, ("valid_from",), _expected_costs(versions), stored, _SOURCE)


def change_findings(
    scope: RowScope, expected: Sequence[ExpectedChange], stored: Sequence[StoredRow]
) -> Iterator[Finding]:
    """Rows of ``catalog_changes`` that are not those that follow from the versions, or not in order of time.

    ``stored`` is in the order of ``change_id``.
    """
    yield from row_findings(scope, _EVENT_KEY, [change.row for change in expected], stored, _SOURCE)
    # The change log is append-only, and stamps of a mode only rise.
    for row, later in pairwise(stored):
        before, after = row["changed_at"], later["changed_at"]
        if isinstance(before, datetime) and isinstance(after, datetime) and after < before:
            yield scope.finding("changed_at is earlier than that of a change with a lower change_id", after)


def possible_from_findings(
    scope: RowScope, costs: Sequence[StoredRow], changes: Sequence[StoredRow]
) -> Iterator[Finding]:
    """Cost intervals whose ``possible_from`` is not ``not_before`` of the change that opened them."""
    starts = {row["changed_at"]: row["not_before"] for row in changes if row["is_cost_event"] == 1}
    for row in costs:
        start, stored = row["valid_from"], row["possible_from"]
        if start in starts and stored != starts[start]:
            problem = f"but not_before of its change is {format_value(starts[start])}"
            yield scope.finding(f"possible_from is {format_value(stored)}, {problem}", start)


def unsure_hours_findings(scope: RowScope, changes: Sequence[StoredRow]) -> Iterator[Finding]:
    """Changes whose ``unsure_hours`` is not the time from ``not_before`` to ``changed_at``."""
    for row in changes:
        start, end, stored = row["not_before"], row["changed_at"], row["unsure_hours"]
        if not isinstance(end, datetime):
            continue
        expected = unsure_hours(start if isinstance(start, datetime) else None, end)
        if not equals_stored(expected, stored):
            problem = f"but not_before and changed_at give {format_value(expected)}"
            yield scope.finding(f"unsure_hours is {format_value(stored)}, {problem}", end)


def _expected_costs(versions: Sequence[Version]) -> Iterator[StoredRow]:
    """One interval for each run of adjacent versions with the same cost."""
    first: Version | None = None
    for version, later in zip(versions, (*versions[1:], None), strict=False):
        first = first or version
        # A version that changes something else continues the interval of the cost.
        if later and version.is_followed_by(later) and version.record.cost == later.record.cost:
            continue
        yield {
            "valid_from": first.row["valid_from"],
            "valid_to": version.row["valid_to"],
            "default_cost": for_arithmetic(version.record.cost),
            "default_cost_exact": version.record.cost,
            "opened_run_id": first.row["opened_run_id"],
            "closed_run_id": version.row["closed_run_id"],
            "gap_to": _gap_end(version, later),
        }
        first = None


def _gap_end(version: Version, later: Version | None) -> object:
    """When the gap after a version ends; None where no gap follows."""
    if version.is_open or (later and version.is_followed_by(later)):
        return None
    return later.row["valid_from"] if later else OPEN_GAP_END


def expected_changes(
    versions: Sequence[Version], runs: Mapping[int, RunInMode], ignored: IgnoredFields
) -> Iterator[ExpectedChange]:
    """The changes that follow from the versions and the ignored fields.

    ``runs`` says by which rules each run made its events.
    """
    previous: Version | None = None
    for version in versions:
        if previous is not None and previous.is_followed_by(version):
            events = _events(previous, version, ignored, event_rules_of(version.row["opened_run_id"], runs))
        else:
            if previous is not None:
                yield _removal(previous)
            # A return is one event, however much changed while the model was not listed.
            cost = CostChange(previous.record.cost if previous else None, version.record.cost)
            events = (Event("models", None, "relisted" if previous else "added", cost=cost),)
        start, run_id = version.row["valid_from"], version.row["opened_run_id"]
        yield from (_change_row(start, run_id, version.record, event) for event in events)
        previous = version
    if previous is not None and not previous.is_open:
        yield _removal(previous)


def _events(old: Version, new: Version, ignored: IgnoredFields, event_rules: int = EVENT_RULES) -> tuple[Event, ...]:
    since, stamp = old.row["valid_from"], new.row["valid_from"]
    if not isinstance(since, datetime) or not isinstance(stamp, datetime):
        return ()  # such a row is a finding of its own
    return ignored.events_between(old.record.tree, new.record.tree, since=since, stamp=stamp, event_rules=event_rules)


def _removal(last: Version) -> ExpectedChange:
    event = Event("models", None, "removed", cost=CostChange(last.record.cost, None))
    return _change_row(last.row["valid_to"], last.row["closed_run_id"], last.record, event)


def _change_row(changed_at: object, run_id: object, record: Record, event: Event) -> ExpectedChange:
    row = {
        "changed_at": changed_at,
        **dict(zip(EVENT_COLUMNS, event.values(), strict=True)),
        "run_id": run_id,
        "model_name": record.text("name"),
        "provider": record.text("provider"),
    }
    return ExpectedChange(row, event.not_before)
