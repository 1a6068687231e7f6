"""A history with copies from a cache that are older than what was stored before them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from models_db.engine import open_engine
from tests.cli.moves.conftest import Mover, NewDatabase, assert_same, execute
from tests.support.commands import output
from tests.support.database_contents import query_rows
from tests.support.made_responses import Model, model
from tests.support.run_driver import Host
from tests.support.verified_contents import require_consistent

A, B = model("a", cost=1), model("b", cost=2)
DEARER = model("a", cost=7)
MINUTE = timedelta(minutes=1)
Run = tuple[list[Model], int | None]
"""What a run ten minutes after the one before it received, and the age."""
RUNS: list[Run] = [([A, B], None), ([A, B], None), ([A, B], 1500), ([A, B], 1500), ([A, B], 1), ([DEARER, B], 30)]
# The third run shows the catalog from before the first, the fourth that from between the first two.
GOOD = "SELECT good_asked_at FROM sync_state WHERE mode = 'image'"
NOT_BEFORE = "SELECT not_before FROM catalog_changes WHERE change_kind = 'increase'"


def make(url: str, runs: Sequence[Run | None]) -> None:
    engine = open_engine(url)
    host: Any = Host(engine)
    start = host.now
    for number, run in enumerate(runs):
        host.now = start + 10 * number * MINUTE
        if run:
            sent, host.age = run
            assert host.sync(sent, modes=["image"]).exit_code == 0
    engine.dispose()


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_a_moved_history_is_the_same(new_sqlite: NewDatabase, mover: Mover, number: int) -> None:
    source, target = new_sqlite("source"), new_sqlite("target")
    make(source, RUNS[:number])
    require_consistent(source)
    mover.import_(target, mover.export(source))

    assert_same(source, target)
    assert query_rows(source, GOOD) == query_rows(target, GOOD)


@pytest.mark.parametrize("number", [3, 4, 5, 6])
def test_without_a_run_the_copies_after_it_are_compared_with_the_one_before(
    new_sqlite: NewDatabase, mover: Mover, number: int
) -> None:
    source, target, reference = new_sqlite("source"), new_sqlite("target"), new_sqlite("reference")
    make(source, RUNS[:number])
    make(reference, [RUNS[0], None, *RUNS[2:number]])
    mover.import_(target, mover.export(source, "--without-run", "2"))

    assert query_rows(target, GOOD) == query_rows(reference, GOOD)
    assert query_rows(target, NOT_BEFORE) == query_rows(reference, NOT_BEFORE)


def test_verify_names_a_time_that_an_older_copy_lowered(new_sqlite: NewDatabase, mover: Mover) -> None:
    url = new_sqlite("source")
    make(url, RUNS[:4])
    mover.shell.set(DATABASE_URL=url)
    assert output(mover.shell("verify")).startswith("consistent")
    execute(url, "UPDATE sync_state SET good_asked_at = '2026-03-01 10:05:00.000000' WHERE mode = 'image'")

    assert "good_asked_at is 2026-03-01T10:05:00Z, but the last successful sync" in mover.shell("verify").out
