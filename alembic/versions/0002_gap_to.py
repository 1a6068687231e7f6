"""The end of each gap in a model's listing, and indexes on days: the daily view reads only the days of an interval."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
# Bound as _INSTANT, so that SQLite stores the same text for it as a sync does.
_OPEN_GAP_END = datetime(9999, 12, 31, tzinfo=UTC)


def upgrade() -> None:
    column = sa.Column("gap_to", _INSTANT)
    op.add_column("credit_history", column, if_not_exists=_if_supported())
    _fill()
    for name in ("day_start_at", "day_end_at"):
        op.create_index(op.f(f"ix_calendar_days_{name}"), "calendar_days", [name], if_not_exists=True)


def downgrade() -> None:
    for name in ("day_end_at", "day_start_at"):
        op.drop_index(op.f(f"ix_calendar_days_{name}"), "calendar_days", if_exists=True)
    op.drop_column("credit_history", "gap_to", if_exists=_if_supported())


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True


def _fill() -> None:
    """A gap follows an interval if the model's next interval starts later than this one ends."""
    history = sa.table(
        "credit_history",
        *(sa.column(name) for name in ("model_pk", "valid_from", "valid_to")),
        sa.column("gap_to", _INSTANT),
    )
    later = history.alias("later")
    of_model = later.c.model_pk == history.c.model_pk
    continues = sa.select(later.c.model_pk).where(of_model, later.c.valid_from == history.c.valid_to).exists()
    relisted_at = sa.select(sa.func.min(later.c.valid_from)).where(of_model, later.c.valid_from > history.c.valid_to)
    # Without its zone for MariaDB, which refuses a zone in a literal of a script.
    is_postgresql = op.get_context().dialect.name == "postgresql"
    open_end = _OPEN_GAP_END if is_postgresql else _OPEN_GAP_END.replace(tzinfo=None)
    gap_to = sa.func.coalesce(relisted_at.scalar_subquery(), sa.literal(open_end, _INSTANT))
    op.execute(history.update().where(history.c.valid_to.is_not(None), ~continues).values(gap_to=gap_to))
