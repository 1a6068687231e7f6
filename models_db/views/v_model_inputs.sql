-- One row per listed model and input.

SELECT
    models.mode,                -- image or video
    models.model_id,            -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,  -- name, as last observed
    models.provider,            -- provider, as last observed
    inputs.input_name,          -- name of the input
    inputs.requirement          -- required or optional
FROM models
JOIN inputs ON inputs.model_pk = models.model_pk
WHERE models.removed_at IS NULL
