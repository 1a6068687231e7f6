-- One row per model and UTC day, from the day it was first observed to the last calendar day.
-- Names are the current ones.

SELECT
    calendar_days.day,          -- UTC day
    models.mode,                -- image or video
    models.model_id,            -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,  -- name, as last observed
    models.provider,            -- provider, as last observed
    -- The cost is a subquery on the key. SQLite and PostgreSQL declare no type for a CASE, and PostgreSQL
    -- overestimates the rows of a join and reads the whole history for one model.
    (
        SELECT credit_history.default_cost
        FROM credit_history
        WHERE credit_history.model_pk = cost_interval.model_pk
            AND credit_history.valid_from = cost_interval.valid_from
            AND (cost_interval.valid_to IS NULL OR cost_interval.valid_to >= calendar_days.day_end_at)
    ) AS credit_cost,  -- cost at the end of the day, carried over days without a run; NULL if not listed or without a cost
    CASE
        WHEN (cost_interval.valid_to IS NULL OR cost_interval.valid_to >= calendar_days.day_end_at) THEN 1
        ELSE 0
    END AS is_listed,            -- 1 if the model was listed at the end of the day, else 0
    models.series,               -- what a chart calls the model: model_id, and the mode in brackets
    calendar_days.day_start_at   -- start of the day (inclusive)
FROM models
JOIN credit_history cost_interval ON cost_interval.model_pk = models.model_pk
-- Each interval, with the gap after it, finds its days by the index on day_end_at. CROSS JOIN keeps SQLite from
-- trying all intervals of a model on each day instead.
CROSS JOIN calendar_days
WHERE calendar_days.day_end_at > cost_interval.valid_from
    AND calendar_days.day_end_at <= COALESCE(
        cost_interval.gap_to, cost_interval.valid_to, (SELECT MAX(last_day.day_end_at) FROM calendar_days last_day)
    )
