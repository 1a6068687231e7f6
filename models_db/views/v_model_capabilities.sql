-- One row per listed model, capability and value.

SELECT
    models.mode,                -- image or video
    models.model_id,            -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,  -- name, as last observed
    models.provider,            -- provider, as last observed
    capabilities.capability,    -- dotted path of the capability; a \ precedes . and \ inside a key
    capabilities.value          -- value of the capability: a string as it is, any other value as JSON
FROM models
JOIN capabilities ON capabilities.model_pk = models.model_pk
WHERE models.removed_at IS NULL
