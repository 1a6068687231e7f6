"""Made-up catalogs for measuring: about 2 KB a model, the same for the same seed on every machine."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODES = ("image", "video")
SEED = 20260301
CHANGED_SHARE = 0.01
GONE_SHARE = 0.001

_PROVIDERS = ("Acme", "Boreal", "Cinder", "Dune", "Ember", "Fathom", "Gale", "Harbor", "Iris", "Juniper", "Kite")
COSTS = ("0.5", "0.75", "1", "1.25", "2", "2.4", "3", "4", "5", "6.5", "8", "10", "12.5", "15", "20", "33.333", "48")
_WORDS = (
    *("bright", "clear", "deep", "even", "fast", "fine", "firm", "fluid", "grain", "high", "image", "keeps", "layer"),
    *("light", "line", "long", "model", "motion", "native", "new", "open", "paint", "plain", "portrait", "prompt"),
    *("render", "scene", "sharp", "short", "slow", "smooth", "soft", "sound", "still", "stable", "style", "text"),
    *("tone", "true", "upscale", "video", "voice", "warm", "wide"),
)
_RAW_NAMES = ("cfg_scale", "eta", "guidance", "lora", "noise", "sampler", "sigma", "steps", "strength", "tiling")
_RATIOS = ("1:1", "4:5", "16:9", "9:16", "21:9", "3:2")

Model = dict[str, Any]
Catalog = Mapping[str, Sequence[bytes]]
"""The models of each mode, each as it is sent."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The three looks that are measured: the first, and one in which some costs moved and some models went."""

    first: Catalog
    changed: Catalog
    changed_costs: int
    gone: int


def made_model(mode: str, number: int, seed: int = SEED) -> Model:
    """One model; the same arguments give the same model."""
    chance = random.Random(f"{seed} {mode} {number}")
    provider = chance.choice(_PROVIDERS)
    name = f"{chance.choice(_WORDS)}-{chance.choice(_WORDS)}-{number}"
    return {
        "id": f"{provider.lower()}/{name}",
        "mode": mode,
        "name": name.replace("-", " ").title(),
        "provider": provider,
        "description": _sentence(chance, 45),
        "credits": {"default_cost": json.loads(chance.choice(COSTS)), "notes": "credits match the cost calculator"},
        "params": _params(chance, mode),
        "inputs": _inputs(mode),
        "capabilities": _capabilities(chance, mode),
        "raw_available_params": {
            word: {"type": "number", "default": chance.randint(0, 99), "description": _sentence(chance, 9), "step": 0.1}
            for word in chance.sample(_RAW_NAMES, 7)
        },
    }


def made_catalog(number: int, seed: int = SEED) -> dict[str, list[Model]]:
    """A catalog of so many models, half of them image models."""
    return {mode: [made_model(mode, one, seed) for one in range(number // 2)] for mode in MODES}


def made_steps(number: int, seed: int = SEED) -> Steps:
    """A catalog, and the same after 1 % of the costs moved and 0.1 % of the models went."""
    chance = random.Random(f"{seed} steps")
    first = made_catalog(number, seed)
    changed: dict[str, list[Model]] = {}
    moved, gone = _halves(number * CHANGED_SHARE), _halves(number * GONE_SHARE)
    for mode, models in first.items():
        numbers = chance.sample(range(len(models)), moved[mode] + gone[mode])
        lost, dearer = set(numbers[: gone[mode]]), set(numbers[gone[mode] :])
        changed[mode] = [
            _dearer(model) if one in dearer else model for one, model in enumerate(models) if one not in lost
        ]
    return Steps(as_sent(first), as_sent(changed), sum(moved.values()), sum(gone.values()))


def as_sent(catalog: Mapping[str, Sequence[Model]]) -> dict[str, list[bytes]]:
    return {mode: [encoded(model) for model in models] for mode, models in catalog.items()}


def encoded(model: Model) -> bytes:
    return json.dumps(model, separators=(",", ":")).encode()


def envelope(mode: str, models: Sequence[bytes]) -> bytes:
    """An answer as the API sends it."""
    head = f'{{"ok":true,"code":200,"message":"Studio models retrieved","data":{{"mode":"{mode}","total":{len(models)}'
    return b"".join((head.encode(), b',"models":[', b",".join(models), b"]}}"))


def _halves(number: float) -> dict[str, int]:
    whole = round(number)
    return {"image": whole - whole // 2, "video": whole // 2}


def _dearer(model: Model) -> Model:
    costs = model["credits"]
    return {**model, "credits": {**costs, "default_cost": round(costs["default_cost"] * 1.5 + 0.25, 4)}}


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)).capitalize() + "."


def _params(chance: random.Random, mode: str) -> Model:
    params: Model = {
        "aspect_ratio": {"type": "string", "options": chance.sample(_RATIOS, 4), "default": "1:1"},
        "resolution": {"type": "string", "options": ["1K", "2K", "4K"], "default": "1K", "required": False},
        "output_format": {"type": "string", "enum": ["jpeg", "png"], "default": "png"},
        "seed": {"type": "integer", "min": 0, "max": chance.choice([65535, 2147483647])},
    }
    if mode == "video":
        params["duration_seconds"] = {"type": "integer", "options": [4, 5, 8, 10], "default": 5}
        params["generate_audio"] = {"type": "boolean", "default": False}
        return params
    params["max_images"] = {"type": "integer", "min": 1, "max": chance.randint(2, 9), "default": 1}
    params["quality"] = {"type": "string", "options": ["low", "medium", "high"], "default": "medium"}
    return params


def _inputs(mode: str) -> Model:
    if mode == "video":
        optional = ["image_url", "speech_text", "voice_id", "negative_prompt"]
        return {"required": [], "optional": ["prompt", *optional], "rules": ["one_of:prompt,speech_text"]}
    return {"required": ["prompt"], "optional": ["image_urls", "negative_prompt"], "rules": []}


def _capabilities(chance: random.Random, mode: str) -> Model:
    return {
        "text_to_" + mode: True,
        "image_to_" + mode: chance.random() < 0.5,
        "reference_images": {"supported": True, "max": chance.randint(1, 10)},
        "styles": sorted(chance.sample(_WORDS, 4)),
    }
