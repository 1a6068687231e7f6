"""A catalog that changes in every way there is, for ever, from a seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from sync.catalog.modes import MODES
from tests.support.made_responses import body, spelled

Model = dict[str, Any]
Catalog = dict[str, list[Model]]
"""The models of each mode, in the order in which they are sent."""

_IDS = ["Acme/M1", "acme/m1 ", "ä\u202e<b>", "=1+1", *(f"acme/m{number}" for number in range(8))]
_LISTED_AT_FIRST = 9
_COSTS = ["5.000", "5", "0.049999999999999996", "1e2", "123456789012.1234567890123456789012345", "0", "7.25"]
_TEXTS = ["plain", "ä\0\ud800", "\u202eevil\u2066", "\x1b[31mred", "=HYPERLINK(1)", "", "a\nb"]


class Upheaval:
    """Gives one catalog after the other; each differs from the one before in every way a mode can."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._listed = {mode: {id_: self._new(id_) for id_ in _IDS[:_LISTED_AT_FIRST]} for mode in MODES}
        self._gone = {mode: {id_: self._new(id_) for id_ in _IDS[_LISTED_AT_FIRST:]} for mode in MODES}

    def now(self) -> Catalog:
        """The catalog as it is, its models in any order."""
        listed = {mode: [copy.deepcopy(model) for model in models.values()] for mode, models in self._listed.items()}
        for models in listed.values():
            self._chance.shuffle(models)
        return listed

    def next(self) -> Catalog:
        """The catalog after changes of every kind in both modes: too few vanish for the removal guard to hold them."""
        for mode in MODES:
            models, gone = self._listed[mode], self._gone[mode]
            back = self._chance.choice(sorted(gone))
            leaving = self._chance.choice(sorted(models))
            chosen = self._chance.sample(sorted(models.keys() - {leaving}), len(_CHANGES))
            for model_id, change in zip(chosen, _CHANGES, strict=True):
                change(models[model_id], self._chance)
            models[back] = gone.pop(back)
            gone[leaving] = models.pop(leaving)
        return self.now()

    def _new(self, model_id: str) -> Model:
        made: Model = {"id": model_id, "name": model_id.upper(), "provider": self._chance.choice(["P", "Q"])}
        for change in _CHANGES:
            change(made, self._chance)
        return made


def sent(catalog: Catalog) -> dict[str, bytes]:
    """The answers that carry a catalog."""
    return {mode: body(mode, models) for mode, models in catalog.items()}


def _cost_rises(model: Model, chance: random.Random) -> None:
    model["credits"] = {"default_cost": chance.randrange(100, 10**6) / 100, "notes": chance.choice(_TEXTS)}


def _cost_moves(model: Model, chance: random.Random) -> None:
    model["credits"] = {"default_cost": spelled(chance.choice(_COSTS))}


def _cost_comes_or_goes(model: Model, chance: random.Random) -> None:
    if (model.get("credits") or {}).get("default_cost") is None:
        model["credits"] = {"default_cost": chance.randrange(50)}
    else:
        model["credits"] = chance.choice([None, {"default_cost": None, "notes": "n"}, {}])


def _texts_change(model: Model, chance: random.Random) -> None:
    model["name"] = chance.choice([*_TEXTS, None])
    model["description"] = f"{chance.choice(_TEXTS)}{chance.randrange(99)}"


def _params_change(model: Model, chance: random.Random) -> None:
    options = chance.sample(["1K", "2K", "4K", 8, True, None], chance.randrange(1, 6))
    model["params"] = {
        "size": {"type": "string", "options": options, "default": options[0]},
        chance.choice(["seed", "steps", "a.b"]): chance.choice(
            [chance.randrange(99), ["x", "y"], {"min": 1, "max": 9}]
        ),
    }


def _inputs_change(model: Model, chance: random.Random) -> None:
    names = chance.sample(["prompt", "image_url", "speech_text", "mask"], 3)
    model["inputs"] = {"required": names[:1], "optional": names[1:], "rules": [f"one_of:{names[0]},{names[1]}"]}


def _capabilities_change(model: Model, chance: random.Random) -> None:
    model["capabilities"] = {"audio": chance.random() < 0.5, "sizes": chance.sample(range(9), 3), "a.b": {"c": "x"}}


def _unknown_field_changes(model: Model, chance: random.Random) -> None:
    model[chance.choice(["tags", "x.y", "raw_available_params"])] = chance.choice([["new"], {"q": [1, {"z": None}]}, 5])


_CHANGES: tuple[Callable[[Model, random.Random], None], ...] = (
    _cost_rises,
    _cost_moves,
    _cost_comes_or_goes,
    _texts_change,
    _params_change,
    _inputs_change,
    _capabilities_change,
    _unknown_field_changes,
)
