"""Made-up models and answers, as the API would send them."""

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
from sync.catalog.model.records import Record, Rejected
from sync.catalog.response.parsed import ParsedResponse

Model = dict[str, Any]

_SPELLED = re.compile(r'"@([^"]*)"')


def spelled(number: str) -> str:
    """Stands for a number that is sent with just this spelling."""
    return f"@{number}"


def model(model_id: str = "a", cost: Any = 3, **fields: Any) -> Model:
    """A model as Python values; ``cost`` may be ``spelled``."""
    return {"id": model_id, "name": model_id.upper(), "provider": "P", "credits": {"default_cost": cost}, **fields}


def text_of(value: object) -> str:
    return _SPELLED.sub(r"\1", json.dumps(value))


def raw(value: object) -> bytes:
    return text_of(value).encode()


def tree(value: object) -> dict[str, Tree]:
    """The canonical tree of an object given as Python values."""
    return decode_object(text_of(value))


def body(mode: str, models: Iterable[object], /, **data: object) -> bytes:
    """A whole answer; ``data`` replaces or adds fields beside the models."""
    listed = list(models)
    inside = {"mode": mode, "total": len(listed), "models": listed, **data}
    return raw({"ok": True, "code": 200, "message": "Studio models retrieved", "data": inside})


def parsed_response(models: Iterable[object], mode: str = "image") -> ParsedResponse:
    """An answer as parsed; bytes among the models stand for themselves."""
    texts = tuple(one if isinstance(one, bytes) else raw(one) for one in models)
    whole = b",".join(texts)
    return ParsedResponse(mode, len(texts), texts, len(whole), hashlib.sha256(whole).hexdigest())


def record(value: object, mode: str = "image") -> Record:
    """The record of a model that is known to be taken."""
    found = normalise(value if isinstance(value, bytes) else raw(value), mode)
    assert isinstance(found, Record), found
    return found


def rejected(value: object, mode: str = "image") -> Rejected:
    """The rejection of a model that is known not to be taken."""
    found = normalise(value if isinstance(value, bytes) else raw(value), mode)
    assert isinstance(found, Rejected), found
    return found


def listed(*models: Model) -> dict[str, Listed]:
    """What is listed after these models were stored; numbers are given in order from 1."""
    records = map(record, models)
    return {found.model_id: Listed(pk, found.fingerprint) for pk, found in enumerate(records, start=1)}


def stored(*models: Model) -> dict[str, Stored]:
    """What is stored of these models, all listed."""
    records = map(record, models)
    return {found.model_id: stored_as(found, pk) for pk, found in enumerate(records, start=1)}


def stored_as(found: Record, pk: int) -> Stored:
    return Stored(
        model_pk=pk,
        is_listed=True,
        fingerprint=found.fingerprint,
        name=found.text("name"),
        provider=found.text("provider"),
        raw=found.raw,
        since=None,
        cost=found.cost,
    )


# Something in every table, and a text that no column takes as it is.
FULL = model(
    "full",
    cost=spelled("5.000"),
    description="ä\0\ud800",
    params={"size": {"type": "string", "options": ["2K", "1K"], "default": "1K"}, "seed": 5},
    inputs={"required": ["prompt"], "optional": ["image_url"], "rules": ["one_of:prompt,image_url"]},
    capabilities={"audio": True, "sizes": [2, 1], "a.b": {"c": "x"}},
    raw_available_params={"steps": [1, 2]},
    tags=["new"],
)
