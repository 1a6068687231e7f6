"""A made-up catalog that moves on from look to look, as a real one does, only faster."""

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
    """A model as the API lists it; the text is one way to write the value, without the mode."""

    value: Value
    text: str

    def sent(self, mode: str) -> str:
        return _MODE.format(mode) + self.text[1:]


class World:
    """What is listed and what was, by mode and id. Each ``turn`` changes some of it."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self._chance = chance
        self._ids = unusual_values.ids(chance)
        self.listed: dict[Key, Model] = {}
        self.away: dict[Key, Model] = {}
        self._arrive(size)

    def turn(self) -> None:
        """Nothing at all, a few things, or something great."""
        few = min(25, max(3, len(self.listed) // 60))
        costs, fields = [self._reprice, self._nudge] * 2, [self._edit] * 2
        places = [self._leave, self._return, self._arrive, self._move, self._double]
        for act in self._chance.sample([*costs, *fields, *places], self._chance.choice((0, 1, 2, 4, 6))):
            act(self._chance.randint(1, few))
        great = self._chance.random()
        if great < 0.06:
            self._vanish()
        elif great < 0.16:
            self._return(len(self.away))
        elif great < 0.2:
            self._respell(len(self.listed))
        else:
            self._respell(self._chance.choice((0, few)))

    def refused(self, key: Key) -> str:
        """A text of the model that cannot be taken, though its id can be read."""
        cost = Verbatim(self._chance.choice(unusual_values.REFUSED))
        value = {**self.listed[key].value, "credits": {"default_cost": cost}}
        return Model(value, self._text(value)).sent(key[0])

    def respelled(self, key: Key) -> str:
        """Another text of the model that means the same."""
        return Model({}, self._text(self.listed[key].value)).sent(key[0])

    def _arrive(self, number: int) -> None:
        for _ in range(number):
            id_ = next(self._ids)
            for mode in self._chance.choice((("image",), ("video",), ("image",), ("video",), MODES)):
                self._list((mode, id_), self._new_value(id_))

    def _leave(self, number: int) -> None:
        self._remove(self._some(self.listed, number))

    def _vanish(self) -> None:
        """Much of a mode at once, or all of it."""
        mode = self._chance.choice(MODES)
        there = [key for key in self.listed if key[0] == mode]
        self._remove(self._chance.sample(there, round(len(there) * self._chance.choice((0.25, 0.5, 0.9, 1)))))

    def _return(self, number: int) -> None:
        """Some as they were, some at another cost, some under another name."""
        for key in self._some(self.away, number):
            model = self.away.pop(key)
            self.listed[key] = model
            if self._chance.random() < 0.3:
                self._set_cost(key, unusual_values.cost(self._chance))
            if self._chance.random() < 0.3:
                self._list(key, {**model.value, **self._names()})

    def _move(self, number: int) -> None:
        """To the other mode, where it may have been before."""
        for mode, id_ in self._some(self.listed, number):
            model = self.listed[mode, id_]
            self._remove([(mode, id_)])
            self._list((_other(mode), id_), model.value)

    def _double(self, number: int) -> None:
        """Into the other mode too, at a cost of its own."""
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
        self.away.pop(key, None)
        self.listed[key] = Model(value, self._text(value))

    def _remove(self, keys: list[Key]) -> None:
        for key in keys:
            self.away[key] = self.listed.pop(key)

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
        return {"credits": self._chance.choice(({"default_cost": cost, "notes": note}, {"default_cost": cost}, None))}

    def _more(self) -> Value:
        """Fields nobody knows, and a section that comes and goes."""
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
        inputs = {"required": ["prompt"], "optional": self._chance.choice((["image_url"], ["image_url", "seed"]))}
        rules = self._chance.choice((None, ["one_of:prompt,image_url"], ["all_of:prompt", "one_of:a,b"]))
        abilities = self._chance.choice((None, {"audio": True}, {"audio": {"voices": ["a", "b"]}, "hd": "4K"}))
        return {"inputs": self._chance.choice((None, {**inputs, "rules": rules})), "capabilities": abilities}


def _other(mode: str) -> str:
    return MODES[mode == "image"]
