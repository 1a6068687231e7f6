"""A newer program reads more from the raw texts: it rebuilds the current rows and leaves history alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from models_db.engine import read_transaction
from models_db.tables import models
from sync.catalog.model import normalise
from sync.catalog.model.entities import rows_of
from sync.catalog.model.parts import ModelParts
from sync.errors import ApiUnreachable
from sync.run import RunResult
from sync.run.import_ import ImportDependencies, import_responses
from sync.source.files.jsonl import read_saved_responses
from sync.store.verify.read_models import Verification
from tests.support.made_responses import FULL, body, model
from tests.support.run_driver import Host, Rows, column, dump

A, V = model("a", capabilities={"edit": True}), {**FULL, "id": "v"}
IMAGE = [FULL, A, *(model(f"other-{number}", cost=number) for number in range(3))]
HISTORY = ("model_versions", "credit_history", "catalog_changes")
NEWLY_RECOGNISED = ("capabilities", "param_options")
FAILED = ApiUnreachable("no response")


def rows_without(parts: ModelParts) -> dict[str, Any]:
    return {**rows_of(parts), **dict.fromkeys(NEWLY_RECOGNISED, ())}


@contextmanager
def older_program() -> Iterator[None]:
    """Within it, the program makes no rows of capabilities and options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalise, "NORMALISER_VERSION", "0")
        patch.setattr(normalise, "rows_of", rows_without)
        yield


@pytest.fixture
def upgraded(host: Host) -> Host:
    """A host whose only run was one of the older program."""
    with older_program():
        host.sync(IMAGE, [V])
    assert rows(host, NEWLY_RECOGNISED) == {name: [] for name in NEWLY_RECOGNISED}
    return host


def rows(host: Host, names: tuple[str, ...]) -> Rows:
    tables = dump(host.engine)
    return {name: tables[name] for name in names}


def outdated(engine: Engine) -> int:
    """The number of models that ``verify`` reports as outdated; the database must be consistent."""
    with read_transaction(engine) as connection:
        verification = Verification(connection)
        assert list(verification.findings()) == []
        return verification.outdated


def events(result: RunResult) -> list[tuple[str, str]]:
    plans = [mode.plan for mode in result.modes if mode.plan]
    return [(change.model_id, event.kind) for plan in plans for change in plan.changes for event in change.events]


def capable(host: Host, mode: str) -> set[str]:
    """The models of a mode that have rows in ``capabilities``."""
    ids = dict(column(host.engine, "models.model_pk", "model_id", where={"mode": mode}))
    return {ids[pk] for pk in column(host.engine, "capabilities.model_pk") if pk in ids}


def test_the_same_response_fills_the_tables_and_makes_no_event(upgraded: Host) -> None:
    before = rows(upgraded, HISTORY)
    result = upgraded.sync(IMAGE, [V])

    assert (result.status, events(result)) == ("success", [])
    assert rows(upgraded, HISTORY) == before
    assert all(rows(upgraded, NEWLY_RECOGNISED).values())
    assert capable(upgraded, "image") == {"full", "a"}
    assert {mode.row.models_changed for mode in result.modes} == {0}


def test_rows_are_rebuilt_once(upgraded: Host) -> None:
    upgraded.sync(IMAGE, [V])
    before = rows(upgraded, ("models", *NEWLY_RECOGNISED))
    result = upgraded.sync(IMAGE, [V])

    assert [len(mode.plan.changes) for mode in result.modes if mode.plan] == [0, 0]
    assert rows(upgraded, ("models", *NEWLY_RECOGNISED)) == before


def test_verify_reports_outdated_rows_and_not_as_damage(upgraded: Host) -> None:
    assert outdated(upgraded.engine) == len(IMAGE) + 1

    upgraded.sync(IMAGE, [V])

    assert outdated(upgraded.engine) == 0


def test_a_change_in_the_same_response_is_the_only_event(upgraded: Host) -> None:
    result = upgraded.sync([{**FULL, "credits": {**FULL["credits"], "default_cost": 9}}, *IMAGE[1:]], [V])

    assert events(result) == [("full", "increase")]
    assert capable(upgraded, "image") == {"full", "a"}
    assert outdated(upgraded.engine) == 0


def test_a_change_in_a_newly_read_field_is_compared_with_the_text_before(upgraded: Host) -> None:
    upgraded.sync([FULL, {**A, "capabilities": {"edit": False}}, *IMAGE[2:]], [V])

    changes = column(upgraded.engine, "catalog_changes.entity", "field", "old_value", "new_value")
    assert changes[-1] == ("capabilities", "edit", "true", "false")
    assert len(changes) == len(IMAGE) + 2


def test_a_mode_whose_fetch_fails_is_rebuilt_by_its_next_response(upgraded: Host) -> None:
    upgraded.sync(FAILED, [V])
    assert (capable(upgraded, "image"), capable(upgraded, "video")) == (set(), {"v"})
    assert outdated(upgraded.engine) == len(IMAGE)

    upgraded.sync(b"<html>", [V])
    assert outdated(upgraded.engine) == len(IMAGE)

    result = upgraded.sync(IMAGE, FAILED)
    assert (events(result), capable(upgraded, "image"), outdated(upgraded.engine)) == ([], {"full", "a"}, 0)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([A], id="held back: the others are missing"),
        pytest.param([model("full", cost="x"), *IMAGE[1:]], id="one is rejected"),
        pytest.param([{"id": 5}, A], id="an id cannot be read"),
        pytest.param([{**FULL, "description": None}], id="held back, and one has changed"),
    ],
)
def test_models_that_the_response_lacks_are_rebuilt_too(upgraded: Host, sent: list[Any]) -> None:
    upgraded.sync(sent, [V])

    assert capable(upgraded, "image") == {"full", "a"}
    assert outdated(upgraded.engine) == 0


def test_another_spelling_leaves_the_stored_text(upgraded: Host) -> None:
    before = rows(upgraded, HISTORY)
    result = upgraded.sync([dict(reversed(one.items())) for one in IMAGE], [V])

    assert events(result) == []
    assert rows(upgraded, HISTORY) == before
    assert outdated(upgraded.engine) == 0


def test_a_model_removed_in_the_same_run_is_relisted_with_all_its_rows(upgraded: Host) -> None:
    removal = upgraded.sync(IMAGE[1:], [V])
    assert events(removal) == [("full", "removed")]

    relisting = upgraded.sync(IMAGE, [V])

    assert events(relisting) == [("full", "relisted")]
    assert capable(upgraded, "image") == {"full", "a"}


def test_a_dry_run_writes_nothing_and_reports_no_change(upgraded: Host) -> None:
    before = dump(upgraded.engine)
    result = upgraded.sync(IMAGE, [V], dry_run=True)

    assert events(result) == []
    assert dump(upgraded.engine) == before
    upgraded.sync(IMAGE, [V])


def test_of_two_runs_at_once_one_rebuilds_the_rows(upgraded: Host) -> None:
    def between() -> None:
        upgraded.meanwhile = lambda: None
        upgraded.sync(IMAGE, [V])

    upgraded.meanwhile = between
    assert upgraded.sync(IMAGE, [V]).status == "superseded"
    assert outdated(upgraded.engine) == 0


def test_an_import_rebuilds_the_rows_too(upgraded: Host, tmp_path: Path) -> None:
    path = tmp_path / "responses.jsonl"
    at = upgraded.now.isoformat()
    path.write_text(f'{{"at": {json.dumps(at)}, "image": {body("image", IMAGE).decode()}}}\n')
    (result,) = import_responses(
        upgraded.engine, read_saved_responses(path), ImportDependencies(clock=lambda: upgraded.now, app_version="0")
    )

    assert result is not None
    assert (events(result), capable(upgraded, "image")) == ([], {"full", "a"})
    upgraded.sync(IMAGE, [V])


def test_going_back_to_the_older_program_makes_no_event_either(upgraded: Host) -> None:
    upgraded.sync(IMAGE, [V])
    before = rows(upgraded, HISTORY)
    with older_program():
        result = upgraded.sync(IMAGE, [V])
        assert outdated(upgraded.engine) == 0
    assert (events(result), rows(upgraded, HISTORY)) == ([], before)

    upgraded.sync(IMAGE, [V])
    assert rows(upgraded, HISTORY) == before


def test_a_fingerprint_of_another_text_is_damage_whatever_its_version(upgraded: Host) -> None:
    with upgraded.engine.begin() as connection:
        connection.execute(update(models).where(models.c.model_id == "a").values(fingerprint="0:" + "0" * 64))
    with read_transaction(upgraded.engine) as connection:
        findings = list(Verification(connection).findings())
    assert [(one.table, one.model_id) for one in findings] == [("models", "a")]

    upgraded.sync(IMAGE, [V])
    assert outdated(upgraded.engine) == 0
