"""A made-up catalog that changes from one observation to the next, like a real one but faster."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.replays import unusual_values
from tests.replays.json_spellings import Verbatim, written

Key: TypeAlias = tuple[str, str]
Value: TypeAlias = dict[str, Any]

MODES = ("image", "video")
_MODE = '{{"mode":"{}",'


@dataclass(frozen=True)
class Model:
    """A model as the API lists it; ``text`` is a spelling of ``value``, without the mode."""

    value: Value
    text: str

    def sent(self, mode: str) -> str:
        return _MODE.format(mode) + self.text[1:]


class MadeCatalog:
    """The listed and the removed models by mode and id. Each ``turn`` changes some of them."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self._chance = chance
        self._ids = unusual_values.ids(chance)
        self.listed: dict[Key, Model] = {}
        self.removed: dict[Key, Model] = {}
        self._add(size)

    def turn(self) -> None:
        """Changes nothing, a few models, or a large part of the catalog."""
        few = min(25, max(3, len(self.listed) // 60))
        costs, fields = [self._reprice, self._nudge] * 2, [*[self._edit] * 3, self._reprice_beside]
        places = [self._remove_some, self._relist, self._add, self._move, self._copy]
        for act in self._chance.sample([*costs, *fields, *places], self._chance.choice((0, 1, 2, 4, 6))):
            act(self._chance.randint(1, few))
        large = self._chance.random()
        if large < 0.06:
            self._remove_many()
        elif large < 0.16:
            self._relist(len(self.removed))
        elif large < 0.2:
            self._respell(len(self.listed))
        else:
            self._respell(self._chance.choice((0, few)))

    def rejected(self, key: Key) -> str:
        """A text of the model that is rejected although its id can be read."""
        cost = Verbatim(self._chance.choice(unusual_values.REJECTED))
        value = {**self.listed[key].value, "credits": {"default_cost": cost}}
        return Model(value, self._text(value)).sent(key[0])

    def respelled(self, key: Key) -> str:
        """Another text of the model with the same meaning."""
        return Model({}, self._text(self.listed[key].value)).sent(key[0])

    def _add(self, number: int) -> None:
        for _ in range(number):
            id_ = next(self._ids)
            for mode in self._chance.choice((("image",), ("video",), ("image",), ("video",), MODES)):
                self._list((mode, id_), self._new_value(id_))

    def _remove_some(self, number: int) -> None:
        self._remove(self._some(self.listed, number))

    def _remove_many(self) -> None:
        """Removes a large part of a mode, or all of it."""
        mode = self._chance.choice(MODES)
        in_mode = [key for key in self.listed if key[0] == mode]
        self._remove(self._chance.sample(in_mode, round(len(in_mode) * self._chance.choice((0.25, 0.5, 0.9, 1)))))

    def _relist(self, number: int) -> None:
        """Lists removed models again: some unchanged, some with another cost, some with another name."""
        for key in self._some(self.removed, number):
            model = self.removed.pop(key)
            self.listed[key] = model
            if self._chance.random() < 0.3:
                self._set_cost(key, unusual_values.cost(self._chance))
            if self._chance.random() < 0.3:
                self._list(key, {**model.value, **self._names()})

    def _move(self, number: int) -> None:
        """Moves models to the other mode, where they may have been before."""
        for mode, id_ in self._some(self.listed, number):
            model = self.listed[mode, id_]
            self._remove([(mode, id_)])
            self._list((_other(mode), id_), model.value)

    def _copy(self, number: int) -> None:
        """Lists models in the other mode too, with another cost."""
        for mode, id_ in self._some(self.listed, number):
            if (_other(mode), id_) not in self.listed:
                self._list((_other(mode), id_), {**self.listed[mode, id_].value, **self._credits()})

    def _reprice(self, number: int) -> None:
        for key in self._some(self.listed, number):
            self._set_cost(key, unusual_values.cost(self._chance))

    def _nudge(self, number: int) -> None:
        for key in self._some(self.listed, number):
            old = (self.listed[key].value.get("credits") or {}).get("default_cost")
            self._set_cost(key, unusual_values.close_to(old, self._chance))

    def _edit(self, number: int) -> None:
        edits = (self._names, self._credits, self._more, self._params, self._inputs)
        for key in self._some(self.listed, number):
            value = {**self.listed[key].value, **self._chance.choice(edits)()}
            self._list(
                key, {name: one for name, one in value.items() if one is not None or self._chance.random() < 0.5}
            )

    def _respell(self, number: int) -> None:
        for key in self._some(self.listed, number):
            self._list(key, self.listed[key].value)

    def _set_cost(self, key: Key, cost: object) -> None:
        value = self.listed[key].value
        self._list(key, {**value, "credits": {**(value.get("credits") or {}), "default_cost": cost}})

    def _list(self, key: Key, value: Value) -> None:
        self.removed.pop(key, None)
        self.listed[key] = Model(value, self._text(value))

    def _remove(self, keys: list[Key]) -> None:
        for key in keys:
            self.removed[key] = self.listed.pop(key)

    def _text(self, value: Value) -> str:
        return written(value, self._chance)

    def _some(self, models: dict[Key, Model], number: int) -> list[Key]:
        return self._chance.sample([*models], min(number, len(models)))

    def _new_value(self, id_: str) -> Value:
        return {"id": id_, **self._names(), **self._credits(), **self._more(), **self._params(), **self._inputs()}

    def _names(self) -> Value:
        name, provider = self._chance.choice(unusual_values.NAMES), self._chance.choice(unusual_values.PROVIDERS)
        return {"name": name, "provider": provider, "description": self._chance.choice((None, *unusual_values.NAMES))}

    def _credits(self) -> Value:
        cost, note = unusual_values.cost(self._chance), self._chance.choice((None, "", "per image", "100 %"))
        prices = self._chance.choice(({}, {"per_second": unusual_values.cost(self._chance)}, {"tiers": self._tiers()}))
        whole = {"default_cost": cost, "notes": note, **prices}
        return {"credits": self._chance.choice((whole, {"default_cost": cost, **prices}, None))}

    def _tiers(self) -> list[Value]:
        return [{"size": size, "cost": unusual_values.cost(self._chance)} for size in ("1K", "2K")]

    def _reprice_beside(self, number: int) -> None:
        """Changes prices beside the cost: one of them, or several."""
        for key in self._some(self.listed, number):
            value = self.listed[key].value
            credits_ = dict(value.get("credits") or {})
            if credits_.get("tiers"):
                price = {"cost": unusual_values.cost(self._chance)}
                credits_["tiers"] = [self._chance.choice((tier, {**tier, **price})) for tier in credits_["tiers"]]
            elif "per_second" in credits_:
                credits_["per_second"] = unusual_values.close_to(credits_["per_second"], self._chance)
            self._list(key, {**value, "credits": credits_})

    def _more(self) -> Value:
        """Unknown fields, and a section that is sometimes missing."""
        numbers = [unusual_values.cost(self._chance) for _ in range(self._chance.randrange(3))]
        deep = {"a.b": {"c\\d": self._chance.choice((True, False, "x", None))}, "list": numbers}
        return {
            "beta": self._chance.choice((None, True, {}, [], "", deep, [deep])),
            "\U0001f9ea": self._chance.choice((None, "x", True)),
            "raw_available_params": self._chance.choice((None, None, {"steps": numbers, "seed": {"min": False}})),
        }

    def _params(self) -> Value:
        ratios = self._chance.sample(["1:1", "9:16", "16:9", "\u221e"], self._chance.randint(1, 4))
        entry = {"type": "string", "options": ratios, "default": self._chance.choice((None, *ratios))}
        return {
            "params": self._chance.choice((None, {"ratio": entry}, {"ratio": ratios, "s.eed": True}, {"s.eed": "x"}))
        }

    def _inputs(self) -> Value:
        inputs: Value = {
            "required": ["prompt"],
            "optional": self._chance.choice((["image_url"], ["image_url", "seed"])),
        }
        inputs["examples"] = self._chance.choice((None, ["https://host/a", "data:text"], ["https://host/b"]))
        rules = self._chance.choice((None, ["one_of:prompt,image_url"], ["all_of:prompt", "one_of:a,b"]))
        abilities = self._chance.choice((None, {"audio": True}, {"audio": {"voices": ["a", "b"]}, "hd": "4K"}))
        return {"inputs": self._chance.choice((None, {**inputs, "rules": rules})), "capabilities": abilities}


def _other(mode: str) -> str:
    return MODES[mode == "image"]
