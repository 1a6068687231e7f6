-- One row per UTC day, from the first run to the last. Join it to avoid date arithmetic.

SELECT
    calendar_days.day,           -- UTC day
    calendar_days.day_start_at,  -- start of the day (inclusive)
    calendar_days.day_end_at,    -- end of the day (exclusive)
    calendar_days.month,         -- month of the day, such as 2026-03
    calendar_days.is_month_end   -- 1 for the last day of a month, else 0
FROM calendar_days
