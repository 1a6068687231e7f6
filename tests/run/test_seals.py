"""Each run that is applied is sealed with its rows, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from models_db.engine import read_transaction
from sync.catalog.merkle import EMPTY_ROOT
from sync.errors import ApiUnreachable, DatabaseError, Outcome
from sync.run import apply
from sync.run.result import RunResult
from sync.store.database import Connection, in_transaction
from sync.store.ignored import add_ignored, end_ignored
from sync.store.prune import delete_old_runs
from sync.store.seals import write_seal
from sync.store.verify.read_models import Verification
from tests.support.eventful_history import make_history
from tests.support.made_responses import FULL, model
from tests.support.run_driver import Host, added_rows, column, dump
from tests.support.seal_checker import assert_sealed

A, B, C = (model(id_) for id_ in "abc")
DOWN = ApiUnreachable("the API did not respond")
ODD = model('a"\\\u2028\U0001f600', cost=1, description="\ufb33 \x7f")


def problems(engine: Engine) -> list[str]:
    """What ``verify --thorough`` finds."""
    with read_transaction(engine) as connection:
        return [finding.problem for finding in Verification(connection, thorough=True).findings()]


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_history_of_every_kind_of_run_is_sealed_as_its_rows_are(host: Host) -> None:
    make_history(host)
    kinds = assert_sealed(host.engine)

    assert set(kinds) == {"changed", "unchanged"}
    assert problems(host.engine) == []


def test_an_unchanged_run_writes_one_seal_and_repeats_the_roots(host: Host) -> None:
    host.sync([A, ODD], [])
    before = dump(host.engine)
    result = host.sync([A, ODD], [])

    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1, "sync_run_modes": 2, "seals": 1}
    assert assert_sealed(host.engine) == ["changed", "unchanged"]
    assert result.checkpoint is not None
    assert result.checkpoint.tree_size == 2
    assert column(host.engine, "seals.tree_root")[-1] == result.checkpoint.root.hex()
    roots = column(host.engine, "sync_run_modes.listed_root")
    assert roots[:2] == roots[2:]
    assert roots[1] == EMPTY_ROOT.hex()


def test_a_run_that_is_not_applied_has_no_seal_and_one_with_a_failed_mode_has(host: Host) -> None:
    assert host.sync(DOWN, DOWN).checkpoint is None
    assert host.sync(DOWN, [B]).checkpoint is not None
    host.sync([A], [B])
    host.sync([A, C], DOWN)

    assert column(host.engine, "seals.run_id") == [2, 3, 4]
    roots = column(host.engine, "sync_run_modes.listed_root")
    assert (roots[2], roots[7]) == (None, roots[5])
    assert assert_sealed(host.engine) == ["changed", "changed", "changed"]
    assert problems(host.engine) == []


def test_a_dry_run_seals_nothing(host: Host) -> None:
    before = dump(host.engine)

    assert host.sync([A], dry_run=True).checkpoint is None
    assert dump(host.engine) == before


def test_ignored_fields_are_sealed_as_they_were_at_each_run(host: Host) -> None:
    host.sync([FULL])
    in_transaction(host.engine, lambda connection, _: add_ignored(connection, ["models.latency_ms"], host.now, "", ""))
    host.sync([FULL])
    in_transaction(host.engine, lambda connection, _: end_ignored(connection, "models.latency_ms", host.now, "done"))
    host.sync([FULL])

    assert_sealed(host.engine)
    assert problems(host.engine) == []


def unsealed(engine: Engine) -> None:
    """Makes the catalog one that is older than the seals."""
    execute(
        engine,
        "DELETE FROM seals",
        "UPDATE catalog_identity SET tree_size = 0, frontier = NULL",
        *(f"UPDATE {table} SET listed_root = NULL" for table in ("sync_state", "sync_run_modes")),
    )


def test_an_older_catalog_begins_with_an_entry_over_all_its_versions(host: Host) -> None:
    make_history(host)
    unsealed(host.engine)
    assert problems(host.engine) == []
    last = max(*column(host.engine, "model_versions.opened_run_id"), *filter(None, closed(host.engine)))
    host.sync([A], DOWN, accept="all")

    assert assert_sealed(host.engine)[0] == "genesis"
    assert column(host.engine, "seals.run_id")[0] == last
    host.sync([A, C], [B], accept="all")
    assert assert_sealed(host.engine)[::2] == ["genesis", "changed"]
    assert problems(host.engine) == []


def test_a_catalog_whose_seals_were_all_deleted_is_not_taken_for_an_older_one(host: Host) -> None:
    host.sync([A], [B])
    execute(host.engine, "DELETE FROM seals", "UPDATE catalog_identity SET tree_size = 0, frontier = NULL")

    assert problems(host.engine) == ["run 1 was applied and has no seal"]


def closed(engine: Engine) -> list[int | None]:
    return column(engine, "model_versions.closed_run_id")


def test_an_older_catalog_without_versions_begins_with_its_first_run(host: Host) -> None:
    host.sync(DOWN, DOWN)
    host.sync([], [])

    assert assert_sealed(host.engine) == ["unchanged"]
    host.sync([A], [])
    assert problems(host.engine) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE catalog_identity SET tree_size = 1",
        "UPDATE catalog_identity SET tree_size = 3",
        "UPDATE catalog_identity SET frontier = NULL",
        f"UPDATE catalog_identity SET frontier = '{'00' * 32}'",
        "UPDATE catalog_identity SET frontier = 'x'",
        "DELETE FROM seals",
        "DELETE FROM seals WHERE seal_no = 1",
        f"UPDATE seals SET tree_root = '{'00' * 32}'",
    ],
)
def test_a_tree_that_cannot_grow_stores_nothing_and_says_what_to_do(engine: Engine, damage: str) -> None:
    host = Host(engine)
    host.sync([A], [B])
    host.sync([A], [B])
    execute(engine, damage)
    before = dump(engine)
    with pytest.raises(DatabaseError) as raised:
        host.sync([A, C], [B])

    assert raised.value.outcome == Outcome.DATABASE
    line = str(raised.value)
    assert line.startswith("the run was not stored: it cannot be sealed, because ")
    assert line.endswith("; run catalog-sync verify, and restore a backup that verifies")
    assert added_rows(before, dump(engine)) == {"sync_runs": 1}
    assert [problem for problem in problems(engine) if "seal" in problem or "frontier" in problem or "rows" in problem]


class Died(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_run_that_dies_between_its_rows_and_the_commit_leaves_neither(
    host: Host, *, is_sealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.sync([A], [B])
    before = dump(host.engine)

    def die(connection: Connection, run_id: int, *, has_facts: bool) -> None:
        if is_sealed:
            write_seal(connection, run_id, has_facts=has_facts)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(apply, "write_seal", die)
        with pytest.raises(Died):
            host.sync([A, C], [B])

    assert added_rows(before, dump(host.engine)) == {"sync_runs": 1}
    host.sync([A, C], [B])
    assert assert_sealed(host.engine) == ["changed", "changed"]


def test_a_transaction_that_is_repeated_seals_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    class Deadlock(Exception):
        sqlstate = "40P01"

    attempts: list[int] = []

    def seal(connection: Connection, run_id: int, *, has_facts: bool) -> object:
        sealed = write_seal(connection, run_id, has_facts=has_facts)
        attempts.append(run_id)
        if len(attempts) < 3:
            raise OperationalError("COMMIT", {}, Deadlock("deadlock detected"))
        return sealed

    monkeypatch.setattr(apply, "write_seal", seal)
    result: RunResult = host.sync([A], [B])

    assert attempts == [1, 1, 1]
    assert assert_sealed(host.engine) == ["changed"]
    assert result.checkpoint is not None
    assert result.checkpoint.tree_size == 1


def test_a_pruned_run_keeps_its_seal(host: Host) -> None:
    for _ in range(5):
        host.sync([A], [B])
    host.sync([A, C], [B])
    assert sum(delete_old_runs(host.engine, host.now + timedelta(days=1))) > 0

    assert len(column(host.engine, "sync_runs.run_id")) < 6
    assert len(column(host.engine, "seals.run_id")) == 6
    assert problems(host.engine) == []
    execute(host.engine, "UPDATE seals SET kind = 'changed' WHERE seal_no = 2")
    (problem,) = problems(host.engine)
    assert problem.startswith("seal 2, run 3, which is not on record: there is no such run, and kind is 'changed'")
    execute(host.engine, "UPDATE seals SET kind = 'unchanged' WHERE seal_no = 2")
