"""Stamps and guards of runs by mode, rejected models as they were sent, and ignored fields."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}
_APPLIED = ("success", "partial", "held")
_SOURCE_INDEX = "ix_sync_runs_source_catalog_id_source_run_id"
_MICROSECOND = timedelta(microseconds=1)


def _key_text(length: int) -> sa.types.TypeEngine[Any]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rejected_models",
        sa.Column("mode", _key_text(16), nullable=False),
        sa.Column("raw_sha256", _key_text(64), nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.Column("model_id", _key_text(255)),
        sa.Column("raw", _LONG_TEXT),
        sa.Column("reason", _LONG_TEXT, nullable=False),
        sa.Column("not_before", _INSTANT),
        sa.Column("opened_run_id", _BIG_ID, nullable=False),
        sa.Column("closed_run_id", _BIG_ID),
        sa.PrimaryKeyConstraint("mode", "raw_sha256", "valid_from", name=op.f("pk_rejected_models")),
        sa.ForeignKeyConstraint(["opened_run_id"], ["sync_runs.run_id"], name=op.f("fk_rejected_models_opened_run_id")),
        sa.ForeignKeyConstraint(["closed_run_id"], ["sync_runs.run_id"], name=op.f("fk_rejected_models_closed_run_id")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_rejected_models_mode")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_rejected_models_forward")),
        sa.CheckConstraint(
            "(valid_to IS NULL) = (closed_run_id IS NULL)", name=op.f("ck_rejected_models_closed_by_a_run")
        ),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    for name in ("opened_run_id", "closed_run_id", "valid_to"):
        op.create_index(op.f(f"ix_rejected_models_{name}"), "rejected_models", [name], if_not_exists=True)
    op.create_table(
        "ignored_fields",
        sa.Column("path", _key_text(255), nullable=False),
        sa.Column("valid_from", _INSTANT, nullable=False),
        sa.Column("valid_to", _INSTANT),
        sa.Column("reason", _LONG_TEXT, nullable=False),
        sa.Column("added_by", _LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("path", "valid_from", name=op.f("pk_ignored_fields")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_ignored_fields_forward")),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    if_not_exists = _if_supported()
    for column in _run_mode_columns():
        op.add_column("sync_run_modes", column, if_not_exists=if_not_exists)
    op.add_column("sync_state", sa.Column("models_listed", sa.Integer()), if_not_exists=if_not_exists)
    for column in _source_columns():
        op.add_column("sync_runs", column, if_not_exists=if_not_exists)
    names = [column.name for column in _source_columns()]
    op.create_index(op.f(_SOURCE_INDEX), "sync_runs", names, unique=True, if_not_exists=True)
    _fill_runs()
    _fill_listed()


def downgrade() -> None:
    if_exists = _if_supported()
    op.drop_index(op.f(_SOURCE_INDEX), "sync_runs", if_exists=True)
    for column in reversed(_source_columns()):
        op.drop_column("sync_runs", column.name, if_exists=if_exists)
    op.drop_column("sync_state", "models_listed", if_exists=if_exists)
    for column in reversed(_run_mode_columns()):
        op.drop_column("sync_run_modes", column.name, if_exists=if_exists)
    op.drop_table("ignored_fields", if_exists=True)
    op.drop_table("rejected_models", if_exists=True)


def _run_mode_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("stamp", _INSTANT),
        sa.Column("is_good", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hold_reason", _key_text(16)),
        sa.Column("held_ids", _LONG_TEXT),
        sa.Column("models_listed", sa.Integer()),
    ]


def _source_columns() -> list[sa.Column[Any]]:
    return [sa.Column("source_catalog_id", _key_text(36)), sa.Column("source_run_id", _BIG_ID)]


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True


def _fill_runs() -> None:
    """The stamp of each applied mode, whether it was good, and why it was held: removals were the only guard."""
    modes, runs = _modes(), sa.table("sync_runs", *map(sa.column, ("run_id", "status", "observed_at")))
    changes = sa.table("catalog_changes", *map(sa.column, ("run_id", "model_pk", "changed_at")))
    models = sa.table("models", *map(sa.column, ("model_pk", "mode")))
    of_run = runs.c.run_id == modes.c.run_id
    changed_at = (
        sa.select(sa.func.max(changes.c.changed_at))
        .select_from(changes.join(models, models.c.model_pk == changes.c.model_pk))
        .where(changes.c.run_id == modes.c.run_id, models.c.mode == modes.c.mode)
        .correlate(modes)
        .scalar_subquery()
    )
    observed_at = sa.select(runs.c.observed_at).where(of_run).correlate(modes).scalar_subquery()
    # A run is applied whole, so a mode's row of a run that could not be stored does not count.
    is_applied = sa.exists(sa.select(runs.c.run_id).where(of_run, runs.c.status.in_(_APPLIED)).correlate(modes))
    op.execute(
        modes.update()
        .where(modes.c.status.in_(_APPLIED), is_applied)
        .values(
            stamp=sa.func.coalesce(changed_at, observed_at),
            is_good=sa.case((modes.c.status == "success", 1), else_=0),
            hold_reason=sa.case((modes.c.removals_held > 0, "removals")),
        )
    )
    if not op.get_context().as_sql:
        _move_stamps_after_the_ones_before()


def _move_stamps_after_the_ones_before() -> None:
    """Where a clock was set back, a run without changes was stamped just after the run before, not at its time.

    A script for an administrator leaves these at their times, since the rule needs each stamp in turn.
    """
    modes, connection = _modes(), op.get_bind()
    query = sa.select(modes.c.run_id, modes.c.mode, modes.c.stamp).where(modes.c.stamp.is_not(None))
    last: dict[str, datetime] = {}
    for run_id, mode, stamp in connection.execute(query.order_by(modes.c.run_id)).all():
        moved = max(stamp, last[mode] + _MICROSECOND) if mode in last else stamp
        last[mode] = moved
        if moved != stamp:
            of_row = (modes.c.run_id == run_id, modes.c.mode == mode)
            connection.execute(modes.update().where(*of_row).values(stamp=moved))


def _modes() -> sa.TableClause:
    names = ("run_id", "mode", "status", "removals_held", "is_good", "hold_reason")
    return sa.table("sync_run_modes", *map(sa.column, names), sa.column("stamp", _INSTANT))


def _fill_listed() -> None:
    state = sa.table("sync_state", *map(sa.column, ("mode", "version", "models_listed")))
    models = sa.table("models", *map(sa.column, ("mode", "removed_at")))
    listed = (
        sa.select(sa.func.count())
        .select_from(models)
        .where(models.c.mode == state.c.mode, models.c.removed_at.is_(None))
        .correlate(state)
        .scalar_subquery()
    )
    op.execute(state.update().where(state.c.version > 0).values(models_listed=listed))
