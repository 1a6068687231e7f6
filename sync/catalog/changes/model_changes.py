"""What one run does to one model: it is added, relisted, changed, removed, or its rows are rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from sync.catalog.changes.diff import Event, row_changes
from sync.catalog.changes.ignored import IgnoredFields
from sync.catalog.changes.mode_plan import ModelChange
from sync.catalog.changes.stored import Stored
from sync.catalog.model.costs import CostChange
from sync.catalog.model.entities import EVENT_RULES
from sync.catalog.model.normalise import is_current, record_of_stored
from sync.catalog.model.records import Record
from sync.errors import DatabaseError


def changes_of_seen(
    model_ids: Iterable[str],
    record_of: Callable[[str], Record],
    stored: Mapping[str, Stored],
    mode: str,
    *,
    ignored: IgnoredFields,
    stamp: datetime,
    event_rules: int = EVENT_RULES,
) -> Iterator[ModelChange | str]:
    """The change of each model that is not unchanged, in order of ids. A model never seen before is its id alone.

    ``record_of`` gives a model as it is now. It is not asked for models never seen before: see ``Changes``.
    """
    for model_id in sorted(model_ids):
        known = stored.get(model_id)
        if known is None:
            yield model_id
            continue
        record = record_of(model_id)
        if not known.is_listed:
            yield addition(record, known)
            continue
        old = stored_record(model_id, known, mode)
        change = change_of_listed(record, known, old, ignored, stamp, event_rules)
        if change is not None:
            yield change


def with_starts(
    changes: Iterable[ModelChange | str], starts: Mapping[str, datetime | None], record_of: Callable[[str], Record]
) -> Iterator[ModelChange | str]:
    """The changes, with the ``not_before`` of models that were rejected until now.

    The last successful sync did not observe such a model, so its change may be older than that sync.
    """
    for change in changes:
        model_id = change if isinstance(change, str) else change.model_id
        if model_id in starts:
            made = addition(record_of(model_id), None) if isinstance(change, str) else change
            yield replace(made, not_before=starts[model_id])
        else:
            yield change


def addition(record: Record, known: Stored | None) -> ModelChange:
    """A model that was never seen before, or one that returns: a single event with its costs."""
    lifecycle: Literal["added", "relisted"] = "added" if known is None else "relisted"
    cost = CostChange(None if known is None else known.cost, record.cost)
    return ModelChange(
        lifecycle=lifecycle,
        model_id=record.model_id,
        model_pk=None if known is None else known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        events=(Event("models", None, lifecycle, cost=cost),),
        cost_changed=True,
    )


def change_of_listed(
    record: Record,
    known: Stored,
    old: Record,
    ignored: IgnoredFields,
    stamp: datetime,
    event_rules: int = EVENT_RULES,
) -> ModelChange | None:
    """The change of a listed model; None when only its spelling or its ignored fields differ.

    ``event_rules`` are those of the run that records the change.
    """
    events = ignored.events_between(old.tree, record.tree, since=known.since, stamp=stamp, event_rules=event_rules)
    # The version keeps its text, so a model that stays different in this way is decoded on each run.
    if not events:
        return None if is_current(known.fingerprint) else rebuild(old, known)
    return ModelChange(
        lifecycle="changed",
        model_id=record.model_id,
        model_pk=known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        events=events,
        rows=row_changes(old, record),
        # The rows in the database are not those of `old` when another normaliser made them.
        replaces_rows=not is_current(known.fingerprint),
        cost_changed=old.cost != record.cost,
    )


def removal(model_id: str, known: Stored, last_success: datetime | None) -> ModelChange:
    """The removal of a listed model; ``last_success`` is the stamp of the last successful sync before it."""
    return ModelChange(
        lifecycle="removed",
        model_id=model_id,
        model_pk=known.model_pk,
        name=known.name,
        provider=known.provider,
        record=None,
        events=(Event("models", None, "removed", cost=CostChange(known.cost, None)),),
        cost_changed=True,
        # A run that was not wholly successful may have seen the model later than the last successful one.
        last_seen_at=max(filter(None, (known.since, last_success)), default=None),
    )


def rebuild(record: Record, known: Stored) -> ModelChange:
    """New current rows for a model whose rows another version of the normaliser made."""
    return ModelChange(
        lifecycle="rebuilt",
        model_id=record.model_id,
        model_pk=known.model_pk,
        name=record.text("name"),
        provider=record.text("provider"),
        record=record,
        replaces_rows=True,
    )


def stored_record(model_id: str, known: Stored, mode: str) -> Record:
    """The record of the open version. Raises ``DatabaseError`` if this version of the program rejects its text."""
    record = None if known.raw is None else record_of_stored(known.raw, mode)
    if record is None:
        raise DatabaseError(
            f"the stored version of model {model_id!r} in mode {mode} cannot be read: this version of catalog-sync"
            " rejects its text; restore it from a backup"
        )
    return record
