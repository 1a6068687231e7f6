"""When a gap in a model's listing ends, and indexes on days: the daily view takes each interval's days and no others.

It imports nothing of ours: what it did must not change when the code does.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    column = sa.Column(
        "relisted_at",
        _INSTANT,
        comment="when the model was listed again, if it was removed at valid_to; NULL if it went on or is not back",
    )
    op.add_column("credit_history", column, if_not_exists=_looks_first())
    _fill()
    for name in ("day_start_at", "day_end_at"):
        op.create_index(op.f(f"ix_calendar_days_{name}"), "calendar_days", [name], if_not_exists=True)


def downgrade() -> None:
    for name in ("day_end_at", "day_start_at"):
        op.drop_index(op.f(f"ix_calendar_days_{name}"), "calendar_days", if_exists=True)
    op.drop_column("credit_history", "relisted_at", if_exists=_looks_first())


def _looks_first() -> bool | None:
    """SQLite knows no IF EXISTS here, and needs none: what failed there half-way was rolled back."""
    return None if op.get_context().dialect.name == "sqlite" else True


def _fill() -> None:
    """A model was away where its next interval begins later than this one ends."""
    history = sa.table(
        "credit_history",
        *(sa.column(name) for name in ("model_pk", "valid_from", "valid_to", "relisted_at")),
    )
    then = history.alias("then")
    of_model = then.c.model_pk == history.c.model_pk
    goes_on = sa.select(then.c.model_pk).where(of_model, then.c.valid_from == history.c.valid_to).exists()
    back = sa.select(sa.func.min(then.c.valid_from)).where(of_model, then.c.valid_from > history.c.valid_to)
    op.execute(
        history.update().where(history.c.valid_to.is_not(None), ~goes_on).values(relisted_at=back.scalar_subquery())
    )
