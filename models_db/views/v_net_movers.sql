-- One row per model whose cost now differs from that at the end of the day 7, 30 or 90 days before the last calendar
-- day. A period longer than the calendar begins at the end of its first day. Names are the current ones.
--
-- The first and the last SELECT give no rows, only types: see v_provider_costs.

SELECT
    models.model_pk AS period_days,
    models.mode AS mode,
    models.model_id AS model_id,
    models.series AS series,
    models.name AS model_name,
    models.provider AS provider,
    credits.default_cost AS cost_then,
    credits.default_cost AS cost_now,
    credits.default_cost AS net_change,
    catalog_changes.pct_change AS net_pct,
    catalog_changes.pct_change AS rank_pct,
    models.model_pk AS is_new,
    models.model_pk AS is_gone,
    calendar_days.day_end_at AS period_start_at
FROM models
JOIN credits ON credits.model_pk = models.model_pk
CROSS JOIN calendar_days
CROSS JOIN catalog_changes
WHERE 1 = 0
UNION ALL
SELECT
    moved.period_days,           -- 7, 30 or 90: number of days to the last calendar day
    models.mode,                 -- image or video
    models.model_id,             -- the API's id of the model; case, accents and blanks are significant
    models.series,               -- what a chart calls the model: model_id, and the mode in brackets
    models.name AS model_name,   -- name, as last observed
    models.provider,             -- provider, as last observed
    moved.cost_then,             -- cost in credits at the start of the period; NULL if not listed or without a cost
    moved.cost_now,              -- cost in credits now; NULL if not listed or without a cost
    -- + 0.0, CAST and COALESCE: see v_provider_costs.
    COALESCE(
        CAST(moved.cost_now - moved.cost_then + 0.0 AS DECIMAL(24,12)), CAST(NULL AS DECIMAL(24,12))
    ) AS net_change,             -- cost_now minus cost_then; NULL if either is
    COALESCE(CAST(moved.net_pct + 0.0 AS DECIMAL(24,6)), CAST(NULL AS DECIMAL(24,6))) AS net_pct,  -- net_change in percent of cost_then; NULL if that is 0 or NULL, or the result is too large
    CAST(COALESCE(ABS(moved.net_pct), -1) + 0.0 AS DECIMAL(24,6)) AS rank_pct,  -- net_pct without its sign, and -1 in the place of NULL: sorts alike on every database
    moved.is_new,                -- 1 if the model was not listed at the start of the period, else 0
    moved.is_gone,               -- 1 if the model is not listed now, else 0
    moved.period_start_at        -- start of the period
FROM (
    SELECT
        period.period_days,
        period.period_start_at,
        listed.model_pk,
        past.default_cost AS cost_then,
        present.default_cost AS cost_now,
        -- Beyond the limit the percentage would not fit into its column, which is an error on PostgreSQL.
        CASE
            WHEN ABS(present.default_cost - past.default_cost) < past.default_cost * 10000000000000000
            THEN ROUND(100.0 * (present.default_cost - past.default_cost) / past.default_cost, 6)
        END AS net_pct,
        CASE WHEN past.model_pk IS NULL THEN 1 ELSE 0 END AS is_new,
        CASE WHEN present.model_pk IS NULL THEN 1 ELSE 0 END AS is_gone
    FROM (
        SELECT
            asked.period_days,
            COALESCE(
                asked.day_end_at, (SELECT MIN(calendar_days.day_end_at) FROM calendar_days)
            ) AS period_start_at
        FROM (
            SELECT
                7 AS period_days,
                (SELECT day_end_at FROM calendar_days ORDER BY day DESC LIMIT 1 OFFSET 7) AS day_end_at
            UNION ALL
            SELECT 30, (SELECT day_end_at FROM calendar_days ORDER BY day DESC LIMIT 1 OFFSET 30)
            UNION ALL
            SELECT 90, (SELECT day_end_at FROM calendar_days ORDER BY day DESC LIMIT 1 OFFSET 90)
        ) asked
    ) period
    CROSS JOIN models listed
    -- The interval of that moment is the last one that began before it: one entry of the key is read for it, however
    -- many intervals the model has.
    LEFT JOIN credit_history past
        ON past.model_pk = listed.model_pk
        AND past.valid_from = (
            SELECT earlier.valid_from
            FROM credit_history earlier
            WHERE earlier.model_pk = listed.model_pk AND earlier.valid_from < period.period_start_at
            ORDER BY earlier.valid_from DESC
            LIMIT 1
        )
        AND (past.valid_to IS NULL OR past.valid_to >= period.period_start_at)
    LEFT JOIN credit_history present ON present.open_model_pk = listed.model_pk
    WHERE past.default_cost_exact <> present.default_cost_exact
        OR (past.default_cost_exact IS NULL) <> (present.default_cost_exact IS NULL)
) moved
JOIN models ON models.model_pk = moved.model_pk
UNION ALL
SELECT
    models.model_pk,
    models.mode,
    models.model_id,
    models.series,
    models.name,
    models.provider,
    credits.default_cost,
    credits.default_cost,
    credits.default_cost,
    catalog_changes.pct_change,
    catalog_changes.pct_change,
    models.model_pk,
    models.model_pk,
    calendar_days.day_end_at
FROM models
JOIN credits ON credits.model_pk = models.model_pk
CROSS JOIN calendar_days
CROSS JOIN catalog_changes
WHERE 1 = 0
