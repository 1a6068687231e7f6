"""The history: versions and costs of each model as intervals, the log of changes, and what was not taken into it."""

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
from models_db.tables.columns import (
    MODES,
    allowed_values,
    big_id,
    cost_column,
    exact_cost_column,
    model_pk_column,
    run_id_column,
)
from models_db.tables.metadata import IDS_NOT_REUSED, metadata


def _interval(name: str, *values: Column[Any], comment: str, derived: tuple[Column[Any], ...] = ()) -> Table:
    """A table of half-open intervals: at most one open interval per model, none empty or backward."""
    return Table(
        name,
        metadata,
        model_pk_column(primary_key=True),
        Column("valid_from", UtcDateTime, primary_key=True, comment="start of the interval (inclusive)"),
        Column(
            "valid_to",
            UtcDateTime,
            index=True,
            comment="end of the interval (exclusive); NULL while the interval is open",
        ),
        *values,
        run_id_column("opened_run_id", "run that opened the interval"),
        run_id_column("closed_run_id", "run that closed the interval; NULL while it is open", nullable=True),
        # A unique constraint ignores NULL on all three databases. MariaDB has no partial index.
        Column(
            "open_model_pk",
            Integer,
            Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True),
            unique=True,
            comment="the model while the interval is open, else NULL; computed by the database",
        ),
        *derived,
        CheckConstraint("valid_to > valid_from", name="forward"),
        CheckConstraint("(valid_to IS NULL) = (closed_run_id IS NULL)", name="closed_by_a_run"),
        comment=comment,
    )


model_versions = _interval(
    "model_versions",
    Column("raw", LongText, nullable=False, comment="the model's JSON, exactly as the API sent it"),
    comment="what the API sent for each model, and when; all other history is derived from it",
)

credit_history = _interval(
    "credit_history",
    cost_column("default_cost", "cost in credits, for arithmetic; NULL if the API gave no cost"),
    exact_cost_column("default_cost_exact", "cost in credits, the exact decimal that the API sent"),
    derived=(
        Column(
            "gap_to",
            UtcDateTime,
            comment="when the model was relisted, if it was removed at valid_to; 9999-12-31 if it was not relisted;"
            " NULL if no gap follows the interval",
        ),
        Column(
            "possible_from",
            UtcDateTime,
            comment="not_before of the change that opened the interval: the model may have had this cost from then on;"
            " NULL if nothing is known",
        ),
    ),
    comment="cost of each model, and when; a gap while the model was not listed",
)

catalog_changes = Table(
    "catalog_changes",
    metadata,
    Column("change_id", big_id(), primary_key=True, comment="number of the change; increases with every change"),
    run_id_column("run_id", "run that observed the change"),
    model_pk_column(),
    Column("model_name", LongText, comment="name after the change; for removed, the last name"),
    Column("provider", LongText, comment="provider after the change; for removed, the last provider"),
    Column(
        "not_before",
        UtcDateTime,
        comment="start of the last successful sync before the change; it happened after this time",
    ),
    Column(
        "changed_at",
        UtcDateTime,
        nullable=False,
        index=True,
        comment="when the change was observed; it happened before this time",
    ),
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
        comment="added, removed, relisted, increase, decrease, cost_set, cost_unset or changed",
    ),
    Column(
        "is_cost_event",
        SmallInteger,
        nullable=False,
        comment="0 for change_kind changed, 1 for every other change_kind",
    ),
    Column("old_value", LongText, comment="value before the change, as JSON; NULL if there was none"),
    Column("new_value", LongText, comment="value after the change, as JSON; NULL if there is none"),
    cost_column("old_cost", "cost before the change, for arithmetic"),
    cost_column("new_cost", "cost after the change, for arithmetic"),
    exact_cost_column("old_cost_exact", "cost before the change, the exact decimal"),
    exact_cost_column("new_cost_exact", "cost after the change, the exact decimal"),
    cost_column(
        "delta_cost",
        "new cost minus old cost, for increase, decrease and relisted; for changed, that of a number under credits",
    ),
    Column(
        "pct_change",
        Decimals(24, 6),
        comment="delta_cost in percent of the old cost or number; NULL if that is 0 or the result is too large",
    ),
    Column(
        "unsure_hours",
        Decimals(14, 4),
        comment="hours from not_before to changed_at, between which the change happened; NULL if not_before is",
    ),
    Index(None, "is_cost_event", "changed_at"),
    Index(None, "model_pk", "changed_at"),
    allowed_values(
        "change_kind", "added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed"
    ),
    comment="append-only: one row per changed field",
    info=IDS_NOT_REUSED,
)

rejected_models = Table(
    "rejected_models",
    metadata,
    Column("mode", key_text(16), primary_key=True, comment="image or video"),
    Column("raw_sha256", key_text(64), primary_key=True, comment="SHA-256 of the model's JSON as it was sent, in hex"),
    Column("valid_from", UtcDateTime, primary_key=True, comment="start of the interval (inclusive)"),
    Column(
        "valid_to",
        UtcDateTime,
        index=True,
        comment="end of the interval (exclusive), when the model was accepted, missing, or sent in another way;"
        " NULL while it is rejected",
    ),
    Column("model_id", key_text(255), comment="id of the model; NULL if it could not be read"),
    Column("raw", LongText, comment="the model's JSON, exactly as the API sent it; NULL above 3 MiB"),
    Column("reason", LongText, nullable=False, comment="why the model was rejected"),
    Column(
        "not_before",
        UtcDateTime,
        comment="start of the last sync before the rejection in which this model was accepted or missing",
    ),
    run_id_column("opened_run_id", "run that opened the interval"),
    run_id_column("closed_run_id", "run that closed the interval; NULL while it is open", nullable=True),
    allowed_values("mode", *MODES),
    CheckConstraint("valid_to > valid_from", name="forward"),
    CheckConstraint("(valid_to IS NULL) = (closed_run_id IS NULL)", name="closed_by_a_run"),
    comment="models that could not be taken, kept as they were sent, and when",
)

ignored_fields = Table(
    "ignored_fields",
    metadata,
    Column(
        "path",
        key_text(255),
        primary_key=True,
        comment="ignored field: the entity, a dot, and the field as in catalog_changes; * stands for one segment",
    ),
    Column("valid_from", UtcDateTime, primary_key=True, comment="start of the interval (inclusive)"),
    Column("valid_to", UtcDateTime, comment="end of the interval (exclusive); NULL while the field is ignored"),
    Column(
        "reason",
        LongText,
        nullable=False,
        comment="why it is ignored, as the person who added it said; after the removal also who removed it, and why",
    ),
    Column("added_by", LongText, nullable=False, comment="the person who added it"),
    CheckConstraint("valid_to > valid_from", name="forward"),
    comment="fields whose changes a person chose to ignore: they open no version and make no event",
)
