"""Runs, what each came to, and the bookkeeping beside them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
)

from models_db.tables.column_types import LongText, UtcDateTime, key_text
from models_db.tables.columns import MODES, big_id, one_of, run_reference
from models_db.tables.metadata import IDS_NOT_REUSED, metadata

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
    info=IDS_NOT_REUSED,  # a forgotten run's number is never given to another
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
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True, comment="a UTC day"),
    Column("day_start_at", UtcDateTime, nullable=False, index=True, comment="its first moment"),
    Column("day_end_at", UtcDateTime, nullable=False, index=True, comment="the first moment after it"),
    comment="every UTC day from the first run to the last",
)

installed_views = Table(
    "installed_views",
    metadata,
    Column("view_name", key_text(64), primary_key=True, comment="name of a view of ours"),
    Column("definition_sha256", key_text(64), nullable=False, comment="SHA-256 of the text it was made from, in hex"),
    comment="which text each view was made from, so that an unchanged one is left alone",
)
