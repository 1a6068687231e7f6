-- One row per point of a step chart: what a model costs from a time on, without a cost where it is not listed.
-- Names are the current ones.

SELECT
    models.mode AS mode,                              -- image or video
    models.model_id AS model_id,                      -- the API's id of the model; case, accents and blanks are significant
    models.series AS series,                          -- what a chart calls the model: model_id, and the mode in brackets
    models.name AS model_name,                        -- name, as last observed
    models.provider AS provider,                      -- provider, as last observed
    credit_history.valid_to AS step_at,               -- from when on: when the cost was first observed, or the model was found missing
    -- A subquery without a row has the type of its column, which NULL alone has not.
    (SELECT credits.default_cost FROM credits WHERE 1 = 0) AS credit_cost,              -- cost in credits, for arithmetic; NULL if not listed or without a cost
    (SELECT credits.default_cost_exact FROM credits WHERE 1 = 0) AS credit_cost_exact,  -- cost in credits, the exact decimal that the API sent
    0 AS is_listed                                    -- 1 if the model is listed from then on, else 0
FROM credit_history
JOIN models ON models.model_pk = credit_history.model_pk
WHERE credit_history.gap_to IS NOT NULL
UNION ALL
SELECT
    models.mode,
    models.model_id,
    models.series,
    models.name,
    models.provider,
    credit_history.valid_from,
    credit_history.default_cost,
    credit_history.default_cost_exact,
    1
FROM credit_history
JOIN models ON models.model_pk = credit_history.model_pk
