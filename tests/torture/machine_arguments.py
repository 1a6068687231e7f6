"""What the steps of the state machine pass to the program: options, models and hashes."""

from __future__ import annotations

import hashlib
from typing import Any

from sync.source.files.jsonl import SavedResponse
from tests.support.made_responses import Model, spelled
from tests.torture.expected_database import Accepted, SentResponse


def accepting(accepted: Accepted) -> dict[str, Any]:
    """The options of a sync with which a person accepts these numbers."""
    if not isinstance(accepted, dict):
        return {"accept": accepted, "accept_costs": accepted}
    return {"accept": accepted["removals"], "accept_costs": accepted["costs"]}


def models_sent(response: SentResponse) -> list[Model]:
    """The models of a response, with each cost as the number that is sent."""
    return [
        {**model, "credits": {"default_cost": _as_number(model["credits"]["default_cost"])}}
        for model in response.models
    ]


def _as_number(cost: str | None) -> str | None:
    return spelled(cost) if cost and cost[0].isdigit() else cost


def payload_hash(line: SavedResponse, mode: str) -> str:
    return hashlib.sha256(line.payloads[mode]).hexdigest()
