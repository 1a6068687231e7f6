"""The very bytes that were applied last are known by their hash, and not looked into where that can change nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from models_db.tables import models
from sync.catalog.model import normalise
from sync.catalog.response import parse
from sync.run import RunResult
from tests.support.made_responses import body, model
from tests.support.run_driver import Host

IMAGE = [model("a"), model("b"), model("c", credits={"default_cost": 2})]


@pytest.fixture
def looked_into(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes of the answers of which the envelope was read."""
    seen: list[str] = []
    require_success = parse._require_success

    def note(envelope: object, mode: str) -> None:
        seen.append(mode)
        require_success(envelope, mode)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(parse, "_require_success", note)
    return seen


def image_row(result: RunResult) -> tuple[object, ...]:
    row = result.modes[0].row
    return row.status, row.models_reported, row.models_received, row.models_changed, row.payload_bytes


def test_the_same_bytes_again_are_not_looked_into_and_told_alike(host: Host, looked_into: list[str]) -> None:
    host.sync(IMAGE)
    looked_into.clear()

    again = host.sync(IMAGE)

    assert looked_into == []
    assert image_row(again) == ("success", 3, 3, 0, len(body("image", IMAGE)))
    assert host.sync(IMAGE, dry_run=True).status == "success"
    assert looked_into == []


def test_the_bytes_of_an_earlier_answer_are_not_those_applied_last(host: Host, looked_into: list[str]) -> None:
    host.sync(IMAGE)
    host.sync(IMAGE[:2])
    looked_into.clear()

    assert host.sync(IMAGE).modes[0].row.models_added == 1
    assert looked_into == ["image"]


def test_an_answer_with_a_rejected_model_is_judged_each_time(host: Host) -> None:
    bad = [*IMAGE, model("d", credits={"default_cost": "3"})]

    assert [host.sync(bad).modes[0].row.status for _ in range(2)] == ["partial", "partial"]


def test_an_answer_whose_removals_were_held_is_judged_each_time(host: Host) -> None:
    host.sync(IMAGE)

    assert [host.sync([]).modes[0].row.status for _ in range(2)] == ["held", "held"]
    assert host.sync([], accept=3).modes[0].row.models_removed == 3


def test_a_newer_normaliser_looks_into_it(host: Host, looked_into: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    host.sync(IMAGE)
    monkeypatch.setattr(normalise, "NORMALISER_VERSION", "newer")
    looked_into.clear()

    host.sync(IMAGE)

    assert looked_into == ["image"]
    with host.engine.connect() as connection:
        assert {mark.partition(":")[0] for mark in connection.scalars(select(models.c.fingerprint))} == {"newer"}


def test_an_answer_applied_by_another_run_meanwhile_supersedes_it(host: Host) -> None:
    host.sync(IMAGE)
    other = Host(host.engine, now=host.now)
    host.meanwhile = lambda: other.sync([*IMAGE, model("d")])

    assert host.sync(IMAGE).modes[0].row.status == "superseded"


def test_where_another_number_of_models_is_listed_it_is_looked_into(host: Host, looked_into: list[str]) -> None:
    """As after an answer with a copy in it: it had one more."""
    host.sync([*IMAGE, IMAGE[0]])
    looked_into.clear()

    assert host.sync([*IMAGE, IMAGE[0]]).modes[0].row.status == "success"
    assert looked_into == ["image"]


@pytest.mark.parametrize("mark", ["?", None])
def test_a_fingerprint_that_is_of_no_version_is_made_anew(host: Host, mark: str | None) -> None:
    host.sync(IMAGE)
    with host.engine.begin() as connection:
        connection.execute(update(models).values(fingerprint=mark).where(models.c.model_id == "b"))

    host.sync(IMAGE)

    with host.engine.connect() as connection:
        assert mark not in set(connection.scalars(select(models.c.fingerprint)))
