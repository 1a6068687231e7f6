"""The first schema: all tables, and one row in sync_state for each mode."""

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
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}


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
        sa.Column("run_id", _BIG_ID, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("observed_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("status", _key_text(16), nullable=False),
        sa.Column("trigger_kind", _key_text(16), nullable=False),
        sa.Column("base_url", _LONG_TEXT),
        sa.Column("error_type", sa.String(64)),
        sa.Column("error_message", _LONG_TEXT),
        sa.Column("note", _LONG_TEXT),
        sa.Column("app_version", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_sync_runs")),
        sa.CheckConstraint(
            "status IN ('running', 'success', 'partial', 'held', 'failed', 'superseded', 'abandoned')",
            name=op.f("ck_sync_runs_status"),
        ),
        sa.CheckConstraint("trigger_kind IN ('cli', 'schedule', 'import')", name=op.f("ck_sync_runs_trigger_kind")),
        sqlite_autoincrement=True,
    )
    _index("sync_runs", "observed_at")
    _index("sync_runs", "status")


def _create_sync_run_modes() -> None:
    _create(
        "sync_run_modes",
        sa.Column("run_id", _BIG_ID, nullable=False),
        sa.Column("mode", _key_text(16), nullable=False),
        sa.Column("status", _key_text(16), nullable=False),
        sa.Column("http_status", sa.Integer()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("asked_at", _INSTANT),
        sa.Column("previous_success_at", _INSTANT),
        sa.Column("models_reported", sa.Integer()),
        sa.Column("models_received", sa.Integer()),
        sa.Column("models_rejected", sa.Integer()),
        sa.Column("models_added", sa.Integer()),
        sa.Column("models_changed", sa.Integer()),
        sa.Column("models_removed", sa.Integer()),
        sa.Column("removals_held", sa.Integer()),
        sa.Column("payload_bytes", sa.BigInteger()),
        sa.Column("payload_sha256", _key_text(64)),
        sa.PrimaryKeyConstraint("run_id", "mode", name=op.f("pk_sync_run_modes")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.run_id"], name=op.f("fk_sync_run_modes_run_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_sync_run_modes_mode")),
        sa.CheckConstraint(
            "status IN ('success', 'partial', 'held', 'failed', 'superseded')", name=op.f("ck_sync_run_modes_status")
        ),
    )


def _create_sync_state() -> None:
    _create(
        "sync_state",
        sa.Column("mode", _key_text(16), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("observed_at", _INSTANT),
        sa.Column("good_asked_at", _INSTANT),
        sa.Column("good_observed_at", _INSTANT),
        sa.Column("run_id", _BIG_ID),
        sa.PrimaryKeyConstraint("mode", name=op.f("pk_sync_state")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.run_id"], name=op.f("fk_sync_state_run_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_sync_state_mode")),
    )
    _index("sync_state", "run_id")


def _create_models() -> None:
    _create(
        "models",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("mode", _key_text(16), nullable=False),
        sa.Column("model_id", _key_text(255), nullable=False),
        sa.Column("name", _LONG_TEXT),
        sa.Column("provider", _LONG_TEXT),
        sa.Column("description", _LONG_TEXT),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.Column("removed_at", _INSTANT),
        sa.Column("last_seen_at", _INSTANT),
        sa.Column("fingerprint", _key_text(80)),
        sa.PrimaryKeyConstraint("model_pk", name=op.f("pk_models")),
        sa.UniqueConstraint("mode", "model_id", name=op.f("uq_models_mode_model_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_models_mode")),
        sqlite_autoincrement=True,
    )


def _create_credits() -> None:
    _create(
        "credits",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("default_cost", _COST),
        sa.Column("default_cost_exact", sa.String(64)),
        sa.Column("notes", _LONG_TEXT),
        sa.PrimaryKeyConstraint("model_pk", name=op.f("pk_credits")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_credits_model_pk")),
    )


def _create_params() -> None:
    _create(
        "params",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("param_name", _key_text(255), nullable=False),
        sa.Column("data_type", _LONG_TEXT),
        sa.Column("default_value", _LONG_TEXT),
        sa.Column("min_value", _LONG_TEXT),
        sa.Column("max_value", _LONG_TEXT),
        sa.Column("is_required", sa.SmallInteger()),
        sa.Column("definition", _LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("model_pk", "param_name", name=op.f("pk_params")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_params_model_pk")),
    )


def _create_param_options() -> None:
    _create(
        "param_options",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("param_name", _key_text(255), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("option_value", _LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("model_pk", "param_name", "position", name=op.f("pk_param_options")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_param_options_model_pk")),
        sa.ForeignKeyConstraint(
            ["model_pk", "param_name"],
            ["params.model_pk", "params.param_name"],
            name=op.f("fk_param_options_model_pk_param_name"),
        ),
    )


def _create_inputs() -> None:
    _create(
        "inputs",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("requirement", _key_text(16), nullable=False),
        sa.Column("input_name", _key_text(255), nullable=False),
        sa.PrimaryKeyConstraint("model_pk", "requirement", "input_name", name=op.f("pk_inputs")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_inputs_model_pk")),
        sa.CheckConstraint("requirement IN ('required', 'optional')", name=op.f("ck_inputs_requirement")),
    )


def _create_input_rules() -> None:
    _create(
        "input_rules",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rule_kind", _LONG_TEXT, nullable=False),
        sa.Column("rule", _LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("model_pk", "position", name=op.f("pk_input_rules")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_input_rules_model_pk")),
    )


def _create_capabilities() -> None:
    _create(
        "capabilities",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("capability", _key_text(255), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", _LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("model_pk", "capability", "position", name=op.f("pk_capabilities")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_capabilities_model_pk")),
    )


def _create_model_versions() -> None:
    _create(
        "model_versions",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.Column("raw", _LONG_TEXT, nullable=False),
        sa.Column("opened_run_id", _BIG_ID, nullable=False),
        sa.Column("closed_run_id", _BIG_ID),
        sa.Column(
            "open_model_pk", sa.Integer(), sa.Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True)
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
    )
    _index("model_versions", "closed_run_id")
    _index("model_versions", "opened_run_id")
    _index("model_versions", "valid_to")


def _create_credit_history() -> None:
    _create(
        "credit_history",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.Column("default_cost", _COST),
        sa.Column("default_cost_exact", sa.String(64)),
        sa.Column("opened_run_id", _BIG_ID, nullable=False),
        sa.Column("closed_run_id", _BIG_ID),
        sa.Column(
            "open_model_pk", sa.Integer(), sa.Computed("CASE WHEN valid_to IS NULL THEN model_pk END", persisted=True)
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
    )
    _index("credit_history", "closed_run_id")
    _index("credit_history", "opened_run_id")
    _index("credit_history", "valid_to")


def _create_catalog_changes() -> None:
    _create(
        "catalog_changes",
        sa.Column("change_id", _BIG_ID, nullable=False),
        sa.Column("run_id", _BIG_ID, nullable=False),
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("model_name", _LONG_TEXT),
        sa.Column("provider", _LONG_TEXT),
        sa.Column("not_before", _INSTANT),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("entity", _key_text(32), nullable=False),
        sa.Column("field", _LONG_TEXT),
        sa.Column("change_kind", _key_text(16), nullable=False),
        sa.Column("is_cost_event", sa.SmallInteger(), nullable=False),
        sa.Column("old_value", _LONG_TEXT),
        sa.Column("new_value", _LONG_TEXT),
        sa.Column("old_cost", _COST),
        sa.Column("new_cost", _COST),
        sa.Column("old_cost_exact", sa.String(64)),
        sa.Column("new_cost_exact", sa.String(64)),
        sa.Column("delta_cost", _COST),
        sa.Column("pct_change", _PERCENT),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_catalog_changes")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_catalog_changes_model_pk")),
        sa.ForeignKeyConstraint(["run_id"], ["sync_runs.run_id"], name=op.f("fk_catalog_changes_run_id")),
        sa.CheckConstraint(
            "change_kind IN ('added', 'removed', 'relisted', 'increase', 'decrease', 'cost_set', 'cost_unset',"
            " 'changed')",
            name=op.f("ck_catalog_changes_change_kind"),
        ),
        sqlite_autoincrement=True,
    )
    _index("catalog_changes", "changed_at")
    _index("catalog_changes", "is_cost_event", "changed_at")
    _index("catalog_changes", "model_pk", "changed_at")
    _index("catalog_changes", "run_id")


def _create_calendar_days() -> None:
    _create(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_start_at", _INSTANT, nullable=False),
        sa.Column("day_end_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_calendar_days")),
    )


def _create_installed_views() -> None:
    _create(
        "installed_views",
        sa.Column("view_name", _key_text(64), nullable=False),
        sa.Column("definition_sha256", _key_text(64), nullable=False),
        sa.PrimaryKeyConstraint("view_name", name=op.f("pk_installed_views")),
    )
