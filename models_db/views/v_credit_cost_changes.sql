-- One row per change of a cost, and per model added, removed or relisted. Names are those at the time of the change.

SELECT
    catalog_changes.changed_at,      -- when the change was observed; it happened before this time
    catalog_changes.not_before,      -- start of the last successful sync before the change; it happened after this time
    models.mode,                     -- image or video
    models.model_id,                 -- the API's id of the model; case, accents and blanks are significant
    catalog_changes.model_name,      -- name after the change; for removed, the last name
    catalog_changes.provider,        -- provider after the change; for removed, the last provider
    catalog_changes.change_kind,     -- added, removed, relisted, increase, decrease, cost_set or cost_unset
    catalog_changes.old_cost,        -- cost before the change, for arithmetic
    catalog_changes.new_cost,        -- cost after the change, for arithmetic
    catalog_changes.old_cost_exact,  -- cost before the change, the exact decimal
    catalog_changes.new_cost_exact,  -- cost after the change, the exact decimal
    catalog_changes.delta_cost,      -- new cost minus old cost; for increase, decrease and relisted only
    catalog_changes.pct_change,      -- delta_cost in percent of old_cost; NULL if old_cost is 0 or the result is too large
    catalog_changes.run_id,          -- run that observed the change
    catalog_changes.unsure_hours     -- hours from not_before to changed_at, between which the change happened; NULL if not_before is
FROM catalog_changes
-- An outer join, although every change has a model: with an inner join MariaDB starts with the models and
-- looks up the changes of each.
LEFT JOIN models ON models.model_pk = catalog_changes.model_pk
WHERE catalog_changes.is_cost_event = 1
