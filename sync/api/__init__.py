"""catalog-sync as a library: one sync with its result as a value, and the recorded catalog to read.

``sync_once`` runs one sync, as ``catalog-sync sync`` does. ``open_catalog`` reads what is recorded: the catalog and a
model as of a moment, the changes, a cost at a moment, the runs. Both may be called in any thread, several at once.
Nothing here prints, handles a signal, reads the environment or changes a setting of the process, unless the caller
asks for it by an argument. A new catalog is made by ``catalog-sync migrate``.

Only what this module exports is the library; everything else may change in any version.
"""

from sync.api.catalog import Catalog, open_catalog
from sync.api.changes import Change
from sync.api.limits import Limits
from sync.api.once import sync_once
from sync.api.records import CostAt, CostInterval, Finding, Model, ModelDetail, Run, RunMode
from sync.api.result import Problem, SyncedMode, SyncResult
from sync.catalog.checkpoint import Checkpoint
from sync.errors import CatalogSyncError, DatabaseError, Outcome, UnknownModel, UsageError

__all__ = [
    "Catalog",
    "CatalogSyncError",
    "Change",
    "Checkpoint",
    "CostAt",
    "CostInterval",
    "DatabaseError",
    "Finding",
    "Limits",
    "Model",
    "ModelDetail",
    "Outcome",
    "Problem",
    "Run",
    "RunMode",
    "SyncResult",
    "SyncedMode",
    "UnknownModel",
    "UsageError",
    "open_catalog",
    "sync_once",
]
