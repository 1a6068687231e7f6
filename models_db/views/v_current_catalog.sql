-- One row per listed model, with its current cost.

SELECT
    models.mode,                                  -- image or video
    models.model_id,                              -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,                    -- name, as last observed
    models.provider,                              -- provider, as last observed
    credits.default_cost AS credit_cost,          -- cost in credits, for arithmetic; NULL if the API gives no cost
    credits.default_cost_exact AS credit_cost_exact,  -- cost in credits, the exact decimal that the API sent
    credits.notes AS credit_notes,                -- the API's note on the cost
    credit_history.valid_from AS credit_cost_since,   -- when the model was first observed with this cost
    models.first_seen_at,                         -- when the model was first observed
    -- A model that was added, relisted or changed its cost in a partial sync was observed then, which is
    -- later than the last successful sync.
    CASE
        WHEN sync_state.good_observed_at > credit_history.valid_from THEN sync_state.good_observed_at
        ELSE credit_history.valid_from
    END AS last_seen_at,                          -- when the model was last observed
    models.description                            -- description, as last observed
FROM models
JOIN sync_state ON sync_state.mode = models.mode
LEFT JOIN credits ON credits.model_pk = models.model_pk
LEFT JOIN credit_history ON credit_history.open_model_pk = models.model_pk
WHERE models.removed_at IS NULL
