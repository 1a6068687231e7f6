"""Made-up models and responses, as the API would send them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from sync.catalog.changes.stored import Listed, Stored
from sync.catalog.json.decoder import decode_object
from sync.catalog.json.tree import Tree
from sync.catalog.model.normalise import normalise
from sync.catalog.model.parts import ModelParts
from sync.catalog.model.records import Record, Rejected
from sync.catalog.response.parsed import ParsedResponse

Model = dict[str, Any]

_SPELLED = re.compile(r'"@([^"]*)"')


def spelled(number: str) -> str:
    """A placeholder for a number that is sent with exactly this spelling."""
    return f"@{number}"


def model(model_id: str = "a", cost: Any = 3, **fields: Any) -> Model:
    """A model as Python values; ``cost`` may be the result of ``spelled``."""
    return {"id": model_id, "name": model_id.upper(), "provider": "P", "credits": {"default_cost": cost}, **fields}


def text_of(value: object) -> str:
    return _SPELLED.sub(r"\1", json.dumps(value))


def raw(value: object) -> bytes:
    return text_of(value).encode()


def tree(value: object) -> dict[str, Tree]:
    """The canonical tree of an object of Python values."""
    return decode_object(text_of(value))


def parts(value: object) -> ModelParts:
    """The parts of a model of Python values."""
    return ModelParts(tree(value))


def body(mode: str, models: Iterable[object], /, **data: object) -> bytes:
    """The body of a response; ``data`` replaces or adds fields beside the models."""
    listed = list(models)
    inside = {"mode": mode, "total": len(listed), "models": listed, **data}
    return raw({"ok": True, "code": 200, "message": "Studio models retrieved", "data": inside})


def parsed_response(models: Iterable[object], mode: str = "image") -> ParsedResponse:
    """A parsed response; bytes among the models are taken as they are."""
    texts = tuple(one if isinstance(one, bytes) else raw(one) for one in models)
    whole = b",".join(texts)
    return ParsedResponse(mode, len(texts), texts, len(whole), hashlib.sha256(whole).hexdigest())


def record(value: object, mode: str = "image") -> Record:
    """The record of a model, which must not be rejected."""
    normalised = normalise(value if isinstance(value, bytes) else raw(value), mode)
    assert isinstance(normalised, Record), normalised
    return normalised


def rejected(value: object, mode: str = "image") -> Rejected:
    """The rejection of a model, which must be rejected."""
    normalised = normalise(value if isinstance(value, bytes) else raw(value), mode)
    assert isinstance(normalised, Rejected), normalised
    return normalised


def listed(*models: Model) -> dict[str, Listed]:
    """The listed models after these were stored; ``model_pk`` counts from 1."""
    records = map(record, models)
    return {one.model_id: Listed(pk, one.fingerprint) for pk, one in enumerate(records, start=1)}


def stored(*models: Model) -> dict[str, Stored]:
    """The stored models after these were stored, all of them listed; ``model_pk`` counts from 1."""
    records = map(record, models)
    return {one.model_id: stored_as(one, pk) for pk, one in enumerate(records, start=1)}


def stored_as(known: Record, pk: int) -> Stored:
    return Stored(
        model_pk=pk,
        is_listed=True,
        fingerprint=known.fingerprint,
        name=known.text("name"),
        provider=known.text("provider"),
        raw=known.raw,
        since=None,
        cost=known.cost,
    )


# Rows in every table, and a text that no column can keep unchanged.
FULL = model(
    "full",
    description="ä\0\ud800",
    credits={"default_cost": spelled("5.000"), "per_duration": {"4": 2, "12": spelled("5.50")}, "tiers": [{"x": "a"}]},
    params={"size": {"type": "string", "options": ["2K", "1K"], "default": "1K"}, "seed": 5},
    inputs={"required": ["prompt"], "optional": ["image_url"], "rules": ["one_of:prompt,image_url"]},
    capabilities={"audio": True, "sizes": [2, 1], "a.b": {"c": "x"}},
    raw_available_params={"steps": [1, 2]},
    tags=["new"],
)
