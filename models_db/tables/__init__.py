"""The tables of the catalog, its history and its runs.

``docs/schema.md`` and the comments in the databases are made from the comments here.
"""

from models_db.tables.catalog import (
    capabilities,
    credit_details,
    credits,
    input_rules,
    inputs,
    models,
    param_options,
    params,
)
from models_db.tables.history import (
    catalog_changes,
    credit_history,
    ignored_fields,
    model_versions,
    rejected_models,
)
from models_db.tables.notify import notify_cursors
from models_db.tables.runs import (
    calendar_days,
    catalog_identity,
    installed_views,
    sync_run_modes,
    sync_runs,
    sync_state,
    watch_days,
)
from models_db.tables.seals import seals

__all__ = [
    "calendar_days",
    "capabilities",
    "catalog_changes",
    "catalog_identity",
    "credit_details",
    "credit_history",
    "credits",
    "ignored_fields",
    "input_rules",
    "inputs",
    "installed_views",
    "model_versions",
    "models",
    "notify_cursors",
    "param_options",
    "params",
    "rejected_models",
    "seals",
    "sync_run_modes",
    "sync_runs",
    "sync_state",
    "watch_days",
]
