"""Catalogs and response bodies for an API on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sync.source.emulator.server import Catalog

Model = dict[str, Any]


def model(model_id: str = "acme/one", cost: object = 3, *, mode: str = "image", **fields: Any) -> Model:
    """A model with a cost and the given fields."""
    whole: Model = {"id": model_id, "mode": mode, "name": model_id.title(), "provider": "Acme"}
    return {**whole, "credits": {"default_cost": cost, "notes": "a note"}, **fields}


def numbered_models(number: int, mode: str = "image") -> list[Model]:
    """This number of models with different ids, ``acme/image-0`` and so on, and different costs."""
    return [model(f"acme/{mode}-{each}", each + 1, mode=mode) for each in range(number)]


def catalog(*models: Model) -> Catalog:
    def of(mode: str) -> tuple[bytes, ...]:
        return tuple(json.dumps(each).encode() for each in models if each["mode"] == mode)

    return Catalog(of("image"), of("video"))


def envelope(models: Iterable[object], mode: str = "image", /, **data: object) -> bytes:
    """The body of a response."""
    listed = list(models)
    whole = {"mode": mode, "total": len(listed), "models": listed, **data}
    return json.dumps({"ok": True, "code": 200, "message": "Studio models retrieved", "data": whole}).encode()
