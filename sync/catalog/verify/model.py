"""Proves one model: whatever is stored of it follows from what the API sent, or is named as a fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sync.catalog.json.tree import MalformedError
from sync.catalog.model.entities import MODELS, TABLES
from sync.catalog.model.normalise import is_current, is_of_text, record_of_stored
from sync.catalog.model.records import Record
from sync.catalog.verify.findings import Finding, RowScope, Values, format_value, row_findings, unreadable_findings
from sync.catalog.verify.history import Version, change_findings, cost_findings, interval_findings, version_findings
from sync.catalog.verify.runs import RunInMode, history_run_findings, last_seen_of

_VERSIONS = "model_versions"
_COSTS = "credit_history"
_CHANGES = "catalog_changes"
_OPEN = "the open version"


@dataclass(frozen=True, slots=True)
class StoredModel:
    """Everything that is stored of one model, by table; its history in the order of time and ``change_id``."""

    model: Values
    versions: Sequence[Values] = ()
    costs: Sequence[Values] = ()
    changes: Sequence[Values] = ()
    current: Mapping[str, Sequence[Values]] = field(default_factory=dict)

    def place(self, table: str) -> RowScope:
        mode, model_id = self.model["mode"], self.model["model_id"]
        return RowScope(table, mode if isinstance(mode, str) else None, model_id if isinstance(model_id, str) else None)

    def tables(self) -> Iterator[tuple[str, Sequence[Values]]]:
        yield from (("models", (self.model,)), (_VERSIONS, self.versions), (_COSTS, self.costs))
        yield from ((_CHANGES, self.changes), *self.current.items())


def model_findings(stored: StoredModel, runs: Mapping[int, RunInMode]) -> list[Finding]:
    """Every row of a model that breaks a rule. ``runs`` are those its history names, as its mode saw them.

    Values of another type than their column's are named alone: nothing can be compared with them.
    """
    unreadable = [fault for table, rows in stored.tables() for fault in unreadable_findings(stored.place(table), rows)]
    return unreadable or list(_faults(stored, runs))


def stamps(stored: StoredModel) -> Iterator[datetime]:
    """Every time that the job stamped a row of the model's history with."""
    history = (*stored.versions, *stored.costs, *stored.changes)
    times = (row.get(name) for row in history for name in ("valid_from", "valid_to", "changed_at"))
    yield from (time for time in times if isinstance(time, datetime))


def is_outdated(stored: StoredModel) -> bool:
    """Whether another version of the program made the current rows of a listed model: the next run makes them anew."""
    fingerprint, last = stored.model["fingerprint"], stored.versions[-1] if stored.versions else None
    if last is None or last["valid_to"] is not None or not isinstance(fingerprint, str):
        return False
    return not is_current(fingerprint) and is_of_text(fingerprint, str(last["raw"]))


def _faults(stored: StoredModel, runs: Mapping[int, RunInMode]) -> Iterator[Finding]:
    yield from interval_findings(stored.place(_VERSIONS), stored.versions)
    yield from interval_findings(stored.place(_COSTS), stored.costs)
    versions = [_version(stored, row) for row in stored.versions]
    yield from (found for found in versions if isinstance(found, Finding))
    readable = [found for found in versions if isinstance(found, Version)]
    yield from _model_row_findings(stored, runs, versions[-1] if versions else None)
    yield from _current_findings(stored, versions[-1] if versions else None)
    if len(readable) == len(versions):
        yield from version_findings(stored.place(_VERSIONS), readable)
        yield from cost_findings(stored.place(_COSTS), readable, stored.costs)
        yield from change_findings(stored.place(_CHANGES), readable, stored.changes)
    for table, rows in ((_VERSIONS, stored.versions), (_COSTS, stored.costs), (_CHANGES, stored.changes)):
        yield from history_run_findings(stored.place(table), rows, runs)


def _version(stored: StoredModel, row: Values) -> Version | Finding:
    place, at = stored.place(_VERSIONS), row["valid_from"]
    record = _record(row["raw"], stored.model["mode"])
    if isinstance(record, str):
        return place.fault(f"raw {record}: what follows from it was not checked", at)
    if record.model_id != stored.model["model_id"]:
        return place.fault(f"raw is of model {format_value(record.model_id)}: what follows from it was not checked", at)
    return Version(row, record)


def _record(raw: object, mode: object) -> Record | str:
    """The record of a stored text, or why there is none."""
    try:
        record = record_of_stored(str(raw), str(mode))
    except MalformedError as error:
        return f"cannot be of this mode ({error})"
    return record or "cannot be read as a model"


def _model_row_findings(
    stored: StoredModel, runs: Mapping[int, RunInMode], last: Version | Finding | None
) -> Iterator[Finding]:
    place, model = stored.place("models"), stored.model
    if not stored.versions or last is None:
        yield place.fault("it has no version")
        return
    row = stored.versions[-1]
    removed = row["valid_to"] is not None
    expected: dict[str, object] = {"first_seen_at": stored.versions[0]["valid_from"], "removed_at": row["valid_to"]}
    if not removed:
        expected["last_seen_at"] = None
    elif (seen := last_seen_of(row, runs)) is not None:
        expected["last_seen_at"] = seen
    elif model["last_seen_at"] is None:
        yield place.fault("it is removed and last_seen_at is NULL")
    if isinstance(last, Version) and not is_outdated(stored):
        expected |= dict(zip(MODELS.values, last.record.rows[MODELS.table][0], strict=True))
        expected["fingerprint"] = None if removed else last.record.fingerprint
    yield from row_findings(place, (), [expected], [model], "model_versions")


def _current_findings(stored: StoredModel, last: Version | Finding | None) -> Iterator[Finding]:
    """The current rows: those of the open version, none of a removed model."""
    if isinstance(last, Finding) or (last and last.is_open and not _is_of_this_normaliser(stored)):
        return
    for shape in TABLES:
        columns = (*shape.key, *shape.values)
        rows = last.record.rows[shape.table] if last and last.is_open else ()
        expected: Iterable[Values] = [dict(zip(columns, row, strict=True)) for row in rows]
        yield from row_findings(
            stored.place(shape.table), shape.key, expected, stored.current.get(shape.table, ()), _OPEN
        )


def _is_of_this_normaliser(stored: StoredModel) -> bool:
    """Rows that another one made are not to be compared; a fingerprint of another text is the fault itself."""
    fingerprint = stored.model["fingerprint"]
    return fingerprint is None or is_current(str(fingerprint))
