"""Names and labels of the metrics, which dashboards and alert rules depend on."""

from __future__ import annotations

from sync.errors import Outcome
from sync.store.metrics import ABANDONED

LAST_SUCCESS = "catalog_sync_last_success_timestamp_seconds"
LAST_RUN = "catalog_sync_last_run_timestamp_seconds"
RUN_DURATION = "catalog_sync_run_duration_seconds"
RUNS_LAST_DAY = "catalog_sync_runs_last_day"
MODELS = "catalog_sync_models"
CHANGES_LAST_DAY = "catalog_sync_changes_last_day"
REQUEST_ATTEMPTS = "catalog_sync_request_attempts"
RESPONSE_BYTES = "catalog_sync_response_bytes"
SEAL_TREE_SIZE = "catalog_sync_seal_tree_size"
BUILD_INFO = "catalog_sync_build_info"

HELP = {
    LAST_SUCCESS: "Time of the last successful sync of the mode; absent if there was none.",
    LAST_RUN: "Time when the newest sync ended, whatever its outcome; absent before the first one.",
    RUN_DURATION: "Duration of that sync.",
    RUNS_LAST_DAY: "Syncs that started in the last 24 hours, by outcome. Imports do not count.",
    MODELS: "Models that are listed, rejected or held back now; absent for a mode that was never stored.",
    CHANGES_LAST_DAY: "Changes that were observed in the last 24 hours, by kind.",
    REQUEST_ATTEMPTS: "Requests of the last sync that requested the mode.",
    RESPONSE_BYTES: "Size of its decoded response; absent if there was none.",
    SEAL_TREE_SIZE: "Number of seals.",
    BUILD_INFO: "Always 1; the label is the version of catalog-sync that wrote the metrics.",
}

# The others end commands that are no sync, or stop a run in a way that its row does not tell from interrupted.
_NO_RUN = {Outcome.CHECK_FAILED, Outcome.TERMINATED}
OUTCOMES = (*(outcome.label for outcome in sorted(Outcome) if outcome not in _NO_RUN), ABANDONED)
"""Every value of the label ``outcome``: how a run can end, and ``abandoned`` for one that was killed."""
KINDS = ("added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset", "changed")
"""Every value of the label ``kind``."""
