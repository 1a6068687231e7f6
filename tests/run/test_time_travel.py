"""The whole catalog at any moment is, field by field, what the API had sent."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine

from sync.store.queries import versions_at
from tests.run.conftest import REAL_HISTORY

Sent = dict[tuple[str, str], Any]


def meaning(value: Any) -> Any:
    """A JSON value without what makes no difference: nulls in objects, order and repeats of scalars, spelling."""
    if isinstance(value, dict):
        return {key: meaning(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        items = [meaning(item) for item in value]
        return items if any(isinstance(item, dict | list) for item in value) else sorted(set(map(repr, items)))
    return value.normalize() if isinstance(value, Decimal) else value


def read(text: str) -> Any:
    return meaning(json.loads(text, parse_float=Decimal, parse_int=Decimal))


def sent() -> list[tuple[datetime, Sent]]:
    """What the API sent at each moment, by mode and id."""
    with gzip.open(REAL_HISTORY, "rt") as file:
        lines = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in file]
    return [
        (
            datetime.fromisoformat(line["at"]),
            {
                (mode, model["id"]): meaning(model)
                for mode in ("image", "video")
                for model in line[mode]["data"]["models"]
            },
        )
        for line in lines
    ]


def stored(engine: Engine, moment: datetime) -> Sent:
    with engine.connect() as connection:
        return {
            (version.mode, version.model_id): read(version.raw) for version in versions_at(connection, moment, None)
        }


def test_the_catalog_at_every_moment_and_between_them_is_what_was_sent(real_history: Engine) -> None:
    moments = sent()

    assert stored(real_history, moments[0][0] - timedelta(microseconds=1)) == {}
    for (at, catalog), (later, _) in zip(
        moments, [*moments[1:], (moments[-1][0] + timedelta(days=1), {})], strict=True
    ):
        assert stored(real_history, at) == catalog
        assert stored(real_history, at + (later - at) / 2) == catalog
        assert stored(real_history, later - timedelta(microseconds=1)) == catalog
