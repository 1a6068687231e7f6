"""The rules of one model: whatever is stored of it follows from the texts that the API sent.

The texts are in ``model_versions``. Every other row of the model is derived from them again and compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.model.entities import MODELS, TABLES
from sync.catalog.model.normalise import WrongModeError, is_current, is_of_text, record_of_stored
from sync.catalog.model.records import Record
from sync.catalog.modes import series_name
from sync.catalog.verify.findings import Finding, RowScope, StoredRow, format_value, row_findings, unreadable_findings
from sync.catalog.verify.history import (
    Version,
    change_findings,
    cost_findings,
    expected_changes,
    interval_findings,
    possible_from_findings,
    unsure_hours_findings,
    version_findings,
)
from sync.catalog.verify.rejected import TABLE as REJECTED
from sync.catalog.verify.rejected import event_starts, listed_findings
from sync.catalog.verify.runs import RunInMode, change_key, history_run_findings, last_seen_at

NOTHING_IGNORED = IgnoredFields()
_VERSIONS = "model_versions"
_COSTS = "credit_history"
_CHANGES = "catalog_changes"
_OPEN_VERSION = "the open version"
_NOT_CHECKED = "rows derived from it were not checked"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """All rows of one model. Versions and costs are in the order of ``valid_from``, changes of ``change_id``."""

    model: StoredRow
    versions: Sequence[StoredRow] = ()
    costs: Sequence[StoredRow] = ()
    changes: Sequence[StoredRow] = ()
    current: Mapping[str, Sequence[StoredRow]] = field(default_factory=dict)
    """The rows of the catalog as it is now, by table."""
    rejected: Sequence[StoredRow] = ()
    """The rows of ``rejected_models`` with this id, without ``raw``, in the order of ``valid_from``."""

    def scope(self, table: str) -> RowScope:
        mode, model_id = self.model["mode"], self.model["model_id"]
        return RowScope(table, mode if isinstance(mode, str) else None, model_id if isinstance(model_id, str) else None)

    def tables(self) -> Iterator[tuple[str, Sequence[StoredRow]]]:
        yield "models", (self.model,)
        yield from self.history()
        yield from self.current.items()

    def history(self) -> Iterator[tuple[str, Sequence[StoredRow]]]:
        yield from ((_VERSIONS, self.versions), (_COSTS, self.costs), (_CHANGES, self.changes))


def model_findings(
    stored: StoredModel, runs: Mapping[int, RunInMode], ignored: IgnoredFields = NOTHING_IGNORED
) -> list[Finding]:
    """Every row of a model that breaks a rule. ``runs`` has the runs that the model's history names.

    A value that is not of its column's type cannot be compared. Where a model has one, such values
    are the only findings.
    """
    unreadable = [
        finding for table, rows in stored.tables() for finding in unreadable_findings(stored.scope(table), rows)
    ]
    return unreadable or list(_findings(stored, runs, ignored))


def stamps(stored: StoredModel) -> Iterator[datetime]:
    """Every stamp in the model's history: the times that runs wrote, in UTC."""
    for _, rows in stored.history():
        for row in rows:
            times = (row.get(column) for column in ("valid_from", "valid_to", "changed_at"))
            yield from (time for time in times if isinstance(time, datetime))


def is_outdated(stored: StoredModel) -> bool:
    """Whether another version of the normaliser made the current rows of a listed model.

    The next sync rebuilds such rows, so until then they are not a finding. A fingerprint of another
    text is one, whatever version it names.
    """
    fingerprint, last = stored.model["fingerprint"], stored.versions[-1] if stored.versions else None
    if last is None or last["valid_to"] is not None or not isinstance(fingerprint, str):
        return False
    return not is_current(fingerprint) and is_of_text(fingerprint, str(last["raw"]))


def _findings(stored: StoredModel, runs: Mapping[int, RunInMode], ignored: IgnoredFields) -> Iterator[Finding]:
    yield from interval_findings(stored.scope(_VERSIONS), stored.versions)
    yield from interval_findings(stored.scope(_COSTS), stored.costs)
    versions = [_read_version(stored, row) for row in stored.versions]
    readable = [version for version in versions if isinstance(version, Version)]
    yield from (version for version in versions if isinstance(version, Finding))
    yield from _model_row_findings(stored, runs, versions[-1] if versions else None)
    yield from _current_row_findings(stored, versions[-1] if versions else None)
    # One unreadable version would make its neighbours look like an addition and a removal.
    earlier_bounds: dict[tuple[object, ...], datetime] = {}
    if len(readable) == len(versions):
        changes = list(expected_changes(readable, runs, ignored))
        earlier_bounds = {change_key(change.row): change.not_before for change in changes if change.not_before}
        yield from version_findings(stored.scope(_VERSIONS), readable, ignored)
        yield from cost_findings(stored.scope(_COSTS), readable, stored.costs)
        yield from change_findings(stored.scope(_CHANGES), changes, stored.changes)
    starts = event_starts(stored.rejected)
    for table, rows in stored.history():
        yield from history_run_findings(stored.scope(table), rows, runs, starts, earlier_bounds)
    yield from possible_from_findings(stored.scope(_COSTS), stored.costs, stored.changes)
    yield from unsure_hours_findings(stored.scope(_CHANGES), stored.changes)
    yield from listed_findings(stored.scope(REJECTED), stored.model["fingerprint"], stored.rejected)


def _read_version(stored: StoredModel, row: StoredRow) -> Version | Finding:
    scope, start = stored.scope(_VERSIONS), row["valid_from"]
    record = _read_record(row["raw"], stored.model["mode"])
    if isinstance(record, str):
        return scope.finding(f"raw {record}; {_NOT_CHECKED}", start)
    if record.model_id != stored.model["model_id"]:
        return scope.finding(f"raw is the text of model {format_value(record.model_id)}; {_NOT_CHECKED}", start)
    return Version(row, record)


def _read_record(raw: object, mode: object) -> Record | str:
    """The record of a stored text, or the problem with the text."""
    try:
        record = record_of_stored(str(raw), str(mode))
    except WrongModeError:
        return "is the text of a model of another mode"
    return record or "cannot be read as a model"


def _model_row_findings(
    stored: StoredModel, runs: Mapping[int, RunInMode], last: Version | Finding | None
) -> Iterator[Finding]:
    scope, model = stored.scope("models"), stored.model
    if not stored.versions or last is None:
        yield scope.finding("the model has no version")
        return
    removed_at = stored.versions[-1]["valid_to"]
    expected: dict[str, object] = {"first_seen_at": stored.versions[0]["valid_from"], "removed_at": removed_at}
    expected["series"] = series_name(str(model["mode"]), str(model["model_id"]))
    if removed_at is None:
        expected["last_seen_at"] = None
    elif (seen := last_seen_at(stored.versions[-1], runs)) is not None:
        expected["last_seen_at"] = seen
    elif model["last_seen_at"] is None:  # the run that removed it is not on record, so no time is expected
        yield scope.finding("last_seen_at is NULL, but the model is removed")
    if isinstance(last, Version) and not is_outdated(stored):
        expected |= dict(zip(MODELS.values, last.record.rows[MODELS.table][0], strict=True))
        expected["fingerprint"] = None if removed_at is not None else last.record.fingerprint
    # With an empty key the one expected row is compared with the one stored row.
    yield from row_findings(scope, (), [expected], [model], _VERSIONS)


def _current_row_findings(stored: StoredModel, last: Version | Finding | None) -> Iterator[Finding]:
    """Rows that are not those of the open version. A removed model must have none."""
    if isinstance(last, Finding) or (last and last.is_open and not _has_comparable_rows(stored)):
        return
    for shape in TABLES:
        columns = (*shape.key, *shape.values)
        # No row is expected of a removed model, so each stored one is a finding.
        rows = last.record.rows[shape.table] if last and last.is_open else ()
        expected: Iterable[StoredRow] = [dict(zip(columns, row, strict=True)) for row in rows]
        current = stored.current.get(shape.table, ())
        yield from row_findings(stored.scope(shape.table), shape.key, expected, current, _OPEN_VERSION)


def _has_comparable_rows(stored: StoredModel) -> bool:
    """Whether this version of the normaliser made the current rows. Another version may make other rows."""
    fingerprint = stored.model["fingerprint"]
    return fingerprint is None or is_current(str(fingerprint))
