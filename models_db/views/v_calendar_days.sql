-- One row per UTC day, from the first run to the last. Join it to avoid date arithmetic.

SELECT
    calendar_days.day,           -- UTC day
    calendar_days.day_start_at,  -- start of the day (inclusive)
    calendar_days.day_end_at     -- end of the day (exclusive)
FROM calendar_days
