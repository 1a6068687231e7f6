"""The runs and their results, the state of each mode, and tables that other queries need."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    text,
)

from models_db.tables.column_types import LongText, UtcDateTime, key_text
from models_db.tables.columns import MODES, allowed_values, big_id, run_id_column
from models_db.tables.metadata import IDS_NOT_REUSED, metadata

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("run_id", big_id(), primary_key=True, comment="number of the run; increases with every run"),
    Column("started_at", UtcDateTime, nullable=False, comment="when the run started, by the host's clock"),
    Column("observed_at", UtcDateTime, index=True, comment="when the last response had arrived, by the host's clock"),
    Column("finished_at", UtcDateTime, comment="when the result of the run was stored; NULL while it is running"),
    Column(
        "status",
        key_text(16),
        nullable=False,
        index=True,
        comment="running, success, partial, held, failed, superseded or abandoned",
    ),
    Column("trigger_kind", key_text(16), nullable=False, comment="cli, schedule or import"),
    Column("base_url", LongText, comment="base URL of the API; NULL for an import"),
    Column("error_type", String(64), comment="kind of the error that ended the run; NULL if there was none"),
    Column("error_message", LongText, comment="that error in one line, secrets masked"),
    Column("note", LongText, comment="remarks, such as an empty first response or a clock that was set back"),
    Column("app_version", String(64), nullable=False, comment="version of catalog-sync"),
    Column(
        "event_rules",
        SmallInteger,
        nullable=False,
        server_default=text("1"),
        comment="rules by which the run made its rows of catalog_changes: 1 in version 0.1, later 2",
    ),
    Column("host", String(255), comment="name of the host that ran it; NULL if an older version did"),
    Column(
        "key_fingerprint",
        String(12),
        comment="first 12 hex digits of the SHA-256 of the API key's public part, the part before the dot",
    ),
    Column("accepted", LongText, comment="what a person accepted in this run, and who and why, as JSON"),
    Column("source_catalog_id", key_text(36), comment="catalog that the run was exported from; NULL if it ran here"),
    Column("source_run_id", big_id(), comment="number of the run in that catalog"),
    Column(
        "tick",
        key_text(64),
        comment="scheduled time and modes that this run alone claims, such as 2026-03-01T12:15:00Z image,video; NULL if"
        " it was not scheduled",
    ),
    Index(None, "source_catalog_id", "source_run_id", unique=True),
    # Each of the databases takes any number of NULLs here.
    Index(None, "tick", unique=True),
    allowed_values("status", "running", "success", "partial", "held", "failed", "superseded", "abandoned"),
    allowed_values("trigger_kind", "cli", "schedule", "import"),
    comment="one row per run",
    info=IDS_NOT_REUSED,  # a pruned run's number is not given to another run
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
        comment="success, partial (models rejected), held (a guard held something back), failed or superseded",
    ),
    Column(
        "http_status", Integer, comment="HTTP status of the last response; NULL if there was none, and for an import"
    ),
    Column("attempts", Integer, nullable=False, comment="number of requests sent"),
    Column("asked_at", UtcDateTime, comment="when the request that got the response was sent, by the host's clock"),
    Column("previous_success_at", UtcDateTime, comment="time of the mode's last successful sync before this run"),
    Column("models_reported", Integer, comment="total number of models, as the response states it"),
    Column("models_received", Integer, comment="number of models in the response"),
    Column("models_rejected", Integer, comment="number of models that were rejected; their stored rows did not change"),
    Column("models_added", Integer, comment="number of models added or relisted"),
    Column("models_changed", Integer, comment="number of listed models with a changed field"),
    Column("models_removed", Integer, comment="number of models marked removed"),
    Column("removals_held", Integer, comment="number of missing models whose removal was held back"),
    Column("payload_bytes", BigInteger, comment="size of the decoded response in bytes"),
    Column("payload_sha256", key_text(64), comment="SHA-256 of the decoded response, in hex"),
    Column(
        "response_age",
        Integer,
        comment="seconds that the response had been in a cache, from its Age header; NULL if it had none",
    ),
    Column("stamp", UtcDateTime, comment="time of the mode's rows of this run; NULL if nothing was applied"),
    Column(
        "is_good",
        SmallInteger,
        nullable=False,
        server_default=text("0"),
        comment="1 if the response was applied whole, but for rejected models with a readable id; else 0",
    ),
    Column(
        "hold_reason",
        key_text(16),
        comment="removals (missing models stay listed), costs or other_catalog (nothing was applied); else NULL",
    ),
    Column(
        "held_ids",
        LongText,
        comment="ids of the models for which it is held back, as a JSON list: missing ones, or those whose cost moved;"
        " NULL if none is",
    ),
    Column("models_listed", Integer, comment="number of models listed after the run"),
    Column("listed_root", key_text(64), comment="root of the hash tree over the models listed after the run, in hex"),
    allowed_values("mode", *MODES),
    allowed_values("status", "success", "partial", "held", "failed", "superseded"),
    comment="one row per run and requested mode",
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("mode", key_text(16), primary_key=True, comment="image or video"),
    Column(
        "version",
        BigInteger,
        nullable=False,
        comment="increases by one with every applied run, which checks it and sets it",
    ),
    Column(
        "observed_at", UtcDateTime, comment="time of the mode's last applied run; no later run gets an earlier time"
    ),
    Column(
        "good_asked_at",
        UtcDateTime,
        comment="when the mode's last successful sync sent its request, less the age of the response; a copy from a"
        " cache that is older than that does not lower it",
    ),
    Column(
        "good_observed_at",
        UtcDateTime,
        comment="time of the mode's last successful sync, when its listed models were observed",
    ),
    run_id_column("run_id", "last applied run", nullable=True),
    Column("base_url", LongText, comment="base URL of the API in the mode's last applied sync; imports leave it"),
    Column("models_listed", Integer, comment="number of models listed after the mode's last applied run"),
    Column("listed_root", key_text(64), comment="root of the hash tree over these models, in hex"),
    allowed_values("mode", *MODES),
    comment="state of each mode after the last applied run; of two runs at once only one can set it",
)

catalog_identity = Table(
    "catalog_identity",
    metadata,
    Column("catalog_id", key_text(36), primary_key=True, comment="random UUID of this catalog"),
    Column("created_at", UtcDateTime, nullable=False, comment="when the migration made this row"),
    Column("created_by_version", String(64), nullable=False, comment="version of catalog-sync that made it"),
    Column("tree_size", BigInteger, nullable=False, server_default=text("0"), comment="number of seals"),
    Column(
        "frontier",
        LongText,
        comment="roots in hex of the complete parts of the tree of the seals, from which it grows; NULL without seals",
    ),
    comment="one row: the identity of the catalog in this database",
)

calendar_days = Table(
    "calendar_days",
    metadata,
    Column("day", Date, primary_key=True, comment="UTC day"),
    Column("day_start_at", UtcDateTime, nullable=False, index=True, comment="start of the day (inclusive)"),
    Column("day_end_at", UtcDateTime, nullable=False, index=True, comment="end of the day (exclusive)"),
    Column("month", key_text(7), comment="month of the day, such as 2026-03"),
    Column("is_month_end", SmallInteger, comment="1 for the last day of a month, else 0"),
    comment="every UTC day, from the first run to the last",
)

watch_days = Table(
    "watch_days",
    metadata,
    Column("mode", key_text(16), primary_key=True, comment="image or video"),
    Column("day", Date, primary_key=True, comment="UTC day"),
    Column("successful_syncs", Integer, nullable=False, comment="number of successful syncs of the mode on that day"),
    Column("first_success_at", UtcDateTime, nullable=False, comment="time of the first one"),
    Column("last_success_at", UtcDateTime, nullable=False, comment="time of the last one"),
    Column(
        "longest_gap_seconds",
        Integer,
        comment="longest time, in whole seconds, between one of them and the successful sync before it, which may be"
        " of an earlier day; NULL if there is none before",
    ),
    allowed_values("mode", *MODES),
    comment="days on which a mode was synced successfully; prune leaves them",
)

installed_views = Table(
    "installed_views",
    metadata,
    Column("view_name", key_text(64), primary_key=True, comment="name of an installed view"),
    Column(
        "definition_sha256",
        key_text(64),
        nullable=False,
        comment="SHA-256 of the text that the view was installed from, in hex",
    ),
    comment="text that each view was installed from, so that an unchanged view is not replaced",
)
