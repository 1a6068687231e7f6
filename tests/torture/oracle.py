"""Reads a response with the standard library alone, and decides whether a plan made of it is correct."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sync.catalog.changes.mode_plan import ModePlan
from tests.torture.database_under_test import require

_BOM = b"\xef\xbb\xbf"
_GUARD_PERCENT, _GUARD_COUNT = 20, 3  # the defaults of MAX_REMOVAL_* and of MAX_COST_MOVE_*
_GUARD_FACTOR = 10  # the default of MAX_COST_MOVE_FACTOR
_MOVES = {"increase", "decrease", "cost_unset"}
_ANY_KEYS = {"credits", "params", "inputs", "capabilities", "raw_available_params"}
# Below the limits of the program, since the bytes of a model are not known here.
_LOWEST_EXPONENT = -25
_DEPTH, _TEXT, _RESPONSE = 62, 300_000, 3_000_000


@dataclass(frozen=True)
class ReadCatalog:
    """The models of a response that has a valid envelope."""

    models: list[Any]

    @property
    def ids(self) -> set[str]:
        """Every id of a model, including all of them if the key is repeated."""
        return {value for model in self.models for key, value in model.pairs if key == "id" and isinstance(value, str)}

    @property
    def is_readable(self) -> bool:
        """Whether every model has an id; removals can be derived from such a response only."""
        return all(
            any(key == "id" and isinstance(value, str) and value for key, value in model.pairs) for model in self.models
        )


@dataclass(frozen=True)
class _Object:
    """A JSON object with all its pairs; a dict would keep only the last one of a repeated key."""

    pairs: list[tuple[str, Any]]

    def get(self, key: str) -> Any:
        values = [value for name, value in self.pairs if name == key]
        return values[0] if len(values) == 1 else None


def read_catalog(body: bytes, mode: str) -> ReadCatalog | None:
    """The catalog in a response; None if the response must be rejected."""
    try:
        text = body.removeprefix(_BOM).decode("utf-8")
        response = json.loads(
            text, object_pairs_hook=_Object, parse_float=Decimal, parse_int=Decimal, parse_constant=_reject
        )
    except (ValueError, RecursionError):
        return None
    data = response.get("data") if isinstance(response, _Object) else None
    if not isinstance(data, _Object) or response.get("ok") is not True or data.get("mode") != mode:
        return None
    models = data.get("models")
    if not isinstance(models, list) or not all(isinstance(model, _Object) for model in models):
        return None
    total = data.get("total")
    return ReadCatalog(models) if isinstance(total, Decimal) and total == len(models) else None


def require_correct_plan(plan: ModePlan, body: bytes, listed: Collection[str]) -> None:
    """The plan changes only what the guards let pass, and each of its costs is the cost sent."""
    catalog = read_catalog(body, plan.mode)
    _require_costs_within_guard(plan, len(listed))
    if catalog is not None:
        _require_known_catalog(plan, catalog, listed)
    removed = {change.model_id for change in plan.changes if change.lifecycle == "removed"}
    if removed:
        require(catalog is not None, f"{sorted(removed)} removed by a response that is not a catalog")
    if catalog is None or not catalog.is_readable:
        require(not removed, f"{sorted(removed)} removed although an id could not be read")
        return
    require(not removed & catalog.ids, f"{sorted(removed & catalog.ids)} removed although the response has them")
    is_empty = not catalog.models
    require(
        not _exceeds(len(removed), len(listed)) and not (removed and is_empty),
        f"{len(removed)} removed, more than the guard allows",
    )
    if len(body) < _RESPONSE:
        acceptable = {model.get("id") for model in catalog.models if _is_acceptable(model, plan.mode)}
        rejected = acceptable & {model.model_id for model in plan.rejected}
        require(not rejected, f"{sorted(rejected)} rejected although id, mode, cost and limits are right")
    # A plan has no record for a rejected model, so only the costs that would be stored are compared.
    costs = {model.get("id"): _cost(model) for model in catalog.models}
    for change in plan.changes:
        if change.record is not None:
            planned = None if change.record.cost is None else Decimal(change.record.cost)
            cost = costs[change.model_id]
            require(planned == cost, f"{change.model_id!r} has the cost {planned} in the plan, {cost} in the response")


def _require_costs_within_guard(plan: ModePlan, listed: int) -> None:
    """Not too many costs vanish or jump, even if every listed model had a cost and was sent."""
    changes = [event.cost for change in plan.changes for event in change.events if event.cost and event.cost.old]
    moved = [each for each in changes if each.kind in _MOVES and _has_moved(each.old, each.new)]
    require(not _exceeds(len(moved), listed), f"{len(moved)} costs vanish or jump, more than the guard allows")


def _require_known_catalog(plan: ModePlan, catalog: ReadCatalog, listed: Collection[str]) -> None:
    missing = len(set(listed) - catalog.ids)
    added = plan.count("added", "relisted")
    is_foreign = _exceeds(missing, len(listed)) and _exceeds(added, len(listed))
    require(not is_foreign, f"{added} models added by a response that lacks {missing} of {len(listed)}")


def _has_moved(old: str | None, new: str | None) -> bool:
    if old is None or new is None:
        return old is not None
    low, high = sorted((Decimal(old), Decimal(new)))
    return high > low * _GUARD_FACTOR


def _exceeds(number: int, of: int) -> bool:
    return number >= _GUARD_COUNT and number * 100 > _GUARD_PERCENT * of


def _cost(model: _Object) -> Decimal | None:
    credits_ = model.get("credits")
    cost = credits_.get("default_cost") if isinstance(credits_, _Object) else None
    return cost if isinstance(cost, Decimal) else None


def _is_acceptable(model: _Object, mode: str) -> bool:
    """Whether nothing of a model is among the reasons for which one may be rejected."""
    keys = [key for key, _ in model.pairs]
    credits_, cost = model.get("credits"), _cost(model)
    return (
        len(set(keys)) == len(keys)
        and _is_key(model.get("id"))
        and model.get("mode") in (None, mode)
        and (credits_ is None or isinstance(credits_, _Object))
        and (credits_ is None or credits_.get("default_cost") is None or (cost is not None and _is_cost(cost)))
        and all(map(_is_key, keys))
        and all(_is_plain(value, _DEPTH, any_keys=key in _ANY_KEYS) for key, value in model.pairs)
    )


def _is_key(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= 255 and text.isprintable()


def _is_cost(cost: Decimal) -> bool:
    exponent = cost.as_tuple().exponent  # not normalised: a mutated exponent may be too large for that
    return 0 <= cost < Decimal("999999999999.9999") and isinstance(exponent, int) and exponent >= _LOWEST_EXPONENT


def _is_plain(value: Any, levels: int, *, any_keys: bool) -> bool:
    """Whether a value is within every limit and has no repeated key."""
    if isinstance(value, _Object):
        keys = [key for key, _ in value.pairs]
        if len(set(keys)) < len(keys) or any(len(key) > _TEXT for key in keys):
            return False
        if not any_keys and not all(map(_is_key, keys)):
            return False
    if isinstance(value, str):
        return len(value) < _TEXT
    if isinstance(value, Decimal):
        return abs(value.adjusted()) < 10**17
    return levels > 0 and all(_is_plain(one, levels - 1, any_keys=any_keys) for one in _below(value))


def _below(value: Any) -> Iterator[Any]:
    if isinstance(value, _Object):
        yield from (one for _, one in value.pairs)
    elif isinstance(value, list):
        yield from value


def _reject(constant: str) -> None:
    raise ValueError(constant)
