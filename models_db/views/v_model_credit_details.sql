-- One row per listed model and value under credits, beside its cost and the note on it.

SELECT
    models.mode,                 -- image or video
    models.model_id,             -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,   -- name, as last observed
    models.provider,             -- provider, as last observed
    credit_details.path,         -- dotted path of the value under credits, places in a list from 0; a \ precedes . and \ inside a key
    credit_details.value,        -- the value: a string as it is, any other value as JSON
    credit_details.value_number  -- the value, for arithmetic; NULL if it is not a number or too large
FROM models
JOIN credit_details ON credit_details.model_pk = models.model_pk
WHERE models.removed_at IS NULL
