-- One row per model and UTC day, from the day it was first observed to the last calendar day.
-- Names are the current ones.

SELECT
    calendar_days.day,          -- UTC day
    models.mode,                -- image or video
    models.model_id,            -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,  -- name, as last observed
    models.provider,            -- provider, as last observed
    CASE
        WHEN cost_interval.valid_to IS NULL OR cost_interval.valid_to >= calendar_days.day_end_at
        THEN cost_interval.default_cost
    END AS credit_cost,  -- cost at the end of the day, carried over days without a run; NULL if not listed or without a cost
    CASE
        WHEN (cost_interval.valid_to IS NULL OR cost_interval.valid_to >= calendar_days.day_end_at) THEN 1
        ELSE 0
    END AS is_listed,            -- 1 if the model was listed at the end of the day, else 0
    models.series,               -- what a chart calls the model: model_id, and the mode in brackets
    calendar_days.day_start_at   -- start of the day (inclusive)
FROM calendar_days
CROSS JOIN models
-- The last interval that began by the end of the day: the entries of the model in the key are read for it, from the
-- newest back to that day. MariaDB would read the whole history for a few days otherwise.
JOIN credit_history cost_interval
    ON cost_interval.model_pk = models.model_pk
    AND cost_interval.valid_from = (
        SELECT credit_history.valid_from
        FROM credit_history
        WHERE credit_history.model_pk = models.model_pk AND credit_history.valid_from < calendar_days.day_end_at
        ORDER BY credit_history.valid_from DESC
        LIMIT 1
    )
