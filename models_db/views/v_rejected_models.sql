-- One row per model whose rejection has not ended, as it was sent.
--
-- What is stored of such a model stays as it was before. If it was listed, the other views show its last
-- accepted state.

SELECT
    rejected_models.mode,                 -- image or video
    rejected_models.model_id,             -- id of the model; NULL if it could not be read
    rejected_models.reason,               -- why the model was rejected
    rejected_models.valid_from AS since,  -- time of the sync from which on it was sent like this
    rejected_models.raw                   -- the model's JSON, exactly as the API sent it; NULL above 3 MiB
FROM rejected_models
WHERE rejected_models.valid_to IS NULL
