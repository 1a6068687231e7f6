-- One row per changed field of a model. Names are those at the time of the change.

SELECT
    catalog_changes.changed_at,   -- when the change was observed; it happened before this time
    catalog_changes.not_before,   -- start of the last successful sync before the change; it happened after this time
    models.mode,                  -- image or video
    models.model_id,              -- the API's id of the model; case, accents and blanks are significant
    catalog_changes.model_name,   -- name after the change; for removed, the last name
    catalog_changes.provider,     -- provider after the change; for removed, the last provider
    catalog_changes.entity,       -- models, credits, params, inputs, input_rules, capabilities or raw_available_params
    catalog_changes.field,        -- dotted path inside the entity; NULL for the entity as a whole
    catalog_changes.change_kind,  -- added, removed, relisted, increase, decrease, cost_set, cost_unset or changed
    catalog_changes.old_value,    -- value before the change, as JSON; NULL if there was none
    catalog_changes.new_value,    -- value after the change, as JSON; NULL if there is none
    catalog_changes.run_id,       -- run that observed the change
    sync_runs.trigger_kind,       -- cli, schedule or import
    sync_runs.app_version         -- version of catalog-sync
FROM catalog_changes
-- Outer joins, although every change has a model and a run: with inner joins MariaDB starts with those and
-- looks up the changes of each.
LEFT JOIN models ON models.model_pk = catalog_changes.model_pk
LEFT JOIN sync_runs ON sync_runs.run_id = catalog_changes.run_id
