"""Prices beside the cost, and the rules by which each run made its events: 1 for the runs stored so far."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_KEY_TEXT = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}


def upgrade() -> None:
    op.create_table(
        "credit_details",
        sa.Column("model_pk", sa.Integer(), nullable=False),
        sa.Column("path", _KEY_TEXT, nullable=False),
        sa.Column("value", _LONG_TEXT, nullable=False),
        sa.Column("value_number", sa.Numeric(24, 12)),
        sa.PrimaryKeyConstraint("model_pk", "path", name=op.f("pk_credit_details")),
        sa.ForeignKeyConstraint(["model_pk"], ["models.model_pk"], name=op.f("fk_credit_details_model_pk")),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    rules = sa.Column("event_rules", sa.SmallInteger(), server_default=sa.text("1"), nullable=False)
    op.add_column("sync_runs", rules, if_not_exists=_if_supported())


def downgrade() -> None:
    op.drop_column("sync_runs", "event_rules", if_exists=_if_supported())
    op.drop_table("credit_details", if_exists=True)


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True
