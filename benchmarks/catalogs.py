"""Made-up catalogs. The same arguments give the same catalogs on every machine."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MODES = ("image", "video")
REMOVED_SHARE = 0.001

_SEED = 20260301
_PROVIDERS = ("Acme", "Boreal", "Cinder", "Dune", "Ember", "Fathom", "Gale", "Harbor", "Iris", "Juniper", "Kite")
_COSTS = (0.5, 0.75, 1, 1.25, 2, 2.4, 3, 4, 5, 6.5, 8, 10, 12.5, 15, 20, 33.333, 48)
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
"""The listed models of each mode, each as the API sends it."""


def snapshots(models: int, changed_share: float = 0.01, *, is_small: bool = False) -> Iterator[Catalog]:
    """An endless series of catalogs of the same models, half of them image models.

    From one catalog to the next this share of the models gets another cost, one model in a thousand
    is removed, and those removed before are listed again. A model has about 2 KB; with ``is_small``
    it has about 400 bytes.
    """
    chance = random.Random(f"{_SEED} {models} {changed_share}")
    made = [made_model(MODES[one % 2], one, is_small=is_small) for one in range(models)]
    texts = [_encoded(model) for model in made]
    changed, removed = round(models * changed_share), round(models * REMOVED_SHARE)
    unlisted: set[int] = set()
    # Only the texts that changed are encoded again: a long history takes thousands of catalogs.
    while True:
        listed = [(one, text) for one, text in enumerate(texts) if one not in unlisted]
        yield {mode: [text for one, text in listed if MODES[one % 2] == mode] for mode in MODES}
        numbers = chance.sample(range(models), changed + removed)
        for one in numbers[:changed]:
            made[one]["credits"]["default_cost"] = _other_cost(chance, made[one]["credits"]["default_cost"])
            texts[one] = _encoded(made[one])
        unlisted = set(numbers[changed:])


def made_model(mode: str, number: int, *, is_small: bool = False) -> Model:
    """One model; the same arguments give the same model."""
    chance = random.Random(f"{_SEED} {mode} {number}")
    provider = chance.choice(_PROVIDERS)
    name = f"{chance.choice(_WORDS)}-{chance.choice(_WORDS)}-{number}"
    model: Model = {
        "id": f"{provider.lower()}/{name}",
        "mode": mode,
        "name": name.replace("-", " ").title(),
        "provider": provider,
        "description": _sentence(chance, 20 if is_small else 45),
        "credits": {"default_cost": chance.choice(_COSTS), "notes": "credits match the cost calculator"},
    }
    if is_small:
        return model
    return model | {
        "params": _params(chance, mode),
        "inputs": _inputs(mode),
        "capabilities": _capabilities(chance, mode),
        "raw_available_params": {
            word: {"type": "number", "default": chance.randint(0, 99), "description": _sentence(chance, 9), "step": 0.1}
            for word in chance.sample(_RAW_NAMES, 7)
        },
    }


def envelope(mode: str, models: Sequence[bytes]) -> bytes:
    """A response body as the API sends it."""
    head = f'{{"ok":true,"code":200,"message":"Studio models retrieved","data":{{"mode":"{mode}","total":{len(models)}'
    return b"".join((head.encode(), b',"models":[', b",".join(models), b"]}}"))


def _other_cost(chance: random.Random, cost: float) -> float:
    # A catalog in which many costs change tenfold may be held back.
    return chance.choice([other for other in _COSTS if other != cost and other / 10 < cost < other * 10])


def _encoded(model: Model) -> bytes:
    return json.dumps(model, separators=(",", ":")).encode()


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
