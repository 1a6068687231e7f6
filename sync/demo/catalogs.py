"""The made-up catalog of the demo and its changes in three months. No model and no cost is real."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sync.source.emulator.catalogs import Catalog

_NOTES = "Made up for the demo."
_LAST_WEEK = 7  # steps

Change: TypeAlias = Mapping[str, Mapping[str, Any] | None]
"""By model: fields to set by dotted path, None to remove the model, a whole model to add it."""


@dataclass(frozen=True)
class Step:
    """What the API sends at a time."""

    days_before_end: int
    catalog: Catalog
    key_expired: bool = False


def _model(mode: str, model_id: str, provider: str, cost: float, **params: Any) -> dict[str, Any]:
    optional = ["image_urls"] if mode == "image" else ["image_url", "negative_prompt"]
    return {
        "id": model_id,
        "mode": mode,
        "name": model_id.partition("/")[2].replace("-", " ").title(),
        "provider": provider,
        "description": f"A model for {mode}s that does not exist.",
        "credits": {"default_cost": cost, "notes": _NOTES},
        "capabilities": {"text_to_" + mode: True, "max_prompt_characters": 2000},
        "inputs": {"required": ["prompt"], "optional": optional, "rules": []},
        "params": params,
        "raw_available_params": {"seed": {"type": "integer"}},
    }


_RATIOS = {"type": "string", "options": ["1:1", "16:9", "9:16"], "default": "1:1"}
_SECONDS = {"type": "integer", "options": [5, 10], "default": 5, "required": True}

_FIRST_DAY = (
    _model("image", "acme/sketch", "Acme", 1, aspect_ratio=_RATIOS),
    _model("image", "acme/sketch-pro", "Acme", 4, aspect_ratio=_RATIOS),
    _model("image", "borealis/paint-1", "Borealis", 2),
    _model("image", "borealis/paint-2", "Borealis", 2.5, size=["1K", "2K"]),
    _model("image", "cinder/photo", "Cinder", 4, output_format=["jpeg", "png"]),
    _model("image", "dune/doodle", "Dune", 0.5),
    _model("video", "acme/motion", "Acme", 10, duration_seconds=_SECONDS),
    _model("video", "borealis/clip", "Borealis", 5, duration_seconds=_SECONDS, aspect_ratio=_RATIOS),
)


@dataclass(frozen=True)
class _Event:
    """A time and what changes then. ``only_now`` is a fault of the API that the next response does not have."""

    days_before_end: int
    change: Change = field(default_factory=dict)
    only_now: Change = field(default_factory=dict)
    key_expired: bool = False


# Between two of them the catalog stays as it is. Some change nothing, so that the demo shows unchanged catalogs.
_EVENTS = (
    _Event(91),
    _Event(84, {"dune/doodle": {"credits.default_cost": 0}}),
    _Event(77, {"acme/motion": {"credits.default_cost": 12, "credits.per_duration": {"5s": 12, "10s": 22.5}}}),
    _Event(70),
    _Event(69, {"borealis/paint-2": {"credits.default_cost": 2.75}}),
    _Event(68, {"borealis/paint-2": {"credits.default_cost": 2.5}}),
    _Event(63, {"acme/sketch-pro": {"credits.default_cost": 3}}),
    _Event(56, key_expired=True),
    _Event(55, {"borealis/paint-1": None}),
    _Event(49, only_now={"cinder/photo": {"credits.default_cost": "four"}}),
    _Event(42, only_now=dict.fromkeys(("acme/sketch", "acme/sketch-pro", "borealis/paint-2"))),
    _Event(41),
    _Event(35, {"borealis/clip": {"description": "A model for short videos that does not exist."}}),
    _Event(28),
    _Event(21, {"acme/sketch": {"credits.default_cost": 1.1}}),
    _Event(14),
    _Event(13, {"acme/sketch": {"credits.default_cost": 1}}),
    _Event(12),
    _Event(11),
    _Event(8),
    _Event(7),
    _Event(6),
    _Event(5, {"acme/sketch-pro": {"credits.default_cost": 1.5}}),
    _Event(4, {"borealis/clip": {"credits.default_cost": 6.5, "params.aspect_ratio.options": ["16:9", "9:16"]}}),
    _Event(3, {"cinder/photo": None, "dune/reel": _model("video", "dune/reel", "Dune", 9.75)}),
    _Event(2),
    _Event(1, {"cinder/photo": _model("image", "cinder/photo", "Cinder", 3.2, output_format=["jpeg", "webp"])}),
    _Event(0, {"acme/sketch": {"credits.default_cost": 1.25}, "acme/motion": {"credits.default_cost": None}}),
)


def steps() -> Iterator[Step]:
    """What the API sends in three months, beginning with the first response."""
    models: Mapping[str, Any] = {model["id"]: model for model in _FIRST_DAY}
    for event in _EVENTS:
        models = _changed(models, event.change)
        yield Step(event.days_before_end, _catalog(_changed(models, event.only_now)), event.key_expired)


def daily_catalogs() -> Iterator[Catalog]:
    """The catalog of each day of the last week, beginning with the first."""
    return (step.catalog for step in list(steps())[-_LAST_WEEK:])


def _changed(models: Mapping[str, Any], change: Change) -> Mapping[str, Any]:
    for model_id, fields in change.items():
        models = _with_change(models, model_id, fields)
    return models


def _with_change(models: Mapping[str, Any], model_id: str, change: Mapping[str, Any] | None) -> dict[str, Any]:
    others = {other_id: model for other_id, model in models.items() if other_id != model_id}
    if change is None:
        return others
    return {**others, model_id: change if "id" in change else _with_fields(models[model_id], change)}


def _with_fields(model: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(dict(model))
    for path, value in fields.items():
        *parents, last = path.split(".")
        parent = changed
        for key in parents:
            parent = parent[key]
        parent[last] = value
    return changed


def _catalog(models: Mapping[str, Any]) -> Catalog:
    def raw(mode: str) -> tuple[bytes, ...]:
        return tuple(json.dumps(model).encode() for model in models.values() if model["mode"] == mode)

    return Catalog(image=raw("image"), video=raw("video"))
