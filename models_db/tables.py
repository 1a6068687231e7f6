"""Every table of the catalog, its history and its runs.

The comments are the documentation: ``docs/schema.md`` is made from them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

from models_db.base import TABLE_OPTIONS, Decimals, LongText, UtcDateTime, key_text, metadata
from models_db.columns import big_id, cost, exact_cost, model_pk, one_of, run_reference

MODES = ("image", "video")


sync_runs = Table(
    "sync_runs",
    metadata,
    Column("run_id", big_id(), primary_key=True, comment="rises with every run"),
    Column("started_at", UtcDateTime, nullable=False, comment="when the run began, by the host's clock"),
    Column("observed_at", UtcDateTime, index=True, comment="when its last answer had arrived, by the host's clock"),
    Column("finished_at", UtcDateTime, comment="when its end was written; NULL while it runs"),
    Column(
        "status",
        key_text(16),
        nullable=False,
        index=True,
        comment="running, success, partial, held, failed, superseded or abandoned",
    ),
    Column("trigger_kind", key_text(16), nullable=False, comment="cli, schedule or import"),
    Column("base_url", LongText, comment="the API asked; NULL for an import"),
    Column("error_type", String(64), comment="kind of the error that ended it, when one did"),
    Column("error_message", LongText, comment="that error in one line, secrets masked"),
    Column("note", LongText, comment="what else a reader should know: an empty first answer, a clock stepped back"),
    Column("app_version", String(64), nullable=False, comment="version of catalog-sync that ran"),
    one_of("status", "running", "success", "partial", "held", "failed", "superseded", "abandoned"),
    one_of("trigger_kind", "cli", "schedule", "import"),
    comment="one row per run",
    sqlite_autoincrement=True,  # a forgotten run's number is never given to another
    **TABLE_OPTIONS,
)

sync_run_modes = Table(
    "sync_run_modes",
    metadata,
    Column("run_id", big_id(), ForeignKey("sync_runs.run_id"), primary_key=True, comment="the run"),
    Column("mode", key_text(16), primary_key=True, comment="image or video"),
    Column(
        "status",
        key_text(16),
        nullable=False,
        comment="success, partial (some models rejected), held (removals held), failed or superseded",
    ),
    Column("http_status", Integer, comment="status of the last answer; NULL when none came, and for an import"),
    Column("attempts", Integer, nullable=False, comment="requests sent"),
    Column("asked_at", UtcDateTime, comment="when the answered request was sent, by the host's clock"),
    Column("previous_success_at", UtcDateTime, comment="stamp of the mode's last success before this run"),
    Column("models_reported", Integer, comment="total, as the answer states it"),
    Column("models_received", Integer, comment="models in the answer"),
    Column("models_rejected", Integer, comment="models that could not be taken; their stored rows stayed"),
    Column("models_added", Integer, comment="models added or relisted"),
    Column("models_changed", Integer, comment="listed models of which any field changed"),
    Column("models_removed", Integer, comment="models marked removed"),
    Column("removals_held", Integer, comment="models that were missing and that the guard kept"),
    Column("payload_bytes", BigInteger, comment="size of the decoded answer"),
    Column("payload_sha256", key_text(64), comment="SHA-256 of the decoded answer, in hex"),
    one_of("mode", *MODES),
    one_of("status", "success", "partial", "held", "failed", "superseded"),
    comment="one row per run and mode asked",
    **TABLE_OPTIONS,
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("mode", key_text(16), primary_key=True, comment="image or video"),
    Column("version", BigInteger, nullable=False, comment="rises by one with every run applied; checked and set"),
    Column("observed_at", UtcDateTime, comment="the mode's last stamp; no later run gets an earlier one"),
    Column("good_asked_at", UtcDateTime, comment="when the mode's last successful run began asking"),
    Column(
        "good_observed_at", UtcDateTime, comment="stamp of the mode's last successful run: its models were seen then"
    ),
    run_reference("run_id", "the run applied last", nullable=True),
    one_of("mode", *MODES),
    comment="one row per mode: where two runs at once meet, and what the last one saw",
    **TABLE_OPTIONS,
)

models = Table(
    "models",
    metadata,
    Column("model_pk", Integer, primary_key=True, comment="our number for the model; it stays when the model goes"),
    Column("mode", key_text(16), nullable=False, comment="image or video"),
    Column("model_id", key_text(255), nullable=False, comment="the API's id; exact to case, accent and blank"),
    Column("name", LongText, comment="name, as last seen"),
    Column("provider", LongText, comment="provider, as last seen"),
    Column("description", LongText, comment="description, as last seen"),
    Column("first_seen_at", UtcDateTime, nullable=False, comment="first time it was in an answer"),
    Column("removed_at", UtcDateTime, comment="when it was found missing; NULL while listed"),
    Column("last_seen_at", UtcDateTime, comment="last good look that still had it; NULL while listed"),
    Column(
        "fingerprint",
        key_text(80),
        comment="normaliser version and SHA-256 of the open version's raw text; NULL while not listed",
    ),
    UniqueConstraint("mode", "model_id"),
    one_of("mode", *MODES),
    comment="every model ever listed, one row per mode and id",
    sqlite_autoincrement=True,
    **TABLE_OPTIONS,
)

credits = Table(
    "credits",
    metadata,
    model_pk(primary_key=True),
    cost("default_cost", "cost in credits, for arithmetic; NULL when the API gives none"),
    exact_cost("default_cost_exact", "cost in credits, the exact decimal the API sent"),
    Column("notes", LongText, comment="the API's note on the cost"),
    comment="what each listed model costs now",
    **TABLE_OPTIONS,
)

params = Table(
    "params",
    metadata,
    model_pk(primary_key=True),
    Column("param_name", key_text(255), primary_key=True, comment="name of the parameter"),
    Column("data_type", LongText, comment="its type, where given"),
    Column("default_value", LongText, comment="its default: strings bare, all else JSON"),
    Column("min_value", LongText, comment="its least value, where given"),
    Column("max_value", LongText, comment="its greatest value, where given"),
    Column("is_required", SmallInteger, comment="1 or 0, where given"),
    Column("definition", LongText, nullable=False, comment="the whole entry as canonical JSON"),
    comment="parameters of each listed model",
    **TABLE_OPTIONS,
)

param_options = Table(
    "param_options",
    metadata,
    model_pk(primary_key=True),
    Column("param_name", key_text(255), primary_key=True, comment="name of the parameter"),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("option_value", LongText, nullable=False, comment="an allowed value: strings bare, all else JSON"),
    ForeignKeyConstraint(["model_pk", "param_name"], ["params.model_pk", "params.param_name"]),
    comment="allowed values of each parameter",
    **TABLE_OPTIONS,
)

inputs = Table(
    "inputs",
    metadata,
    model_pk(primary_key=True),
    Column("requirement", key_text(16), primary_key=True, comment="required or optional"),
    Column("input_name", key_text(255), primary_key=True, comment="name of the input"),
    one_of("requirement", "required", "optional"),
    comment="inputs that each listed model takes",
    **TABLE_OPTIONS,
)

input_rules = Table(
    "input_rules",
    metadata,
    model_pk(primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("rule_kind", LongText, nullable=False, comment="what stands before the colon, such as one_of"),
    Column("rule", LongText, nullable=False, comment="the whole rule, such as one_of:prompt,speech_text"),
    comment="conditional rules between the inputs of each listed model",
    **TABLE_OPTIONS,
)

capabilities = Table(
    "capabilities",
    metadata,
    model_pk(primary_key=True),
    Column("capability", key_text(255), primary_key=True, comment="dotted path; . and \\ inside a key follow a \\"),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="rank in canonical order, from 0"),
    Column("value", LongText, nullable=False, comment="its value: strings bare, all else JSON"),
    comment="capabilities of each listed model",
    **TABLE_OPTIONS,
)


def _interval(name: str, *values: Column[Any], comment: str) -> Table:
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
        CheckConstraint("valid_to > valid_from", name="forward"),
        CheckConstraint("(valid_to IS NULL) = (closed_run_id IS NULL)", name="closed_by_a_run"),
        comment=comment,
        **TABLE_OPTIONS,
    )


model_versions = _interval(
    "model_versions",
    Column("raw", LongText, nullable=False, comment="the model's JSON, exactly as the API sent it"),
    comment="the truth: what the API sent for each model, and from when to when",
)

credit_history = _interval(
    "credit_history",
    cost("default_cost", "cost in credits, for arithmetic; NULL when the API gave none"),
    exact_cost("default_cost_exact", "cost in credits, the exact decimal the API sent"),
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
    exact_cost("old_cost_exact", "cost before, exact"),
    exact_cost("new_cost_exact", "cost after, exact"),
    cost("delta_cost", "new less old cost; for increase, decrease and relisted only"),
    Column(
        "pct_change", Decimals(24, 6), comment="delta in percent of the old cost; NULL from 0 or if it does not fit"
    ),
    Index(None, "is_cost_event", "changed_at"),
    Index(None, "model_pk", "changed_at"),
    one_of("change_kind", "added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed"),
    comment="append-only: one row per changed field",
    sqlite_autoincrement=True,
    **TABLE_OPTIONS,
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True, comment="a UTC day"),
    Column("day_start_at", UtcDateTime, nullable=False, comment="its first moment"),
    Column("day_end_at", UtcDateTime, nullable=False, comment="the first moment after it"),
    comment="every UTC day from the first run to the last",
    **TABLE_OPTIONS,
)

installed_views = Table(
    "installed_views",
    metadata,
    Column("view_name", key_text(64), primary_key=True, comment="name of a view of ours"),
    Column("definition_sha256", key_text(64), nullable=False, comment="SHA-256 of the text it was made from, in hex"),
    comment="which text each view was made from, so that an unchanged one is left alone",
    **TABLE_OPTIONS,
)
