"""The made-up catalog of the demo and its changes during a week. No model and no cost is real."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sync.source.emulator.catalogs import Catalog

_NOTES = "Made up for the demo."


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
    _model("image", "acme/sketch-pro", "Acme", 3, aspect_ratio=_RATIOS),
    _model("image", "borealis/paint-2", "Borealis", 2.5, size=["1K", "2K"]),
    _model("image", "cinder/photo", "Cinder", 4, output_format=["jpeg", "png"]),
    _model("video", "acme/motion", "Acme", 12, duration_seconds=_SECONDS),
    _model("video", "borealis/clip", "Borealis", 5, duration_seconds=_SECONDS, aspect_ratio=_RATIOS),
)

# The changes of each further day by model: fields to set by dotted path, None to remove the model, a whole
# model to add it. One day has none, so that the demo shows an unchanged catalog.
_LATER_DAYS: tuple[Mapping[str, Any], ...] = (
    {"acme/sketch-pro": {"credits.default_cost": 1.5}},
    {"borealis/clip": {"credits.default_cost": 6.5, "params.aspect_ratio.options": ["16:9", "9:16"]}},
    {"cinder/photo": None, "dune/reel": _model("video", "dune/reel", "Dune", 9.75, duration_seconds=_SECONDS)},
    {},
    {"cinder/photo": _model("image", "cinder/photo", "Cinder", 3.2, output_format=["jpeg", "png", "webp"])},
    {"acme/sketch": {"credits.default_cost": 1.25}, "acme/motion": {"credits.default_cost": None}},
)


def daily_catalogs() -> Iterator[Catalog]:
    """The catalog of each day, beginning with the first."""
    models = {model["id"]: model for model in _FIRST_DAY}
    yield _catalog(models)
    for day in _LATER_DAYS:
        for model_id, change in day.items():
            models = _with_change(models, model_id, change)
        yield _catalog(models)


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
