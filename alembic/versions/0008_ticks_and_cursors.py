"""The tick that a run claims, and how far each destination of ``notify`` has been sent to."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}
_TICK_INDEX = "ix_sync_runs_tick"


def _key_text(length: int) -> sa.types.TypeEngine[Any]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "notify_cursors",
        sa.Column("destination", _key_text(255), nullable=False),
        sa.Column("last_seal_no", sa.BigInteger()),
        sa.Column("last_run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("sent_events", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("claimed_until", _INSTANT),
        sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("next_try_at", _INSTANT),
        sa.Column("last_error", _LONG_TEXT),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("destination", name=op.f("pk_notify_cursors")),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    op.add_column("sync_runs", sa.Column("tick", _key_text(64)), if_not_exists=_if_supported())
    op.create_index(op.f(_TICK_INDEX), "sync_runs", ["tick"], unique=True, if_not_exists=True)


def downgrade() -> None:
    op.drop_index(op.f(_TICK_INDEX), "sync_runs", if_exists=True)
    op.drop_column("sync_runs", "tick", if_exists=_if_supported())
    op.drop_table("notify_cursors", if_exists=True)


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True
