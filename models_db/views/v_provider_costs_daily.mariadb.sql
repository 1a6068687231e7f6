-- One row per UTC day, mode and provider of the models listed at the end of the day. Names are the current ones.
--
-- The first and the last SELECT give no rows, only types: see v_provider_costs.

SELECT
    calendar_days.day AS day,
    models.mode AS mode,
    models.provider AS provider,
    models.model_pk AS model_count,
    models.model_pk AS priced_model_count,
    credits.default_cost AS min_credit_cost,
    credits.default_cost AS avg_credit_cost,
    credits.default_cost AS max_credit_cost,
    calendar_days.day_start_at AS day_start_at
FROM models
JOIN credits ON credits.model_pk = models.model_pk
CROSS JOIN calendar_days
WHERE 1 = 0
UNION ALL
SELECT
    calendar_days.day,                                         -- UTC day
    models.mode,                                               -- image or video
    models.provider,                                           -- provider, as last observed
    COUNT(models.model_pk) AS model_count,                     -- number of listed models
    COUNT(credit_history.default_cost) AS priced_model_count,  -- number of listed models that have a cost
    -- + 0.0, CAST and COALESCE: see v_provider_costs.
    COALESCE(
        CAST(MIN(credit_history.default_cost) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS min_credit_cost,                                      -- lowest cost in credits; NULL if no model has a cost
    COALESCE(
        CAST(AVG(credit_history.default_cost) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS avg_credit_cost,                                      -- mean cost in credits of the models that have a cost
    COALESCE(
        CAST(MAX(credit_history.default_cost) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS max_credit_cost,                                      -- highest cost in credits
    calendar_days.day_start_at                                 -- start of the day (inclusive)
FROM calendar_days
CROSS JOIN models
-- By the key, for each model and day: see v_credit_cost_daily.
JOIN credit_history
    ON credit_history.model_pk = models.model_pk
    AND credit_history.valid_from = (
        SELECT begun.valid_from
        FROM credit_history begun
        WHERE begun.model_pk = models.model_pk AND begun.valid_from < calendar_days.day_end_at
        ORDER BY begun.valid_from DESC
        LIMIT 1
    )
WHERE credit_history.valid_to IS NULL OR credit_history.valid_to >= calendar_days.day_end_at
GROUP BY calendar_days.day, calendar_days.day_start_at, models.mode, models.provider
UNION ALL
SELECT
    calendar_days.day,
    models.mode,
    models.provider,
    models.model_pk,
    models.model_pk,
    credits.default_cost,
    credits.default_cost,
    credits.default_cost,
    calendar_days.day_start_at
FROM models
JOIN credits ON credits.model_pk = models.model_pk
CROSS JOIN calendar_days
WHERE 1 = 0
