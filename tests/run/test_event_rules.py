"""Events are made and verified by the rules of their run: 1 for the runs of version 0.1, 2 for later ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from models_db import migrate
from models_db.engine import open_engine, read_transaction
from sync.catalog.changes import ignored
from sync.catalog.changes.diff import events_between
from sync.catalog.model import normalise
from sync.catalog.model.entities import rows_of
from sync.catalog.model.parts import ModelParts
from sync.store.verify.read_models import Verification
from tests.models_db.first_release import create_first_release, first_release_rows
from tests.support.made_responses import FULL, model
from tests.support.run_driver import Host, column, dump
from tests.support.stored_rows_checker import assert_consistent

HISTORY = ("model_versions", "credit_history", "catalog_changes")
RULES_BEFORE, RULES_NOW = ("input_rules", "examples"), ("inputs", "examples")


def with_example(address: str, price: object = 2) -> dict[str, Any]:
    credits_ = {"default_cost": 3, "tier": price}
    return {**model("a", inputs={"required": ["prompt"], "examples": [address]}), "credits": credits_}


def rows_before(parts: ModelParts) -> dict[str, Any]:
    return {**rows_of(parts), "credit_details": ()}


@contextmanager
def version_0_1() -> Iterator[None]:
    """Within it, the program makes events by rules 1 and no rows of prices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalise, "NORMALISER_VERSION", "1")
        patch.setattr(normalise, "rows_of", rows_before)
        patch.setattr(ignored, "events_between", lambda old, new, _: events_between(old, new, 1))
        yield


def findings(engine: Engine) -> list[str]:
    with read_transaction(engine) as connection:
        return [finding.problem for finding in Verification(connection).findings()]


def changed(engine: Engine, run_id: int) -> list[Any]:
    return column(
        engine, "catalog_changes.entity", "field", "delta_cost", where={"run_id": run_id, "change_kind": "changed"}
    )


@pytest.fixture
def upgraded(database_url: str) -> Iterator[Host]:
    """A database at revision 0002 with events of version 0.1, and then upgraded."""
    migrate.upgrade(database_url)
    engine = open_engine(database_url)
    host = Host(engine)
    with version_0_1():
        host.sync([with_example("https://host/a"), FULL])
        host.sync([with_example("https://host/b", 4), FULL])
    before = {name: rows for name, rows in dump(engine).items() if name in HISTORY}
    engine.dispose()
    migrate.downgrade(database_url, "0002")
    migrate.upgrade(database_url)
    assert {name: rows for name, rows in dump(engine).items() if name in HISTORY} == before
    yield host
    engine.dispose()


def test_an_upgrade_gives_old_runs_rules_1_and_their_history_stays_consistent(upgraded: Host) -> None:
    assert column(upgraded.engine, "sync_runs.event_rules") == [1, 1]
    assert changed(upgraded.engine, 2) == [("credits", "tier", None), (*RULES_BEFORE, None)]
    assert findings(upgraded.engine) == []


def test_the_first_run_after_an_upgrade_fills_the_new_table_without_an_event(upgraded: Host) -> None:
    before = {name: rows for name, rows in dump(upgraded.engine).items() if name in HISTORY}
    result = upgraded.sync([with_example("https://host/b", 4), FULL])

    assert result.status == "success"
    assert {name: rows for name, rows in dump(upgraded.engine).items() if name in HISTORY} == before
    assert column(upgraded.engine, "credit_details.path", where={"model_pk": 1}) == ["tier"]
    assert findings(upgraded.engine) == []
    assert_consistent(upgraded.engine)


def test_a_later_run_makes_its_events_by_rules_2(upgraded: Host) -> None:
    upgraded.sync([with_example("https://host/c", 5), FULL])

    assert column(upgraded.engine, "sync_runs.event_rules") == [1, 1, 2]
    assert changed(upgraded.engine, 3) == [("credits", "tier", 1), (*RULES_NOW, None)]
    assert findings(upgraded.engine) == []
    assert_consistent(upgraded.engine)


@pytest.mark.parametrize(("run_id", "rules"), [(2, 2), (3, 1)])
def test_events_that_do_not_follow_the_rules_of_their_run_are_findings(upgraded: Host, run_id: int, rules: int) -> None:
    upgraded.sync([with_example("https://host/c", 5), FULL])
    with upgraded.engine.begin() as connection:
        connection.execute(text(f"UPDATE sync_runs SET event_rules = {rules} WHERE run_id = {run_id}"))

    of_history = [problem for problem in findings(upgraded.engine) if not problem.startswith(f"run {run_id}: ")]
    assert len(of_history) == 3


def test_the_first_run_after_an_upgrade_of_the_first_release_changes_nothing(database_url: str) -> None:
    create_first_release(database_url)
    before = first_release_rows(database_url)
    migrate.upgrade(database_url)
    engine = open_engine(database_url)
    host = Host(engine, now=datetime(2030, 1, 1, tzinfo=UTC))
    result = host.sync(*(listed_texts(engine, mode) for mode in ("image", "video")))
    after = first_release_rows(database_url)

    assert result.status == "success"
    assert [mode.plan.changes.event_count for mode in result.modes if mode.plan] == [0, 0]
    assert {name: after[name] for name in HISTORY} == {name: before[name] for name in HISTORY}
    assert findings(engine) == []
    assert_consistent(engine)
    engine.dispose()


def listed_texts(engine: Engine, mode: str) -> bytes:
    """A response with the open version of each model."""
    query = "SELECT raw FROM model_versions v JOIN models m ON m.model_pk = v.model_pk WHERE valid_to IS NULL AND mode"
    with engine.connect() as connection:
        texts = list(connection.scalars(text(f"{query} = '{mode}'")))
    inside = f'"mode":"{mode}","total":{len(texts)},"models":[{",".join(texts)}]'
    return f'{{"ok":true,"code":200,"data":{{{inside}}}}}'.encode()
