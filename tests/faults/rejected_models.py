"""What the tests of rejected models send and read."""

from __future__ import annotations

from typing import Any

from tests.support.api_catalogs import Model, model
from tests.support.commands import error_line
from tests.support.synced_database import LISTED, SyncedDatabase, image

ROWS = "SELECT model_id, reason FROM rejected_models ORDER BY valid_from, raw_sha256"
OPEN = "SELECT mode, model_id, reason, raw FROM v_rejected_models ORDER BY model_id"
GOOD = "SELECT is_good FROM sync_run_modes WHERE mode = 'image' ORDER BY run_id"
STARTS = "SELECT run_id, asked_at FROM sync_run_modes WHERE mode = 'image' ORDER BY run_id"
EVENTS = "SELECT model_id, change_kind, not_before, run_id FROM v_catalog_changes WHERE run_id > 1 ORDER BY run_id"
NEGATIVE = "credits.default_cost is negative, or has more than 12 integer digits or 40 decimals"


def with_first(*first: Any) -> list[Any]:
    """The models of run 1 with others in place of the first."""
    return [*first, *LISTED[1:]]


def bad(cost: object = -1, **fields: Any) -> Model:
    return model("acme/image-0", cost, **fields)


def starts(synced: SyncedDatabase) -> dict[int, object]:
    return dict(synced.query(STARTS))


def reject(synced: SyncedDatabase, *models: Any) -> str:
    return error_line(synced.sync(image=image(with_first(*models))), 5)
