-- One row per listed model, parameter and allowed value. A parameter without listed values has one row.

SELECT
    models.mode,                -- image or video
    models.model_id,            -- the API's id of the model; case, accents and blanks are significant
    models.name AS model_name,  -- name, as last observed
    models.provider,            -- provider, as last observed
    params.param_name,          -- name of the parameter
    params.data_type,           -- type of the parameter; NULL if the API does not give it
    params.is_required,         -- 1 if the parameter is required, else 0; NULL if the API does not give it
    params.default_value,       -- default of the parameter: a string as it is, any other value as JSON
    params.min_value,           -- lowest value allowed; NULL if the API does not give it
    params.max_value,           -- highest value allowed; NULL if the API does not give it
    param_options.option_value  -- allowed value: a string as it is, any other value as JSON
FROM models
JOIN params ON params.model_pk = models.model_pk
LEFT JOIN param_options
    ON param_options.model_pk = params.model_pk AND param_options.param_name = params.param_name
WHERE models.removed_at IS NULL
