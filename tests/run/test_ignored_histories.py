"""Random histories in which fields are ignored and ignored no longer: ``verify`` and the checker agree on each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from models_db.engine import open_engine
from models_db.migrate import upgrade
from sync.catalog.changes.ignored_path import is_usable
from sync.errors import UsageError
from sync.store.database import in_transaction
from sync.store.ignored import add_ignored, end_ignored
from sync.store.verify.read_models import Verification
from tests.support.made_responses import model
from tests.support.run_driver import Host, column
from tests.support.stored_rows_checker import assert_consistent

# Few of each, so that a field that is ignored is mostly one that changes.
few_values = st.sampled_from([1, 2, {"x": {"rank": 1}}, {"x": {"rank": 2}}])
fields = st.fixed_dictionaries({"a": few_values, "params": few_values}, optional={"inputs": few_values}).flatmap(
    lambda one: st.sampled_from([one, {**one, "raw_available_params": one["params"]}])
)
catalogs = st.lists(fields, min_size=2, max_size=2).flatmap(
    lambda both: st.integers(1, 2).map(
        lambda cost: [model(name, cost, **one) for name, one in zip("mn", both, strict=True)]
    )
)
paths = st.sampled_from(
    ["models.a", "models.a.x", "models.*.x.rank", "params", "params.*", "params.*.rank", "raw_available_params.x.rank"]
)
sync = st.tuples(st.just("sync"), catalogs, st.sampled_from([0, 0, 0, 0, -3]))
# Mostly a whole life of an ignored field, since few random steps make one.
lives = st.tuples(sync, paths, st.lists(sync, min_size=1, max_size=2), sync).map(
    lambda life: [life[0], ("add", life[1]), *life[2], ("remove", life[1]), life[3]]
)
others = (sync | st.tuples(st.sampled_from(["add", "remove"]), paths)).map(lambda step: [step])
steps = st.lists(lives | others, min_size=2, max_size=5).map(lambda parts: [step for part in parts for step in part])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def history_engine(template: Path) -> Iterator[Engine]:
    """One for all histories, which are made in the same file: each statement is compiled once."""
    path = template.with_name("history.db")
    shutil.copyfile(template, path)
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@settings(deadline=None, derandomize=True, max_examples=60, database=None)
@given(steps)
def test_verify_derives_the_same_changes_from_the_versions(
    template: Path, history_engine: Engine, steps: list[Any]
) -> None:
    history_engine.dispose()
    shutil.copyfile(template, template.with_name("history.db"))
    host = Host(history_engine)
    for kind, *values in steps:
        _step(host, kind, values)
    with history_engine.connect() as connection:
        assert list(Verification(connection).findings()) == []
    assert_consistent(history_engine)


def _step(host: Host, kind: str, values: list[Any]) -> None:
    if kind == "sync":
        sent, hours = values
        host.now += timedelta(hours=hours)
        host.sync(sent, modes=["image"])
        return
    (path,) = values
    assert is_usable(path)
    with suppress(UsageError):
        if kind == "add":
            in_transaction(host.engine, lambda connection, _: add_ignored(connection, [path], host.now, "noise", "Ada"))
        else:
            in_transaction(host.engine, lambda connection, _: end_ignored(connection, path, host.now, "removed"))


def test_a_clock_that_was_set_back_makes_no_empty_or_overlapping_interval(host: Host) -> None:
    engine = host.engine
    host.sync([model()])
    host.now -= timedelta(days=1)
    for _ in range(2):
        start = in_transaction(engine, lambda connection, _: add_ignored(connection, ["models.a"], host.now, "", "Ada"))
        end = in_transaction(engine, lambda connection, _: end_ignored(connection, "models.a", host.now, "removed"))
        assert start < end
        host.now -= timedelta(days=1)
    assert len(column(engine, "ignored_fields.valid_from")) == 2
    with engine.connect() as connection:
        assert list(Verification(connection).findings()) == []


def test_an_attempt_after_a_lost_commit_finds_what_the_first_one_stored(engine: Engine) -> None:
    host = Host(engine)

    def add(attempt: int, reason: str = "noise") -> Any:
        return in_transaction(
            engine, lambda connection, _: add_ignored(connection, ["models.a"], host.now, reason, "Ada", attempt)
        )

    def remove(attempt: int) -> Any:
        return in_transaction(
            engine, lambda connection, _: end_ignored(connection, "models.a", host.now, "removed by Ada", attempt)
        )

    start = add(1)
    host.now += timedelta(hours=1)
    assert add(2) == start
    with pytest.raises(UsageError):
        add(2, "another reason")
    end = remove(1)
    host.now += timedelta(hours=1)
    assert remove(2) == end
    with pytest.raises(UsageError):
        remove(1)
