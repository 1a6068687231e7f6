"""A wrong call raises before anything is opened, and quotes no secret."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.api import Limits, UsageError, open_catalog, sync_once

URL = "postgresql://user:hidden-word@example.org/none"
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001  # what is refused


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"database_url": None}, TypeError),
        ({"database_url": Path("catalog.db")}, TypeError),
        ({"api_key": None}, TypeError),
        ({"api_key": b"hidden-word"}, TypeError),
        ({"base_url": 1}, TypeError),
        ({"modes": "image"}, TypeError),
        ({"modes": ["image", "audio"]}, ValueError),
        ({"modes": ()}, ValueError),
        ({"dry_run": 1}, TypeError),
        ({"accept_removals": -1, "by": "ann"}, ValueError),
        ({"accept_removals": True, "by": "ann"}, TypeError),
        ({"accept_costs": "some", "by": "ann"}, TypeError),
        ({"accept_costs": 3}, ValueError),
        ({"accept_base_url": True}, ValueError),
        ({"by": 1}, TypeError),
        ({"why": "lone \ud800"}, ValueError),
        ({"by": "a\0b"}, ValueError),
        ({"archive": b"folder"}, TypeError),
        ({"limits": {"deadline": 1}}, TypeError),
        ({"trigger": "import"}, ValueError),
        ({"tick": "15m"}, TypeError),
        ({"tick": NAIVE}, ValueError),
        ({"tick": timedelta(0)}, ValueError),
        ({"tick": timedelta(days=1, seconds=1)}, ValueError),
        ({"cancel": random.random}, TypeError),
        ({"environ": [("A", "b")]}, TypeError),
        ({"rng": random}, TypeError),
        ({"clock": lambda: NAIVE}, ValueError),
        ({"clock": lambda: 0}, TypeError),
    ],
)
def test_a_wrong_call_of_sync_once_raises(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        sync_once(**{"database_url": URL, "api_key": "hidden-word", **arguments})

    assert "hidden-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("deadline", 0, ValueError),
        ("deadline", float("inf"), ValueError),
        ("deadline", "60", TypeError),
        ("attempts", 1.5, TypeError),
        ("attempts", True, TypeError),
        ("max_removal_percent", 101, ValueError),
        ("max_cost_move_factor", float("nan"), ValueError),
        ("database_timeout", 0.5, ValueError),
    ],
)
def test_a_limit_that_is_none_raises(name: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=name):
        Limits(**{name: value})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"database_url": 1}, TypeError),
        ({"catalog_id": 1}, TypeError),
        ({"catalog_id": "none"}, UsageError),
        ({"database_timeout": "1"}, TypeError),
        ({"database_timeout": 0}, ValueError),
        ({"database_url": "sqlite:////dev/null/none.db"}, UsageError),
    ],
)
def test_a_wrong_call_of_open_catalog_raises(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error), open_catalog(**{"database_url": URL, **arguments}):
        raise AssertionError("opened")


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("models", {"as_of": NAIVE}, ValueError),
        ("models", {"as_of": "2026-03-01"}, TypeError),
        ("models", {"mode": "audio"}, ValueError),
        ("models", {"provider": 1}, TypeError),
        ("models", {"provider": "lone \udfff"}, ValueError),
        ("model", {"model_id": "a\0b", "mode": "image"}, ValueError),
        ("model", {"model_id": "a", "mode": None}, TypeError),
        ("cost_at", {"model_id": "a", "mode": "image", "moment": NAIVE}, ValueError),
        ("cost_at", {"model_id": "a", "mode": "image", "moment": datetime.now(UTC).date()}, TypeError),
        ("cost_at", {"model_id": 1, "mode": "image", "moment": datetime.now(UTC)}, TypeError),
        ("changes", {"since": NAIVE}, ValueError),
        ("changes", {"until": timedelta(1)}, TypeError),
        ("changes", {"kinds": "increase"}, TypeError),
        ("changes", {"kinds": ["raised"]}, ValueError),
        ("changes", {"entities": [1]}, TypeError),
        ("changes", {"min_percent": "10"}, TypeError),
        ("runs", {"limit": 0}, ValueError),
        ("last_success", {"mode": "audio"}, ValueError),
        ("verify", {"thorough": 1}, TypeError),
    ],
)
def test_a_wrong_call_of_the_catalog_raises_at_once(
    method: str, arguments: dict[str, Any], error: type[Exception], sqlite_url: str
) -> None:
    with open_catalog(sqlite_url) as catalog, pytest.raises(error):
        getattr(catalog, method)(**arguments)


def test_a_catalog_that_is_closed_says_so(sqlite_url: str) -> None:
    with open_catalog(sqlite_url) as catalog:
        changes = catalog.changes()

    with pytest.raises(ValueError, match="closed"):
        catalog.models()
    with pytest.raises(ValueError, match="closed"):
        next(changes)


def test_limits_of_the_environment_are_those_of_the_command() -> None:
    environ = {"CATALOG_SYNC_DEADLINE": "5", "CATALOG_SYNC_MAX_MODELS": "10", "CATALOG_SYNC_ATTEMPTS": ""}

    assert Limits.from_environ(environ) == Limits(deadline=5, max_models=10)
    with pytest.raises(UsageError, match="CATALOG_SYNC_ATTEMPTS"):
        Limits.from_environ({"CATALOG_SYNC_ATTEMPTS": "many"})
    assert os.environ.get("CATALOG_SYNC_DEADLINE") is None
