"""What was, from when to when, and what changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    Index,
    Integer,
    SmallInteger,
    Table,
)

from models_db.tables.column_types import Decimals, LongText, UtcDateTime, key_text
from models_db.tables.columns import big_id, cost, exact_cost_column, model_pk, one_of, run_reference
from models_db.tables.metadata import IDS_NOT_REUSED, metadata


def _interval(name: str, *values: Column[Any], comment: str, derived: tuple[Column[Any], ...] = ()) -> Table:
    """A table of half-open intervals: at most one open per model, none empty, none backward."""
    return Table(
        name,
        metadata,
        model_pk(primary_key=True),
        Column("valid_from", UtcDateTime, primary_key=True, comment="first moment at which it was so"),
        Column("valid_to", UtcDateTime, index=True, comment="first moment at which it no longer was; NULL = still so"),
        *values,
        run_reference("opened_run_id", "the run that saw it begin"),
        run_reference("closed_run_id", "the run that saw it end", nullable=True),
        # Unique where not NULL: the same on all three databases, where partial indexes are not.
        Column(
            "open_model_pk",
            Integer,
            Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True),
            unique=True,
            comment="the model while the interval is open, else NULL; made by the database",
        ),
        *derived,
        CheckConstraint("valid_to > valid_from", name="forward"),
        CheckConstraint("(valid_to IS NULL) = (closed_run_id IS NULL)", name="closed_by_a_run"),
        comment=comment,
    )


model_versions = _interval(
    "model_versions",
    Column("raw", LongText, nullable=False, comment="the model's JSON, exactly as the API sent it"),
    comment="the truth: what the API sent for each model, and from when to when",
)

credit_history = _interval(
    "credit_history",
    cost("default_cost", "cost in credits, for arithmetic; NULL when the API gave none"),
    exact_cost_column("default_cost_exact", "cost in credits, the exact decimal the API sent"),
    derived=(
        Column(
            "gap_to",
            UtcDateTime,
            comment="until when the model was away, if it was removed at valid_to: 9999-12-31 while it is not back;"
            " NULL where no gap follows",
        ),
    ),
    comment="what each model cost, and from when to when; a gap while it was not listed",
)

catalog_changes = Table(
    "catalog_changes",
    metadata,
    Column("change_id", big_id(), primary_key=True, comment="rises with every change recorded"),
    run_reference("run_id", "the run that saw it"),
    model_pk(),
    Column("model_name", LongText, comment="the model's name after the change; before it for removed"),
    Column("provider", LongText, comment="the model's provider after the change; before it for removed"),
    Column("not_before", UtcDateTime, comment="it happened after this: when the last good look before it began"),
    Column("changed_at", UtcDateTime, nullable=False, index=True, comment="it happened before this: when it was seen"),
    Column(
        "entity",
        key_text(32),
        nullable=False,
        comment="models, credits, params, inputs, input_rules, capabilities or raw_available_params",
    ),
    Column("field", LongText, comment="dotted path inside the entity; NULL for the entity as a whole"),
    Column(
        "change_kind",
        key_text(16),
        nullable=False,
        comment="added, removed, relisted; increase, decrease, cost_set, cost_unset; changed",
    ),
    Column("is_cost_event", SmallInteger, nullable=False, comment="0 for changed, 1 for every other kind"),
    Column("old_value", LongText, comment="value before, as JSON; NULL when there was none"),
    Column("new_value", LongText, comment="value after, as JSON; NULL when there is none"),
    cost("old_cost", "cost before, for arithmetic"),
    cost("new_cost", "cost after, for arithmetic"),
    exact_cost_column("old_cost_exact", "cost before, exact"),
    exact_cost_column("new_cost_exact", "cost after, exact"),
    cost("delta_cost", "new less old cost; for increase, decrease and relisted only"),
    Column(
        "pct_change", Decimals(24, 6), comment="delta in percent of the old cost; NULL from 0 or if it does not fit"
    ),
    Index(None, "is_cost_event", "changed_at"),
    Index(None, "model_pk", "changed_at"),
    one_of("change_kind", "added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed"),
    comment="append-only: one row per changed field",
    info=IDS_NOT_REUSED,
)
