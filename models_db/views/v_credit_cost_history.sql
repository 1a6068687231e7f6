-- One row per model and interval in which its cost stayed the same. Names are the current ones.

SELECT
    models.mode,                                 -- image or video
    models.model_id,                             -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,                   -- name, as last observed
    models.provider,                             -- provider, as last observed
    credit_history.default_cost AS credit_cost,  -- cost in credits, for arithmetic; NULL if the API gave no cost
    credit_history.default_cost_exact AS credit_cost_exact,  -- cost in credits, the exact decimal that the API sent
    credit_history.valid_from,                   -- start of the interval (inclusive)
    credit_history.valid_to,                     -- end of the interval (exclusive); NULL while the interval is open
    CASE WHEN credit_history.valid_to IS NULL THEN 1 ELSE 0 END AS is_current,  -- 1 while the interval is open, else 0
    credit_history.opened_run_id,                -- run that opened the interval
    credit_history.closed_run_id,                -- run that closed the interval; NULL while it is open
    models.series,                               -- what a chart calls the model: model_id, and the mode in brackets
    credit_history.possible_from                 -- not_before of the change that opened the interval: the model may have had this cost from then on; NULL if nothing is known
FROM credit_history
JOIN models ON models.model_pk = credit_history.model_pk
