-- One row per run and requested mode. A run that requested no mode has one row.

SELECT
    sync_runs.run_id,                      -- number of the run; increases with every run
    sync_runs.started_at,                  -- when the run started, by the host's clock
    sync_runs.observed_at,                 -- when the last response had arrived, by the host's clock
    sync_runs.finished_at,                 -- when the result of the run was stored; NULL while it is running
    sync_runs.status,                      -- running, success, partial, held, failed, superseded or abandoned
    sync_runs.trigger_kind,                -- cli, schedule or import
    sync_runs.base_url,                    -- base URL of the API; NULL for an import
    sync_runs.error_type,                  -- kind of the error that ended the run; NULL if there was none
    sync_runs.error_message,               -- that error in one line, secrets masked
    sync_runs.note,                        -- remarks, such as an empty first response or a clock that was set back
    sync_runs.app_version,                 -- version of catalog-sync
    sync_run_modes.mode,                   -- image or video
    sync_run_modes.status AS mode_status,  -- success, partial (models rejected), held (a guard held something back), failed or superseded
    sync_run_modes.http_status,            -- HTTP status of the last response; NULL if there was none, and for an import
    sync_run_modes.attempts,               -- number of requests sent
    sync_run_modes.asked_at,               -- when the request that got the response was sent, by the host's clock
    sync_run_modes.previous_success_at,    -- time of the mode's last successful sync before this run
    sync_run_modes.models_reported,        -- total number of models, as the response states it
    sync_run_modes.models_received,        -- number of models in the response
    sync_run_modes.models_rejected,        -- number of models that were rejected; their stored rows did not change
    sync_run_modes.models_added,           -- number of models added or relisted
    sync_run_modes.models_changed,         -- number of listed models with a changed field
    sync_run_modes.models_removed,         -- number of models marked removed
    sync_run_modes.removals_held,          -- number of missing models whose removal was held back
    sync_run_modes.payload_bytes,          -- size of the decoded response in bytes
    sync_run_modes.payload_sha256,         -- SHA-256 of the decoded response, in hex
    sync_run_modes.response_age,           -- seconds that the response had been in a cache, from its Age header; NULL if it had none
    sync_runs.host,                        -- name of the host that ran it; NULL if an older version did
    sync_runs.key_fingerprint,             -- first 12 hex digits of the SHA-256 of the API key's public part, the part before the dot
    sync_runs.accepted,                    -- what a person accepted in this run, and who and why, as JSON
    sync_run_modes.stamp,                  -- time of the mode's rows of this run; NULL if nothing was applied
    sync_run_modes.is_good,                -- 1 if the response was applied whole, but for rejected models with a readable id; else 0
    sync_run_modes.hold_reason,            -- removals (missing models stay listed), costs or other_catalog (nothing was applied); else NULL
    sync_run_modes.held_ids,               -- ids of the models for which it is held back, as a JSON list: missing ones, or those whose cost moved; NULL if none is
    sync_run_modes.models_listed           -- number of models listed after the run
FROM sync_runs
LEFT JOIN sync_run_modes ON sync_run_modes.run_id = sync_runs.run_id
