"""The days on which each mode was watched, and columns that dashboards need: series, months, and unsure times."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
_ON_MARIADB = {"mariadb_charset": "utf8mb4", "mariadb_collate": "utf8mb4_nopad_bin", "mariadb_engine": "InnoDB"}
_FILL_POSSIBLE_FROM = """
UPDATE credit_history SET possible_from = (
    SELECT MAX(catalog_changes.not_before)
    FROM catalog_changes
    WHERE catalog_changes.model_pk = credit_history.model_pk
        AND catalog_changes.changed_at = credit_history.valid_from
        AND catalog_changes.is_cost_event = 1
)
"""
_FILL_WATCH_DAYS = """
INSERT INTO watch_days (mode, day, successful_syncs, first_success_at, last_success_at, longest_gap_seconds)
SELECT sync_run_modes.mode, {day}, COUNT(*), MIN(stamp), MAX(stamp),
    MAX(CASE WHEN previous_success_at <= stamp THEN {gap} WHEN previous_success_at > stamp THEN 0 END)
FROM sync_run_modes
JOIN sync_runs ON sync_runs.run_id = sync_run_modes.run_id
WHERE is_good = 1 AND stamp IS NOT NULL AND sync_runs.status IN ('success', 'partial', 'held')
GROUP BY sync_run_modes.mode, {day}
"""


def _key_text(length: int) -> sa.types.TypeEngine[Any]:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "watch_days",
        sa.Column("mode", _key_text(16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("successful_syncs", sa.Integer(), nullable=False),
        sa.Column("first_success_at", _INSTANT, nullable=False),
        sa.Column("last_success_at", _INSTANT, nullable=False),
        sa.Column("longest_gap_seconds", sa.Integer()),
        sa.PrimaryKeyConstraint("mode", "day", name=op.f("pk_watch_days")),
        sa.CheckConstraint("mode IN ('image', 'video')", name=op.f("ck_watch_days_mode")),
        if_not_exists=True,
        **_ON_MARIADB,
    )
    for table, column in _columns():
        op.add_column(table, column, if_not_exists=_if_supported())
    for statement in _fill(op.get_context().dialect.name):
        op.execute(sa.text(statement))


def downgrade() -> None:
    for table, column in reversed(_columns()):
        op.drop_column(table, column.name, if_exists=_if_supported())
    op.drop_table("watch_days", if_exists=True)


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("models", sa.Column("series", _key_text(275))),
        ("calendar_days", sa.Column("month", _key_text(7))),
        ("calendar_days", sa.Column("is_month_end", sa.SmallInteger())),
        ("credit_history", sa.Column("possible_from", _INSTANT)),
        ("catalog_changes", sa.Column("unsure_hours", sa.Numeric(14, 4))),
    ]


def _if_supported() -> bool | None:
    """SQLite has no IF EXISTS for columns and does not need it, because it rolls a failed revision back."""
    return None if op.get_context().dialect.name == "sqlite" else True


def _fill(dialect: str) -> list[str]:
    """The statements that fill the columns. Each database has its own arithmetic of times."""
    series = "model_id || ' (' || mode || ')'"
    month, next_day = "SUBSTR(day, 1, 7)", "SUBSTR(DATE(day, '+1 day'), 9, 2) = '01'"
    stamp_day = "SUBSTR(stamp, 1, 10)"
    if dialect == "postgresql":
        month, next_day = "TO_CHAR(day, 'YYYY-MM')", "EXTRACT(DAY FROM day + 1) = 1"
        stamp_day = "CAST(stamp AT TIME ZONE 'UTC' AS DATE)"
    elif dialect != "sqlite":
        series = "CONCAT(model_id, ' (', mode, ')')"
        month, next_day, stamp_day = "SUBSTR(CAST(day AS CHAR), 1, 7)", "LAST_DAY(day) = day", "DATE(stamp)"
    divided = "DIV" if dialect in ("mysql", "mariadb") else "/"
    unsure = _microseconds(dialect, "changed_at", "not_before")
    gap = f"({_microseconds(dialect, 'stamp', 'previous_success_at')}) {divided} 1000000"
    # On SQLite a product with 0.0001 is not always the double next to the decimal; a quotient is.
    hours = f"(({unsure}) + 180000) {divided} 360000"
    hours = f"({hours}) / 10000.0" if dialect == "sqlite" else f"({hours}) * 0.0001"
    return [
        f"UPDATE models SET series = {series}",  # noqa: S608  # here and below: texts of this function
        f"UPDATE calendar_days SET month = {month}, is_month_end = CASE WHEN {next_day} THEN 1 ELSE 0 END",  # noqa: S608
        f"UPDATE catalog_changes SET unsure_hours = {hours} WHERE not_before IS NOT NULL",  # noqa: S608
        _FILL_POSSIBLE_FROM,
        "DELETE FROM watch_days",  # on MariaDB, of an attempt that failed later
        _FILL_WATCH_DAYS.format(day=stamp_day, gap=gap),
    ]


def _microseconds(dialect: str, later: str, earlier: str) -> str:
    """The difference of two times, exactly."""
    if dialect == "postgresql":
        return f"CAST(ROUND(EXTRACT(EPOCH FROM {later} - {earlier}) * 1000000) AS BIGINT)"
    if dialect != "sqlite":
        return f"TIMESTAMPDIFF(MICROSECOND, {earlier}, {later})"
    # Without the fraction, which SQLite would round to milliseconds.
    seconds = [f"CAST(STRFTIME('%s', SUBSTR({time}, 1, 19)) AS INTEGER)" for time in (later, earlier)]
    fractions = [f"CAST(SUBSTR({time}, 21, 6) AS INTEGER)" for time in (later, earlier)]
    return f"({' - '.join(seconds)}) * 1000000 + {' - '.join(fractions)}"
