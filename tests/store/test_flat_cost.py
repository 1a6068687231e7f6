"""The statements of an unchanged sync do not depend on the number of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from sync.store.batches import BATCH_SIZE
from tests.support.made_responses import Model, model
from tests.support.run_driver import Host

# More models than one statement takes, in each mode.
MANY = BATCH_SIZE + 1


class Traffic:
    """The statements sent to the database, and the number of rows written by table."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.written: Counter[str] = Counter()

    def note(self, _connection: Connection, cursor: Any, statement: str, *_rest: object) -> None:
        self.statements.append(statement)
        verb, *words = statement.split()
        if verb in {"INSERT", "COPY", "UPDATE", "DELETE"}:
            self.written[words[verb in {"INSERT", "DELETE"}]] += cursor.rowcount


@contextmanager
def watched(engine: Engine) -> Iterator[Traffic]:
    traffic = Traffic()
    event.listen(engine, "after_cursor_execute", traffic.note)
    yield traffic
    event.remove(engine, "after_cursor_execute", traffic.note)


def models(number: int, cost: int = 3) -> list[Model]:
    return [model(f"m{one}", cost) for one in range(number)]


@pytest.fixture
def unchanged(engine: Engine) -> dict[int, Traffic]:
    """The traffic of an unchanged sync by the number of models in each mode."""
    host = Host(engine)
    traffic: dict[int, Traffic] = {}
    for number in (1, MANY):
        host.sync(models(number), models(number))
        with watched(engine) as traffic[number]:
            host.sync(models(number), models(number))
    return traffic


def test_an_unchanged_sync_sends_the_same_statements_for_any_number_of_models(
    unchanged: dict[int, Traffic],
) -> None:
    assert unchanged[MANY].statements == unchanged[1].statements


# The row of the run is written twice, at its begin and at its end; a seal is a row more, and the tree's row changes.
OF_THE_RUN = {
    "sync_runs": 2,
    "sync_run_modes": 2,
    "sync_state": 2,
    "watch_days": 2,
    "seals": 1,
    "catalog_identity": 1,
}


def test_an_unchanged_sync_writes_its_run_its_modes_their_state_days_and_seal(unchanged: dict[int, Traffic]) -> None:
    assert unchanged[MANY].written == OF_THE_RUN


def test_of_many_models_only_the_changed_one_is_written(engine: Engine) -> None:
    host = Host(engine)
    host.sync(models(MANY), [])
    with watched(engine) as traffic:
        host.sync([model("m0", 4), *models(MANY)[1:]], [])

    of_the_model = {"models": 1, "credits": 1, "model_versions": 2, "credit_history": 2, "catalog_changes": 1}
    assert traffic.written == {**OF_THE_RUN, **of_the_model}
