"""Random histories in which fields are ignored and ignored no longer: ``verify`` and the checker agree on each."""

from __future__ import annotations

import shutil
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

few_values = st.sampled_from([None, 1, 2, [1, 2], {}, {"x": 1}, {"x": 2}, {"x": {"rank": 1}}, {"x": {"rank": 2}}])
fields = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("a", "a.b", "params", "raw_available_params", "capabilities", "inputs"), few_values)
)
catalogs = st.lists(fields, min_size=2, max_size=2).flatmap(
    lambda both: st.integers(1, 2).map(
        lambda cost: [model(name, cost, **one) for name, one in zip("mn", both, strict=True)]
    )
)
paths = st.sampled_from(
    [
        *("models.a", "models.a.x", "models.*.x", "models.a\\.b", "params", "params.*", "params.*.rank", "params.x"),
        *("raw_available_params.x.rank", "capabilities.x", "capabilities.*.rank", "inputs", "inputs.x", "input_rules"),
    ]
)
steps = st.lists(
    st.tuples(st.just("sync"), catalogs, st.sampled_from([0, 0, 0, -3]))
    | st.tuples(st.sampled_from(["add", "remove"]), paths),
    min_size=3,
    max_size=14,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@settings(deadline=None, derandomize=True, max_examples=40, database=None)
@given(steps)
def test_verify_derives_the_same_changes_from_the_versions(template: Path, steps: list[Any]) -> None:
    path = template.with_name("history.db")
    shutil.copyfile(template, path)
    engine = open_engine(f"sqlite:///{path}")
    try:
        host = Host(engine)
        for kind, *values in steps:
            _step(host, kind, values)
        with engine.connect() as connection:
            assert list(Verification(connection).findings()) == []
        assert_consistent(engine)
    finally:
        engine.dispose()


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
