"""Damages to the days, and to columns that follow from others in their row, like those of ``damaged_rows``."""

from __future__ import annotations

from tests.cli.damaged_rows import ODD, A

DAMAGED_DAYS = [
    ("DELETE FROM calendar_days WHERE day = '2026-03-02'", "calendar_days", None, "between 2026-03-01 and 2026-03-03"),
    ("DELETE FROM calendar_days WHERE day = '2026-03-01'", "calendar_days", None, "2026-03-01 of the first change"),
    ("DELETE FROM calendar_days WHERE day = '2026-03-03'", "calendar_days", None, "2026-03-03 of the last run"),
    (
        f"UPDATE calendar_days SET day_start_at = '{ODD}' WHERE day = '2026-03-02'",
        "calendar_days",
        None,
        "the bounds of the day",
    ),
    (
        f"UPDATE calendar_days SET day_end_at = '{ODD}' WHERE day = '2026-03-02'",
        "calendar_days",
        None,
        "the bounds of the day",
    ),
    ("UPDATE calendar_days SET month = '2026-04'", "calendar_days", None, "day 2026-03-01 are '2026-04' and 0"),
    ("UPDATE calendar_days SET is_month_end = 1", "calendar_days", None, "'2026-03' and 1, and not 2026-03 and 0"),
    (f"UPDATE models SET series = 'x' WHERE {A}", "models", "a", "series is 'x'"),
    (f"UPDATE credit_history SET possible_from = '{ODD}' WHERE {A}", "credit_history", "a", "not_before of its change"),
    (f"UPDATE catalog_changes SET unsure_hours = 9 WHERE {A}", "catalog_changes", "a", "unsure_hours is 9"),
    ("DELETE FROM watch_days WHERE mode = 'video'", "watch_days", None, "the day 2026-03-01 is missing"),
    ("UPDATE watch_days SET successful_syncs = 1 WHERE mode = 'video'", "watch_days", None, "successful_syncs is 1"),
    (f"UPDATE watch_days SET first_success_at = '{ODD}'", "watch_days", None, "first_success_at is 2026-03-01T11:30"),
    (f"UPDATE watch_days SET last_success_at = '{ODD}'", "watch_days", None, "last_success_at is 2026-03-01T11:30"),
    ("UPDATE watch_days SET longest_gap_seconds = 9", "watch_days", None, "longest_gap_seconds is 9"),
    ("UPDATE watch_days SET last_success_at = '2030-01-01 00:00:00.000000'", "watch_days", None, "of another day"),
    ("UPDATE calendar_days SET day = '2026-03-09' WHERE day = '2026-03-03'", "calendar_days", None, "later than the l"),
]
