"""Responses that a guard holds back, and the runs that get them."""

from __future__ import annotations

from tests.support.api_catalogs import Model, model, numbered_models
from tests.support.commands import error_line
from tests.support.rude_server import Script
from tests.support.synced_database import SyncedDatabase

TEN = numbered_models(10)
# All costs of ten models times 1000.
THOUSANDFOLD = [model(each["id"], each["credits"]["default_cost"] * 1000) for each in TEN]
ACCEPTED = "SELECT accepted FROM sync_runs WHERE accepted IS NOT NULL ORDER BY run_id"
MODE_ROWS = (
    "SELECT status, hold_reason, held_ids, is_good, models_listed FROM sync_run_modes"
    " WHERE mode = 'image' ORDER BY run_id"
)
STATE = "SELECT good_observed_at, good_asked_at, base_url, models_listed FROM sync_state ORDER BY mode"


def foreign(number: int) -> list[Model]:
    return [model(f"other/{each}", each + 1) for each in range(number)]


def with_credits(credits_: object) -> list[Model]:
    return [{**each, "credits": credits_} for each in TEN]


def holds(synced: SyncedDatabase, *arguments: str, **scripts: Script) -> str:
    """The error line of a run in which the whole mode is held back: nothing but the state of the modes changes."""
    before = {**synced.catalog(), "sync_state": []}
    line = error_line(synced.sync(*arguments, **scripts), 7)
    assert {**synced.catalog(), "sync_state": []} == before
    synced.verify()
    return line
