"""``export --without-run``: the history as it would be without a wrong run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models_db import migrate
from models_db.engine import open_engine
from sync.errors import ApiUnreachable
from tests.cli.conftest import Shell
from tests.cli.moves.conftest import NewDatabase
from tests.models_db.first_release import create_first_release
from tests.support.commands import error_line, output
from tests.support.database_contents import query_rows
from tests.support.made_responses import model
from tests.support.moved_history import contents, difference
from tests.support.run_driver import HOUR, Host
from tests.support.verified_contents import require_consistent

Sent = tuple[Any, Any]
"""What a run received: models, or an error; None for a mode that it did not request."""

A, B, C, D = model("a", cost=1), model("b", cost=2), model("c", cost=3), model("d", cost=4)
DEARER = model("a", cost=100)
V, W = model("v", cost=5), model("w", cost=6)
FOREIGN = [model(f"foreign-{number}") for number in range(2)]
RIGHT: list[Sent] = [
    ([A, B, C, D], [V, W]),
    ([A, B, C, D], ApiUnreachable("no response")),
    ([A, model("b", cost=9), C], [V, model("w", cost=7)]),
    ([A, model("b", cost=9), C, D], [V]),
]
WITHOUT_A_COST = model("b", cost="free")
TWICE_REJECTED = model("b", cost="none", name="B2")
REJECTING: list[Sent] = [
    ([A, B, C, D], [V, W]),
    ([A, WITHOUT_A_COST, C, D], [V, W]),
    ([A, WITHOUT_A_COST, C], [V, model("w", cost=-1)]),
    ([A, model("b", cost=9), C, D], [V]),
]
"""Models are rejected, accepted again, and missing."""
WRONG: dict[str, Sent] = {
    "that changed costs": ([DEARER, B, model("c", cost=30), D], [model("v", cost=50), W]),
    "that removed models": ([C, D], [W]),
    "that added models": ([A, B, C, D, *FOREIGN], [V, W, *FOREIGN]),
    "of one mode": ([DEARER, C, *FOREIGN], None),
    "that found another catalog": (FOREIGN, FOREIGN),
    "that changed nothing": ([A, B, C, D], [V, W]),
    "that was empty": ([], []),
    "that rejected models": ([A, WITHOUT_A_COST, model("c", cost="x"), D], [model("v", cost="x"), W]),
    "that rejected a model in another way": ([A, TWICE_REJECTED, C, D], [V, model("w", cost=-2)]),
    "with a model without an id": ([A, C, {"name": "nobody"}], [V, W]),
}
# What a person accepted stays with its run, though it may not be needed without the run left out. A rejection is
# reported once, by the first run: that may be the one left out.
REPORTED = {"accepted", "error_type", "error_message", "note"}


def make(url: str, runs: Sequence[Sent | None]) -> None:
    """A run an hour; none in an hour with None."""
    engine = open_engine(url)
    host = Host(engine)
    for sent in runs:
        if sent is None:
            host.now += HOUR
        else:
            image, video = sent
            modes = ["image"] if video is None else ["image", "video"]
            host.sync(image, video or [], modes=modes, accept="all")
    engine.dispose()


def moved_without(shell: Shell, source: str, target: str, file: Path, *run_ids: int) -> None:
    shell.set(DATABASE_URL=source)
    output(shell("export", str(file), *(f"--without-run={run_id}" for run_id in run_ids)))
    shell.set(DATABASE_URL=target)
    assert output(shell("import", str(file))).startswith("imported")
    require_consistent(target)


def assert_as_if_it_had_not_been(found: str, expected: str) -> None:
    assert difference(contents(found, REPORTED), contents(expected, REPORTED)) == []


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("right", [RIGHT, REJECTING], ids=["", "rejecting"])
def test_the_history_is_that_without_a_run(  # fixtures and parameters
    shell: Shell, new_sqlite: NewDatabase, tmp_path: Path, right: list[Sent], kind: str, place: int
) -> None:
    source, expected, target = new_sqlite("source"), new_sqlite("expected"), new_sqlite("target")
    make(source, [*right[:place], WRONG[kind], *right[place:]])
    make(expected, [*right[:place], None, *right[place:]])
    moved_without(shell, source, target, tmp_path / "history.jsonl", place + 1)
    assert_as_if_it_had_not_been(target, expected)


MANY = [model(f"m{number}", cost=number + 1) for number in range(8)]
WRONG_AND_HELD_AFTER = {
    "another catalog": [model(f"other-{number}") for number in range(8)],
    "costs that jump": [model(f"m{number}", cost=1000 * (number + 1)) for number in range(8)],
    "costs that vanish": [model(f"m{number}", cost=None) for number in range(8)],
    "many models that are added": [*MANY, *(model(f"other-{number}") for number in range(8))],
    "an empty catalog": [],
}


@pytest.mark.parametrize("kind", WRONG_AND_HELD_AFTER)
def test_what_was_held_because_of_the_wrong_run_leaves_no_trace_of_it(
    shell: Shell, new_sqlite: NewDatabase, tmp_path: Path, kind: str
) -> None:
    source, target = new_sqlite("source"), new_sqlite("target")
    engine = open_engine(source)
    host = Host(engine)
    host.sync(MANY, [V])
    host.sync(WRONG_AND_HELD_AFTER[kind], [V], accept="all", accept_costs="all")
    host.sync(MANY, [V])
    host.sync(MANY, [V], accept="all", accept_costs="all")
    engine.dispose()
    moved_without(shell, source, target, tmp_path / "history.jsonl", 2)
    kinds = query_rows(target, "SELECT model_id, change_kind FROM v_catalog_changes ORDER BY model_id")
    assert kinds == [(one, "added") for one in sorted([*(each["id"] for each in MANY), "v"])]
    assert len(query_rows(target, "SELECT * FROM v_current_catalog WHERE mode = 'image'")) == len(MANY)
    held = query_rows(source, "SELECT status FROM sync_runs ORDER BY run_id")[2]
    assert query_rows(target, "SELECT status FROM sync_runs ORDER BY run_id")[1] == held


def test_a_run_with_a_model_without_an_id_did_not_see_those_of_the_wrong_run(
    shell: Shell, new_sqlite: NewDatabase, tmp_path: Path
) -> None:
    source, target = new_sqlite("source"), new_sqlite("target")
    right, nobody = [A, B, C], {"name": "nobody"}
    make(source, [(right, [V]), ([*right, *FOREIGN], [V]), ([*right, nobody], [V]), (right, [V])])
    moved_without(shell, source, target, tmp_path / "history.jsonl", 2)
    assert known_models(target) == {("image", "a"), ("image", "b"), ("image", "c"), ("video", "v")}


# Of the first release: run 4 rejected the model gone of mode image, run 5 held back all but a and full, run 6 saw
# the others, and run 8 saw back again. Nothing is on record but the numbers of what was rejected and held back.
@pytest.mark.parametrize("left_out", [(1, 2, 3), (1, 2, 3, 4)])
def test_runs_of_the_first_release_saw_nothing_that_they_may_have_rejected_or_held_back(
    shell: Shell, new_sqlite: NewDatabase, tmp_path: Path, left_out: Sequence[int]
) -> None:
    source, target = f"sqlite:///{tmp_path / 'first.db'}", new_sqlite("target")
    create_first_release(source)
    migrate.upgrade(source)
    moved_without(shell, source, target, tmp_path / "history.jsonl", *left_out)
    query = "SELECT model_id, MIN(changed_at) FROM v_catalog_changes WHERE mode = 'image' GROUP BY model_id"
    first = {model_id: str(at)[11:13] for model_id, at in query_rows(target, query)}
    assert "gone" not in first
    assert (first["back"], first["other-0"]) == ("17", "15")


def known_models(url: str) -> set[tuple[Any, ...]]:
    return set(query_rows(url, "SELECT mode, model_id FROM models"))


@pytest.mark.parametrize("places", [(0, 1), (1, 2), (1, 3), (0, 4), (3, 4), (0, 1, 2, 3)])
def test_the_history_is_that_without_several_runs(
    shell: Shell, new_sqlite: NewDatabase, tmp_path: Path, places: Sequence[int]
) -> None:
    wrong, right = iter(WRONG.values()), iter(RIGHT)
    runs = [next(wrong) if place in places else next(right) for place in range(5)]
    source, expected, target = new_sqlite("source"), new_sqlite("expected"), new_sqlite("target")
    make(source, runs)
    make(expected, [None if place in places else sent for place, sent in enumerate(runs)])
    moved_without(shell, source, target, tmp_path / "history.jsonl", *(place + 1 for place in places))
    assert_as_if_it_had_not_been(target, expected)


def test_without_all_runs_nothing_is_left(shell: Shell, new_sqlite: NewDatabase, tmp_path: Path) -> None:
    source, target = new_sqlite("source"), new_sqlite("target")
    make(source, RIGHT)
    shell.set(DATABASE_URL=source)
    file = tmp_path / "history.jsonl"
    output(shell("export", str(file), *(f"--without-run={place + 1}" for place in range(len(RIGHT)))))
    shell.set(DATABASE_URL=target)
    before = contents(target)
    assert output(shell("import", str(file))) == "nothing to import: the file has no runs\n"
    assert contents(target) == before


def test_an_unknown_run_is_refused_and_no_file_is_written(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    make(sqlite_url, RIGHT)
    shell.set(DATABASE_URL=sqlite_url)
    line = error_line(shell("export", "--without-run", "99", str(tmp_path / "history.jsonl")), 2)
    assert "run 99 is not on record" in line
    assert sorted(tmp_path.glob("*history*")) == sorted(tmp_path.glob(".*history*")) == []
