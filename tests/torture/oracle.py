"""What may be made of an answer, worked out with the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync.catalog.changes.mode_plan import ModePlan
from tests.torture.database_under_test import require

_BOM = b"\xef\xbb\xbf"
_GUARD_PERCENT, _GUARD_COUNT = 20, 3


@dataclass(frozen=True)
class Reading:
    """An answer that is a whole catalog: its models, and whether the id of each can be read."""

    models: list[Any]

    @property
    def ids(self) -> set[str]:
        """Ids that stand anywhere at the top of a model, of those repeated too."""
        return {value for model in self.models for key, value in model.pairs if key == "id" and isinstance(value, str)}

    @property
    def is_readable(self) -> bool:
        return all(
            any(key == "id" and isinstance(value, str) and value for key, value in model.pairs) for model in self.models
        )


@dataclass(frozen=True)
class _Object:
    pairs: list[tuple[str, Any]]

    def get(self, key: str) -> Any:
        found = [value for name, value in self.pairs if name == key]
        return found[0] if len(found) == 1 else None


def read(body: bytes, mode: str) -> Reading | None:
    """The catalog in an answer; None when it is none that could be trusted."""
    try:
        text = body.removeprefix(_BOM).decode("utf-8")
        whole = json.loads(
            text, object_pairs_hook=_Object, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return None
    data = whole.get("data") if isinstance(whole, _Object) else None
    if not isinstance(data, _Object) or whole.get("ok") is not True or data.get("mode") != mode:
        return None
    models = data.get("models")
    if not isinstance(models, list) or not all(isinstance(model, _Object) for model in models):
        return None
    total = data.get("total")
    return Reading(models) if isinstance(total, Decimal) and total == len(models) else None


def require_true(plan: ModePlan, body: bytes, listed: Collection[str]) -> None:
    """The plan removes nothing that may not be removed, and every cost in it is the one that was sent."""
    reading = read(body, plan.mode)
    removed = {change.model_id for change in plan.changes if change.lifecycle == "removed"}
    if removed:
        require(reading is not None, f"{sorted(removed)} removed by an answer that is no catalog")
    if reading is None or not reading.is_readable:
        require(not removed, f"{sorted(removed)} removed though an id could not be read")
        return
    require(not removed & reading.ids, f"{sorted(removed & reading.ids)} removed though they are there")
    too_many = len(removed) >= _GUARD_COUNT and len(removed) * 100 > _GUARD_PERCENT * len(listed)
    require(not too_many and not (removed and not reading.models), f"{len(removed)} removed past the guard")
    costs = {model.get("id"): _cost(model) for model in reading.models}
    for change in plan.changes:
        if change.record is not None:
            cost = None if change.record.cost is None else Decimal(change.record.cost)
            require(
                cost == costs[change.model_id],
                f"{change.model_id!r} would cost {cost}, sent was {costs[change.model_id]}",
            )


def _cost(model: _Object) -> Decimal | None:
    credits_ = model.get("credits")
    found = credits_.get("default_cost") if isinstance(credits_, _Object) else None
    return found if isinstance(found, Decimal) else None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
