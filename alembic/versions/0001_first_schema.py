"""The first schema: every table, and a row of state for each mode."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_COST = sa.Numeric(24, 12)
_PERCENT = sa.Numeric(24, 6)
_ON_MARIADB = {
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_nopad_bin",
    "mariadb_engine": "InnoDB",
}


def upgrade() -> None:
    _create_sync_runs()
    _create_sync_run_modes()
    _create_sync_state()
    _create_models()
    _create_credits()
    _create_params()
    _create_param_options()
    _create_inputs()
    _create_input_rules()
    _create_capabilities()
    _create_model_versions()
    _create_credit_history()
    _create_catalog_changes()
    _create_calendar_days()
    _create_installed_views()
    op.execute(
        "INSERT INTO sync_state (mode, version) "
        "SELECT seed.mode, 0 FROM (SELECT 'image' AS mode UNION ALL SELECT 'video') AS seed "
        "WHERE NOT EXISTS (SELECT 1 FROM sync_state AS present WHERE present.mode = seed.mode)"
    )


def downgrade() -> None:
    for table in (
        "installed_views",
        "calendar_days",
        "catalog_changes",
        "credit_history",
        "model_versions",
        "capabilities",
        "input_rules",
        "inputs",
        "param_options",
        "params",
        "credits",
        "models",
        "sync_state",
        "sync_run_modes",
        "sync_runs",
    ):
        op.drop_table(table, if_exists=True)


def _key_text(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _create(name: str, *items: sa.schema.SchemaItem, **options: Any) -> None:
    op.create_table(name, *items, if_not_exists=True, **_ON_MARIADB, **options)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), if_not_exists=True)


def _create_sync_runs() -> None:
    _create(
        "sync_runs",
        sa.Column("run_id", _BIG_ID, nullable=False, comment="rises with every run"),
        sa.Column("started_at", _INSTANT, nullable=False, comment="when the run began, by the host's clock"),
        sa.Column("observed_at", _INSTANT, comment="when its last answer had arrived, by the host's clock"),
        sa.Column("finished_at", _INSTANT, comment="when its end was written; NULL while it runs"),
        sa.Column(
            "status",
            _key_text(16),
            nullable=False,
            comment="running, success, partial, held, failed, superseded or abandoned",
        ),
        sa.Column("trigger_kind", _key_text(16), nullable=False, comment="cli, schedule or import"),
        sa.Column("base_url", _LONG_TEXT, comment="the API asked; NULL for an import"),
        sa.Column("error_type", sa.String(64), comment="kind of the error that ended it, when one did"),
        sa.Column("error_message", _LONG_TEXT, comment="that error in one line, secrets masked"),
        sa.Column(
            "note", _LONG_TEXT, comment="what else a reader should know: an empty first answer, a clock stepped back"
        ),
        sa.Column("app_version", sa.String(64), nullable=False, comment="version of catalog-sync that ran"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_sync_runs")),
        sa.CheckConstraint(
            "status IN ('running', 'success', 'partial', 'held', 'failed', 'superseded', 'abandoned')",
            name=op.f("ck_sync_runs_status"),
        ),
        sa.CheckConstraint("trigger_kind IN ('cli', 'schedule', 'import')", name=op.f("ck_sync_runs_trigger_kind")),
        comment="one row per run",
        sqlite_autoincrement=True,
    )
    _index("sync_runs", "observed_at")
    _index("sync_runs", "status")


def _create_sync_run_modes() -> None:
    _create(
        "sync_run_modes",
        sa.Column("run_id", _BIG_ID, nullable=False, comment="the run"),
        sa.Column("mode", _key_text(16), nullable=False, comment="image or video"),
        sa.Column(
            "status",
            _key_text(16),
            nullable=False,
            comment="success, partial (some models rejected), held (removals held), failed or superseded",
        ),
        sa.Column(
            "http_status", sa.Integer(), comment="status of the last answer; NULL when none came, and for an import"
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="requests sent"),
        sa.Column("asked_at", _INSTANT, comment="when the answered request was sent, by the host's clock"),
        sa.Column("previous_success_at", _INSTANT, comment="stamp of the mode's last success before this run"),
        sa.Column("models_reported", sa.Integer(), comment="total, as the answer states it"),
        sa.Column("models_received", sa.Integer(), comment="models in the answer"),
        sa.Column("models_rejected", sa.Integer(), comment="models that could not be taken; their stored rows stayed"),
        sa.Column("models_added", sa.Integer(), comment="models added or relisted"),
        sa.Column("models_changed", sa.Integer(), comment="listed models of which any field changed"),
        sa.Column("models_removed", sa.Integer(), comment="models marked removed"),
        sa.Column("removals_held", sa.Integer(), comment="models that were missing and that the guard kept"),
        sa.Column("payload_bytes", sa.BigInteger(), comment="size of the decoded answer"),
        sa.Column("payload_sha256", _key_text(64), comment="SHA-256 of the decoded answer, in hex"),
        sa.PrimaryKeyConstraint("run_id", "mode", name=op.f("pk_sync_run_modes")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.run_id"], name=op.f("fk_sync_run_modes_run_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_sync_run_modes_mode")),
        sa.CheckConstraint(
            "status IN ('success', 'partial', 'held', 'failed', 'superseded')", name=op.f("ck_sync_run_modes_status")
        ),
        comment="one row per run and mode asked",
    )


def _create_sync_state() -> None:
    _create(
        "sync_state",
        sa.Column("mode", _key_text(16), nullable=False, comment="image or video"),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, comment="rises by one with every run applied; checked and set"
        ),
        sa.Column("observed_at", _INSTANT, comment="the mode's last stamp; no later run gets an earlier one"),
        sa.Column("good_asked_at", _INSTANT, comment="when the mode's last successful run began asking"),
        sa.Column(
            "good_observed_at", _INSTANT, comment="stamp of the mode's last successful run: its models were seen then"
        ),
        sa.Column("run_id", _BIG_ID, comment="the run applied last"),
        sa.PrimaryKeyConstraint("mode", name=op.f("pk_sync_state")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.run_id"], name=op.f("fk_sync_state_run_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_sync_state_mode")),
        comment="one row per mode: where two runs at once meet, and what the last one saw",
    )
    _index("sync_state", "run_id")


def _create_models() -> None:
    _create(
        "models",
        sa.Column(
            "model_pk", sa.Integer(), nullable=False, comment="our number for the model; it stays when the model goes"
        ),
        sa.Column("mode", _key_text(16), nullable=False, comment="image or video"),
        sa.Column("model_id", _key_text(255), nullable=False, comment="the API's id; exact to case, accent and blank"),
        sa.Column("name", _LONG_TEXT, comment="name, as last seen"),
        sa.Column("provider", _LONG_TEXT, comment="provider, as last seen"),
        sa.Column("description", _LONG_TEXT, comment="description, as last seen"),
        sa.Column("first_seen_at", _INSTANT, nullable=False, comment="first time it was in an answer"),
        sa.Column("removed_at", _INSTANT, comment="when it was found missing; NULL while listed"),
        sa.Column("last_seen_at", _INSTANT, comment="last good look that still had it; NULL while listed"),
        sa.Column(
            "fingerprint",
            _key_text(80),
            comment="normaliser version and SHA-256 of the open version's raw text; NULL while not listed",
        ),
        sa.PrimaryKeyConstraint("model_pk", name=op.f("pk_models")),
        sa.UniqueConstraint("mode", "model_id", name=op.f("uq_models_mode_model_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_models_mode")),
        comment="every model ever listed, one row per mode and id",
        sqlite_autoincrement=True,
    )


def _create_credits() -> None:
    _create(
        "credits",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("default_cost", _COST, comment="cost in credits, for arithmetic; NULL when the API gives none"),
        sa.Column("default_cost_exact", sa.String(64), comment="cost in credits, the exact decimal the API sent"),
        sa.Column("notes", _LONG_TEXT, comment="the API's note on the cost"),
        sa.PrimaryKeyConstraint("model_pk", name=op.f("pk_credits")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_credits_model_pk")),
        comment="what each listed model costs now",
    )


def _create_params() -> None:
    _create(
        "params",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("param_name", _key_text(255), nullable=False, comment="name of the parameter"),
        sa.Column("data_type", _LONG_TEXT, comment="its type, where given"),
        sa.Column("default_value", _LONG_TEXT, comment="its default: strings bare, all else JSON"),
        sa.Column("min_value", _LONG_TEXT, comment="its least value, where given"),
        sa.Column("max_value", _LONG_TEXT, comment="its greatest value, where given"),
        sa.Column("is_required", sa.SmallInteger(), comment="1 or 0, where given"),
        sa.Column("definition", _LONG_TEXT, nullable=False, comment="the whole entry as canonical JSON"),
        sa.PrimaryKeyConstraint("model_pk", "param_name", name=op.f("pk_params")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_params_model_pk")),
        comment="parameters of each listed model",
    )


def _create_param_options() -> None:
    _create(
        "param_options",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("param_name", _key_text(255), nullable=False, comment="name of the parameter"),
        sa.Column(
            "position", sa.Integer(), autoincrement=False, nullable=False, comment="rank in canonical order, from 0"
        ),
        sa.Column("option_value", _LONG_TEXT, nullable=False, comment="an allowed value: strings bare, all else JSON"),
        sa.PrimaryKeyConstraint("model_pk", "param_name", "position", name=op.f("pk_param_options")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_param_options_model_pk")),
        sa.ForeignKeyConstraint(
            ["model_pk", "param_name"],
            ["params.model_pk", "params.param_name"],
            name=op.f("fk_param_options_model_pk_param_name"),
        ),
        comment="allowed values of each parameter",
    )


def _create_inputs() -> None:
    _create(
        "inputs",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("requirement", _key_text(16), nullable=False, comment="required or optional"),
        sa.Column("input_name", _key_text(255), nullable=False, comment="name of the input"),
        sa.PrimaryKeyConstraint("model_pk", "requirement", "input_name", name=op.f("pk_inputs")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_inputs_model_pk")),
        sa.CheckConstraint("requirement IN ('required', 'optional')", name=op.f("ck_inputs_requirement")),
        comment="inputs that each listed model takes",
    )


def _create_input_rules() -> None:
    _create(
        "input_rules",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column(
            "position", sa.Integer(), autoincrement=False, nullable=False, comment="rank in canonical order, from 0"
        ),
        sa.Column("rule_kind", _LONG_TEXT, nullable=False, comment="what stands before the colon, such as one_of"),
        sa.Column("rule", _LONG_TEXT, nullable=False, comment="the whole rule, such as one_of:prompt,speech_text"),
        sa.PrimaryKeyConstraint("model_pk", "position", name=op.f("pk_input_rules")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_input_rules_model_pk")),
        comment="conditional rules between the inputs of each listed model",
    )


def _create_capabilities() -> None:
    _create(
        "capabilities",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column(
            "capability", _key_text(255), nullable=False, comment="dotted path; . and \\ inside a key follow a \\"
        ),
        sa.Column(
            "position", sa.Integer(), autoincrement=False, nullable=False, comment="rank in canonical order, from 0"
        ),
        sa.Column("value", _LONG_TEXT, nullable=False, comment="its value: strings bare, all else JSON"),
        sa.PrimaryKeyConstraint("model_pk", "capability", "position", name=op.f("pk_capabilities")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_capabilities_model_pk")),
        comment="capabilities of each listed model",
    )


def _create_model_versions() -> None:
    _create(
        "model_versions",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("valid_from", _INSTANT, nullable=False, comment="first moment at which it was so"),
        sa.Column("valid_to", _INSTANT, comment="first moment at which it no longer was; NULL = still so"),
        sa.Column("raw", _LONG_TEXT, nullable=False, comment="the model's JSON, exactly as the API sent it"),
        sa.Column("opened_run_id", _BIG_ID, nullable=False, comment="the run that saw it begin"),
        sa.Column("closed_run_id", _BIG_ID, comment="the run that saw it end"),
        sa.Column(
            "open_model_pk",
            sa.Integer(),
            sa.Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True),
            comment="the model while the interval is open, else NULL; made by the database",
        ),
        sa.PrimaryKeyConstraint("model_pk", "valid_from", name=op.f("pk_model_versions")),
        sa.ForeignKeyConstraint(["closed_run_id"], ["sync_runs.run_id"], name=op.f("fk_model_versions_closed_run_id")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_model_versions_model_pk")),
        sa.ForeignKeyConstraint(["opened_run_id"], ["sync_runs.run_id"], name=op.f("fk_model_versions_opened_run_id")),
        sa.UniqueConstraint("open_model_pk", name=op.f("uq_model_versions_open_model_pk")),
        sa.CheckConstraint(
            "(valid_to IS NULL) = (closed_run_id IS NULL)", name=op.f("ck_model_versions_closed_by_a_run")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_model_versions_forward")),
        comment="the truth: what the API sent for each model, and from when to when",
    )
    _index("model_versions", "closed_run_id")
    _index("model_versions", "opened_run_id")
    _index("model_versions", "valid_to")


def _create_credit_history() -> None:
    _create(
        "credit_history",
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("valid_from", _INSTANT, nullable=False, comment="first moment at which it was so"),
        sa.Column("valid_to", _INSTANT, comment="first moment at which it no longer was; NULL = still so"),
        sa.Column("default_cost", _COST, comment="cost in credits, for arithmetic; NULL when the API gave none"),
        sa.Column("default_cost_exact", sa.String(64), comment="cost in credits, the exact decimal the API sent"),
        sa.Column("opened_run_id", _BIG_ID, nullable=False, comment="the run that saw it begin"),
        sa.Column("closed_run_id", _BIG_ID, comment="the run that saw it end"),
        sa.Column(
            "open_model_pk",
            sa.Integer(),
            sa.Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True),
            comment="the model while the interval is open, else NULL; made by the database",
        ),
        sa.PrimaryKeyConstraint("model_pk", "valid_from", name=op.f("pk_credit_history")),
        sa.ForeignKeyConstraint(["closed_run_id"], ["sync_runs.run_id"], name=op.f("fk_credit_history_closed_run_id")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_credit_history_model_pk")),
        sa.ForeignKeyConstraint(["opened_run_id"], ["sync_runs.run_id"], name=op.f("fk_credit_history_opened_run_id")),
        sa.UniqueConstraint("open_model_pk", name=op.f("uq_credit_history_open_model_pk")),
        sa.CheckConstraint(
            "(valid_to IS NULL) = (closed_run_id IS NULL)", name=op.f("ck_credit_history_closed_by_a_run")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_credit_history_forward")),
        comment="what each model cost, and from when to when; a gap while it was not listed",
    )
    _index("credit_history", "closed_run_id")
    _index("credit_history", "opened_run_id")
    _index("credit_history", "valid_to")


def _create_catalog_changes() -> None:
    _create(
        "catalog_changes",
        sa.Column("change_id", _BIG_ID, nullable=False, comment="rises with every change recorded"),
        sa.Column("run_id", _BIG_ID, nullable=False, comment="the run that saw it"),
        sa.Column("model_pk", sa.Integer(), nullable=False, comment="the model"),
        sa.Column("model_name", _LONG_TEXT, comment="the model's name after the change; before it for removed"),
        sa.Column("provider", _LONG_TEXT, comment="the model's provider after the change; before it for removed"),
        sa.Column("not_before", _INSTANT, comment="it happened after this: when the last good look before it began"),
        sa.Column("changed_at", _INSTANT, nullable=False, comment="it happened before this: when it was seen"),
        sa.Column(
            "entity",
            _key_text(32),
            nullable=False,
            comment="models, credits, params, inputs, input_rules, capabilities or raw_available_params",
        ),
        sa.Column("field", _LONG_TEXT, comment="dotted path inside the entity; NULL for the entity as a whole"),
        sa.Column(
            "change_kind",
            _key_text(16),
            nullable=False,
            comment="added, removed, relisted; increase, decrease, cost_set, cost_unset; changed",
        ),
        sa.Column("is_cost_event", sa.SmallInteger(), nullable=False, comment="0 for changed, 1 for every other kind"),
        sa.Column("old_value", _LONG_TEXT, comment="value before, as JSON; NULL when there was none"),
        sa.Column("new_value", _LONG_TEXT, comment="value after, as JSON; NULL when there is none"),
        sa.Column("old_cost", _COST, comment="cost before, for arithmetic"),
        sa.Column("new_cost", _COST, comment="cost after, for arithmetic"),
        sa.Column("old_cost_exact", sa.String(64), comment="cost before, exact"),
        sa.Column("new_cost_exact", sa.String(64), comment="cost after, exact"),
        sa.Column("delta_cost", _COST, comment="new less old cost; for increase, decrease and relisted only"),
        sa.Column(
            "pct_change", _PERCENT, comment="delta in percent of the old cost; NULL from 0 or if it does not fit"
        ),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_catalog_changes")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_catalog_changes_model_pk")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.run_id"], name=op.f("fk_catalog_changes_run_id")),
        sa.CheckConstraint(
            "change_kind IN ('added', 'removed', 'relisted', 'increase', 'decrease', 'cost_set', 'cost_unset',"
            " 'changed')",
            name=op.f("ck_catalog_changes_change_kind"),
        ),
        comment="append-only: one row per changed field",
        sqlite_autoincrement=True,
    )
    _index("catalog_changes", "changed_at")
    _index("catalog_changes", "is_cost_event", "changed_at")
    _index("catalog_changes", "model_pk", "changed_at")
    _index("catalog_changes", "run_id")


def _create_calendar_days() -> None:
    _create(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False, comment="a UTC day"),
        sa.Column("day_start_at", _INSTANT, nullable=False, comment="its first moment"),
        sa.Column("day_end_at", _INSTANT, nullable=False, comment="the first moment after it"),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
        comment="every UTC day from the first run to the last",
    )


def _create_installed_views() -> None:
    _create(
        "installed_views",
        sa.Column("view_name", _key_text(64), nullable=False, comment="name of a view of ours"),
        sa.Column(
            "definition_sha256", _key_text(64), nullable=False, comment="SHA-256 of the text it was made from, in hex"
        ),
        sa.PrimaryKeyConstraint("view_name", name=op.f("pk_installed_views")),
        comment="which text each view was made from, so that an unchanged one is left alone",
    )
