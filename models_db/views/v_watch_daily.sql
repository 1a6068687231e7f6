-- One row per mode and UTC day, from the mode's first successful sync to the last calendar day, also for days
-- without one. prune changes nothing here.
--
-- The first and the last SELECT give no rows, only types: see v_provider_costs.

SELECT
    calendar_days.day AS day,
    watch_days.mode AS mode,
    watch_days.successful_syncs AS successful_syncs,
    watch_days.first_success_at AS first_success_at,
    watch_days.last_success_at AS last_success_at,
    credits.default_cost AS longest_gap_hours,
    watch_days.successful_syncs AS is_gap,
    calendar_days.day_start_at AS day_start_at
FROM watch_days
CROSS JOIN calendar_days
CROSS JOIN credits
WHERE 1 = 0
UNION ALL
SELECT
    calendar_days.day,                                               -- UTC day
    watched.mode,                                                    -- image or video
    COALESCE(watch_days.successful_syncs, 0) AS successful_syncs,    -- number of successful syncs of the mode on that day
    watch_days.first_success_at,                                     -- time of the first one; NULL if there is none
    watch_days.last_success_at,                                      -- time of the last one; NULL if there is none
    -- + 0.0, CAST and COALESCE: see v_provider_costs.
    COALESCE(
        CAST(ROUND(watch_days.longest_gap_seconds / 3600.0, 4) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS longest_gap_hours,                                          -- longest time, in hours, between one of them and the successful sync before it; NULL if there is none
    CASE WHEN watch_days.day IS NULL THEN 1 ELSE 0 END AS is_gap,    -- 1 for a day without a successful sync, else 0
    calendar_days.day_start_at                                       -- start of the day (inclusive)
FROM (SELECT watch_days.mode, MIN(watch_days.day) AS first_day FROM watch_days GROUP BY watch_days.mode) watched
JOIN calendar_days ON calendar_days.day >= watched.first_day
LEFT JOIN watch_days ON watch_days.mode = watched.mode AND watch_days.day = calendar_days.day
UNION ALL
SELECT
    calendar_days.day,
    watch_days.mode,
    watch_days.successful_syncs,
    watch_days.first_success_at,
    watch_days.last_success_at,
    credits.default_cost,
    watch_days.successful_syncs,
    calendar_days.day_start_at
FROM watch_days
CROSS JOIN calendar_days
CROSS JOIN credits
WHERE 1 = 0
