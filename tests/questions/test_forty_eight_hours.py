"""The 48 hours of docs/questions.md, counted without date arithmetic, are exact to the second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from models_db.engine import read_transaction
from tests.questions.documented_questions import documented_questions
from tests.support.made_responses import model
from tests.support.run_driver import Host

REVERTED = "Which changes were reverted within 48 hours?"
BLIPS = "Which cost changes were repricings, and which were blips?"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TWO_DAYS = timedelta(hours=48)
SECOND = timedelta(seconds=1)


def rows_of(engine: Engine, name: str) -> list[tuple[str, str]]:
    """The id of each model in the result, with its kind of change or of interval."""
    (statement,) = (question.statements[0] for question in documented_questions() if question.name == name)
    with read_transaction(engine) as connection:
        return [
            (row.model_id, getattr(row, "change_kind", None) or row.kind)
            for row in connection.exec_driver_sql(statement)
        ]


MIDNIGHT = NOON.replace(hour=0)
EVENING = NOON.replace(hour=23, minute=59)


def raise_and_revert(engine: Engine, start: datetime, later: timedelta) -> None:
    host = Host(engine)
    for moment, cost in ((start - TWO_DAYS, 1), (start, 2), (start + later, 1)):
        host.now = moment - 2 * SECOND  # the response arrives 2 s after the request
        host.sync([model("a", cost)], [])


@pytest.mark.parametrize(
    ("start", "later"), [(NOON, TWO_DAYS), (MIDNIGHT, TWO_DAYS), (EVENING, TWO_DAYS), (EVENING, timedelta(minutes=2))]
)
def test_a_change_reverted_within_48_hours_is_a_blip(engine: Engine, start: datetime, later: timedelta) -> None:
    raise_and_revert(engine, start, later)

    assert rows_of(engine, REVERTED) == [("a", "increase")]
    assert rows_of(engine, BLIPS) == [("a", "blip")]


@pytest.mark.parametrize(
    ("start", "later"),
    [
        (NOON, TWO_DAYS + SECOND),
        (MIDNIGHT, TWO_DAYS + SECOND),
        (EVENING, timedelta(hours=50)),
        (NOON.replace(hour=1), timedelta(hours=70)),
    ],
)
def test_a_change_reverted_later_is_two_repricings(engine: Engine, start: datetime, later: timedelta) -> None:
    raise_and_revert(engine, start, later)

    assert rows_of(engine, REVERTED) == []
    assert rows_of(engine, BLIPS) == [("a", "repricing")] * 2


def test_a_removal_reverted_at_the_same_cost_counts_and_at_another_cost_does_not(engine: Engine) -> None:
    host = Host(engine)
    host.sync([model("same"), model("dearer", 3), model("stays")])
    host.sync([model("stays")])
    host.sync([model("same"), model("dearer", 4), model("stays")])

    assert rows_of(engine, REVERTED) == [("same", "removed")]
    assert rows_of(engine, BLIPS) == [("dearer", "repricing")]
