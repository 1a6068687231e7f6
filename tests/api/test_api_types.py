"""The types of the library, as mypy sees them; each function is run too."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

from sync.api import (
    Catalog,
    Change,
    Checkpoint,
    CostAt,
    Finding,
    Limits,
    Model,
    ModelDetail,
    Outcome,
    Run,
    SyncedMode,
    SyncResult,
    open_catalog,
    sync_once,
)
from sync.source.emulator.server import Emulator
from tests.support.api_catalogs import catalog, model
from tests.support.secrets_search import KEY


def test_the_types_of_a_sync(sqlite_url: str, serve: Callable[..., Emulator]) -> None:
    result = sync_once(
        sqlite_url,
        api_key=KEY,
        base_url=serve(catalog(model())).base_url,
        modes=["image"],
        accept_costs="all",
        by="ann",
        limits=Limits(deadline=10),
        cancel=threading.Event(),
    )

    assert_type(result, SyncResult)
    assert_type(result.outcome, Outcome)
    assert_type(result.outcome.retry_helps, bool)
    assert_type(result.run_id, int | None)
    assert_type(result.modes, tuple[SyncedMode, ...])
    assert_type(result.changes, tuple[Change, ...])
    assert_type(result.changes[0].new_cost, Decimal | None)
    assert_type(result.checkpoint, Checkpoint | None)
    assert result.ok


def test_the_types_of_a_catalog(sqlite_url: str, serve: Callable[..., Emulator]) -> None:
    sync_once(sqlite_url, api_key=KEY, base_url=serve(catalog(model("a", 3))).base_url)
    with open_catalog(sqlite_url) as read:
        assert_type(read, Catalog)
        assert_type(read.models(as_of=datetime.now(UTC)), list[Model])
        assert_type(read.model("a", "image"), ModelDetail)
        assert_type(read.changes(kinds=("increase",)), Iterator[Change])
        assert_type(read.cost_at("a", "image", datetime.now(UTC)), CostAt)
        assert_type(read.cost_at("a", "image", datetime.now(UTC)).low, Decimal | None)
        assert_type(read.runs(), list[Run])
        assert_type(read.last_success("image"), datetime | None)
        assert_type(read.checkpoint(), Checkpoint)
        assert_type(read.verify(), list[Finding])


def wrong_calls(url: str) -> None:
    """Never called: mypy fails if one of these is no error."""
    sync_once(url, "a key")  # type: ignore[call-arg]
    sync_once(url, api_key=b"a key")  # type: ignore[arg-type]
    sync_once(url, accept_costs="some")  # type: ignore[arg-type]
    sync_once(url, trigger="import")  # type: ignore[arg-type]
    Limits(10)  # type: ignore[call-arg]
    with open_catalog(url) as read:
        read.cost_at("a", "image", "2026-03-01")  # type: ignore[arg-type]
        read.changes(since=10)  # type: ignore[arg-type]
