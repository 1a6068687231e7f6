-- One row per mode and provider of listed models, with their current costs.
--
-- The first and the last SELECT give no rows, only types. SQLite declares a type for stored columns alone, and an
-- ODBC driver takes a column without a declared type for text if its first row is NULL. A result of the view has
-- the types of the last SELECT, the view itself those of the first.

SELECT
    models.mode AS mode,
    models.provider AS provider,
    models.model_pk AS model_count,
    models.model_pk AS priced_model_count,
    credits.default_cost AS min_credit_cost,
    credits.default_cost AS avg_credit_cost,
    credits.default_cost AS max_credit_cost
FROM models
JOIN credits ON credits.model_pk = models.model_pk
WHERE 1 = 0
UNION ALL
SELECT
    models.mode,                                         -- image or video
    models.provider,                                     -- provider, as last observed
    COUNT(models.model_pk) AS model_count,               -- number of listed models
    COUNT(credits.default_cost) AS priced_model_count,   -- number of listed models that have a cost
    -- On SQLite a whole number must stay a REAL: a tool that takes a column's type from its first row would cut the
    -- decimals of the other rows. + 0.0 makes it a REAL. A CAST alone would make it an INTEGER again, because such
    -- a column has numeric affinity; the result of COALESCE has none.
    COALESCE(
        CAST(MIN(credits.default_cost) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS min_credit_cost,                                -- lowest cost in credits; NULL if no model has a cost
    COALESCE(
        CAST(AVG(credits.default_cost) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS avg_credit_cost,                                -- mean cost in credits of the models that have a cost
    COALESCE(
        CAST(MAX(credits.default_cost) + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS max_credit_cost                                 -- highest cost in credits
FROM models
LEFT JOIN credits ON credits.model_pk = models.model_pk
WHERE models.removed_at IS NULL
GROUP BY models.mode, models.provider
UNION ALL
SELECT
    models.mode,
    models.provider,
    models.model_pk,
    models.model_pk,
    credits.default_cost,
    credits.default_cost,
    credits.default_cost
FROM models
JOIN credits ON credits.model_pk = models.model_pk
WHERE 1 = 0
