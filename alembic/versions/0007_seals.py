"""The seals of runs, and the state of their hash tree."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}


def _key_text(length: int) -> sa.types.TypeEngine[Any]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "seals",
        sa.Column("seal_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", _key_text(16), nullable=False),
        sa.Column("leaf_hash", _key_text(64), nullable=False),
        sa.Column("tree_root", _key_text(64), nullable=False),
        sa.PrimaryKeyConstraint("seal_no", name=op.f("pk_seals")),
        sa.CheckConstraint("kind IN ('changed', 'unchanged', 'genesis')", name=op.f("ck_seals_kind")),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    for table, column in _columns():
        op.add_column(table, column, if_not_exists=_if_supported())


def downgrade() -> None:
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name, if_exists=_if_supported())
    op.drop_table("seals", if_exists=True)


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("sync_run_modes", sa.Column("listed_root", _key_text(64))),
        ("sync_state", sa.Column("listed_root", _key_text(64))),
        ("catalog_identity", sa.Column("tree_size", sa.BigInteger(), nullable=False, server_default=sa.text("0"))),
        ("catalog_identity", sa.Column("frontier", _LONG_TEXT)),
    ]


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True
