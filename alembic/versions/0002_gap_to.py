"""When a gap in a model's listing ends, and indexes on days: the daily view takes each interval's days and no others.

It imports nothing of ours: what it did must not change when the code does.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
# As a time of its own type: SQLite keeps the same text for it as for the job's own times.
_NOT_BACK = datetime(9999, 12, 31, tzinfo=UTC)


def upgrade() -> None:
    column = sa.Column(
        "gap_to",
        _INSTANT,
        comment="until when the model was away, if it was removed at valid_to: 9999-12-31 while it is not back;"
        " NULL where no gap follows",
    )
    op.add_column("credit_history", column, if_not_exists=_looks_first())
    _fill()
    for name in ("day_start_at", "day_end_at"):
        op.create_index(op.f(f"ix_calendar_days_{name}"), "calendar_days", [name], if_not_exists=True)


def downgrade() -> None:
    for name in ("day_end_at", "day_start_at"):
        op.drop_index(op.f(f"ix_calendar_days_{name}"), "calendar_days", if_exists=True)
    op.drop_column("credit_history", "gap_to", if_exists=_looks_first())


def _looks_first() -> bool | None:
    """SQLite knows no IF EXISTS here, and needs none: what failed there half-way was rolled back."""
    return None if op.get_context().dialect.name == "sqlite" else True


def _fill() -> None:
    """A model was away where its next interval begins later than this one ends."""
    history = sa.table(
        "credit_history",
        *(sa.column(name) for name in ("model_pk", "valid_from", "valid_to")),
        sa.column("gap_to", _INSTANT),
    )
    then = history.alias("then")
    of_model = then.c.model_pk == history.c.model_pk
    goes_on = sa.select(then.c.model_pk).where(of_model, then.c.valid_from == history.c.valid_to).exists()
    back = sa.select(sa.func.min(then.c.valid_from)).where(of_model, then.c.valid_from > history.c.valid_to)
    gap_to = sa.func.coalesce(back.scalar_subquery(), sa.literal(_NOT_BACK, _INSTANT))
    op.execute(history.update().where(history.c.valid_to.is_not(None), ~goes_on).values(gap_to=gap_to))
