"""A catalog that changes in every supported way, forever, from a seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from sync.catalog.modes import MODES
from tests.support.made_responses import body, spelled

Model = dict[str, Any]
Catalog = dict[str, list[Model]]
"""The models of each mode, in the order in which the API sends them."""

# Ids and texts that have broken databases, terminals and spreadsheets: case, blanks, bidi marks, formulas, NUL.
_IDS = ["Acme/M1", "acme/m1 ", "ä\u202e<b>", "=1+1", *(f"acme/m{number}" for number in range(8))]
# Each of the eight kinds of change gets its own model, and the ninth is removed.
_LISTED_AT_FIRST = 9
_COSTS = ["5.000", "5", "0.049999999999999996", "1e2", "123456789012.1234567890123456789012345", "0", "7.25"]
ACCEPT_ALL = ("--accept-removals", "all", "--accept-costs", "all")
"""For syncs of these catalogs: those of a day differ by more than the guards let pass."""
_PARAMS = ["seed", "steps", "a.b"]
_TEXTS = ["plain", "ä\0\ud800", "\u202eevil\u2066", "\x1b[31mred", "=HYPERLINK(1)", "", "a\nb"]


class ChangingCatalog:
    """Makes one catalog after the other; each differs from the previous one by every kind of change in each mode."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._listed = {mode: {id_: self._new_model(id_) for id_ in _IDS[:_LISTED_AT_FIRST]} for mode in MODES}
        self._unlisted = {mode: {id_: self._new_model(id_) for id_ in _IDS[_LISTED_AT_FIRST:]} for mode in MODES}

    def current(self) -> Catalog:
        """A copy of the catalog, with the models of each mode in random order."""
        listed = {mode: [copy.deepcopy(model) for model in models.values()] for mode, models in self._listed.items()}
        for models in listed.values():
            # The order of models has no meaning, so it must not cause a change.
            self._rng.shuffle(models)
        return listed

    def next_catalog(self) -> Catalog:
        """Applies every kind of change to each mode and returns the new catalog.

        One model of nine disappears: fewer than the removal guard holds back.
        """
        for mode in MODES:
            listed, unlisted = self._listed[mode], self._unlisted[mode]
            returning = self._rng.choice(sorted(unlisted))
            removed = self._rng.choice(sorted(listed))
            changed = self._rng.sample(sorted(listed.keys() - {removed}), len(_CHANGES))
            for model_id, change in zip(changed, _CHANGES, strict=True):
                change(listed[model_id], self._rng)
            listed[returning] = unlisted.pop(returning)
            unlisted[removed] = listed.pop(removed)
        return self.current()

    def _new_model(self, model_id: str) -> Model:
        model: Model = {"id": model_id, "name": model_id.upper(), "provider": self._rng.choice(["P", "Q"])}
        for change in _CHANGES:
            change(model, self._rng)
        return model


def response_bodies(catalog: Catalog) -> dict[str, bytes]:
    """The body of the response for each mode of a catalog."""
    return {mode: body(mode, models) for mode, models in catalog.items()}


def _set_cost(model: Model, rng: random.Random) -> None:
    tiers = [{"size": size, "cost": rng.choice([1, 2.5, "3", None])} for size in ("1K", "2K")]
    prices: Model = rng.choice([{}, {"per_second": rng.randrange(-9, 99) / 8}, {"tiers": tiers, "x" * 256: 1}])
    model["credits"] = {"default_cost": rng.randrange(100, 10**6) / 100, "notes": rng.choice([*_TEXTS, 5]), **prices}


def _set_unusual_cost(model: Model, rng: random.Random) -> None:
    # Two of these costs are equal numbers in different spellings, which is not a change.
    model["credits"] = {"default_cost": spelled(rng.choice(_COSTS))}


def _set_or_unset_cost(model: Model, rng: random.Random) -> None:
    if (model.get("credits") or {}).get("default_cost") is None:
        model["credits"] = {"default_cost": rng.randrange(50)}
    else:
        model["credits"] = rng.choice([None, {"default_cost": None, "notes": "n"}, {}])


def _change_texts(model: Model, rng: random.Random) -> None:
    model["name"] = rng.choice([*_TEXTS, None])
    model["description"] = f"{rng.choice(_TEXTS)}{rng.randrange(99)}"


def _change_params(model: Model, rng: random.Random) -> None:
    # Options of different types in one list must be stored too.
    options = rng.sample(["1K", "2K", "4K", 8, True, None], rng.randrange(1, 6))
    size = {"type": "string", "options": options, "default": options[0]}
    other, entry = rng.choice(_PARAMS), rng.choice([rng.randrange(99), ["x", "y"], {"min": 1, "max": 9}])
    model["params"] = rng.choice(
        [
            {"size": size, other: entry},
            {"size": size, other: entry},
            [{"name": "size", **size}, {"name": other, "default": entry}],
            {"type": "object", "properties": {"size": size, other: {"const": entry}}, "required": ["size"]},
            [*options, other],
        ]
    )


def _change_inputs(model: Model, rng: random.Random) -> None:
    names = rng.sample(["prompt", "image_url", "speech_text", "mask"], 3)
    rules = {"rules": [f"one_of:{names[0]},{names[1]}"], "examples": [f"https://host/{names[0]}"]}
    flat = {names[0]: {"required": True}, names[1]: {"type": "string"}, "": {}}
    model["inputs"] = rng.choice([{"required": names[:1], "optional": names[1:], **rules}, flat, [*names, 5]])


def _change_capabilities(model: Model, rng: random.Random) -> None:
    model["capabilities"] = {"audio": rng.random() < 0.5, "sizes": rng.sample(range(9), 3), "a.b": {"c": "x"}}


def _change_unknown_field(model: Model, rng: random.Random) -> None:
    model[rng.choice(["tags", "x.y", "raw_available_params"])] = rng.choice([["new"], {"q": [1, {"z": None}]}, 5])


_CHANGES: tuple[Callable[[Model, random.Random], None], ...] = (
    _set_cost,
    _set_unusual_cost,
    _set_or_unset_cost,
    _change_texts,
    _change_params,
    _change_inputs,
    _change_capabilities,
    _change_unknown_field,
)
