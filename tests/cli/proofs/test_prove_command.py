"""The command ``prove``: what it writes is taken by docs/check_proof.py, when the database is no more as well."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert

from models_db.engine import open_engine
from models_db.tables import ignored_fields
from tests.cli.conftest import Shell
from tests.cli.proofs.conftest import OTHERS, ProvenCatalog, hour
from tests.support.commands import error_line, output
from tests.support.made_responses import model, spelled
from tests.support.proof_script import check_proof, other_pythons
from tests.support.run_driver import Host

ODD = 'ä "\\ \U0001f680'
FREE = {"id": "free", "name": "without cost"}


@pytest.fixture
def history(proven: ProvenCatalog) -> ProvenCatalog:
    """Costs that change, a model without one, and one that is removed and comes back."""
    proven.sync(model("a", cost=spelled("1.50")), FREE, model("goes"), model(ODD))  # 10:00
    proven.sync(model("a", cost=2), FREE, model("goes"), model(ODD))  # 11:00
    proven.sync(model("a", cost=2), FREE, model("goes"), model(ODD))  # 12:00
    proven.sync(model("a", cost=2), FREE, model(ODD))  # 13:00
    proven.sync(model("a", cost=spelled("3e0")), FREE, model(ODD), model("goes", cost=7))  # 14:00
    return proven


def test_a_cost_is_proved_at_every_time(history: ProvenCatalog) -> None:
    assert history.cost("a", hour(10)) == ("1.5", "10:00")
    assert history.cost("a", hour(11)) == ("2", "11:00")
    assert history.cost("a", hour(12)) == ("2", "12:00")
    assert history.cost("a", hour(13)) == ("2", "13:00")
    assert history.cost("a", "0s") == ("3", "14:00")
    assert history.cost("a", "2026-03-01T13:00:01.999999Z") == ("2", "12:00")
    assert history.cost("a", "2026-03-01T13:00:02Z") == ("2", "13:00")
    assert history.cost(ODD, hour(12)) == ("3", "12:00")
    assert history.cost("both", hour(12)) == ("3", "12:00")


def test_a_model_without_cost_is_proved_to_have_none(history: ProvenCatalog) -> None:
    assert history.cost("free", hour(12)) == (None, "12:00")


def test_a_removed_model_is_proved_while_it_was_listed_and_refused_while_it_was_not(history: ProvenCatalog) -> None:
    assert history.cost("goes", hour(12)) == ("3", "12:00")
    assert history.cost("goes", hour(14)) == ("7", "14:00")
    assert history.refused("goes", hour(13)) == (
        "catalog-sync: image model 'goes' was not listed at 2026-03-01 13:30:00 UTC: it was removed at 2026-03-01"
        " 13:00:02 UTC, it was listed again at 2026-03-01 14:00:02 UTC; give a time at which it was listed, as"
        " catalog-sync costs shows them"
    )
    assert "it was first listed at 2026-03-01 10:00:02 UTC;" in history.refused("goes", hour(9))
    assert "is in the future" in history.refused("goes", "2999-01-01")
    assert "no model 'goed' was ever listed; did you mean 'goes'?" in history.refused("goed", hour(12))
    assert "'--at'" in error_line(history.shell("prove", "goes"), 2)


def test_a_model_of_both_modes_needs_the_mode(proven: ProvenCatalog) -> None:
    proven.sync(model("both", cost=5))

    assert "was listed in 2 modes at 2026-03-01 10:30:00 UTC: give --mode image or --mode video" in proven.refused(
        "both", hour(10)
    )
    assert proven.cost("both", hour(10), "--mode", "image") == ("5", "10:00")
    assert proven.cost("both", hour(10), "--mode", "video") == ("3", "10:00")


def test_a_proof_holds_without_the_database_on_every_python(history: ProvenCatalog, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(output(history.shell("checkpoint")))
    history.prove("a", hour(12))
    assert history.proof.stat().st_size < 6000
    history.host.engine.dispose()
    (tmp_path / "catalog.db").unlink(missing_ok=True)

    for python in other_pythons():
        code, line = check_proof(history.proof, kept, python=python)
        assert (code, "which is one of those kept" in line) == (0, True), (python, line)


def test_after_prune_a_proof_names_the_last_run_that_is_kept(history: ProvenCatalog) -> None:
    history.sync(model("a", cost=3), FREE, model(ODD), model("goes", cost=7))
    history.sync(model("a", cost=3), FREE, model(ODD), model("goes", cost=7))
    assert history.cost("a", hour(12)) == ("2", "12:00")

    output(history.shell("prune", "--before", "2026-03-02"))

    assert history.cost("a", hour(12)) == ("2", "11:00")
    assert history.cost("a", hour(13)) == ("2", "13:00")
    assert history.cost("a", hour(15)) == ("3", "14:00")
    assert history.cost("a", "0s") == ("3", "16:00")


def test_a_mode_that_failed_or_was_not_fetched_repeats_what_was_listed(proven: ProvenCatalog) -> None:
    proven.sync(model("a", cost=1))
    proven.host.sync(b"no response", [model("both", cost=4)])
    proven.host.sync([], [model("both", cost=5)], modes=["video"])

    assert proven.cost("a", "0s") == ("1", "10:00")
    assert proven.cost("both", "0s") == ("5", "12:00")
    assert proven.cost("both", hour(11)) == ("4", "11:00")


def test_a_run_that_held_something_back_proves_only_what_it_opened(proven: ProvenCatalog) -> None:
    gone = [model(f"gone-{number}") for number in range(12)]
    proven.sync(model("a", cost=1), *gone)
    proven.sync(model("a", cost=2))

    # The run at 11:00 received the new cost of a, and others of its mode it did not receive.
    assert proven.cost("a", "0s") == ("2", "11:00")
    assert "not among those held back" in check_proof(proven.proof)[1]
    assert proven.cost("gone-1", "0s") == ("3", "10:00")


def test_a_mode_held_as_a_whole_proves_the_run_before(proven: ProvenCatalog) -> None:
    proven.sync(model("a", cost=1))
    proven.host.sync([model("a", cost=1), *({**each, "credits": {}} for each in OTHERS)], [model("both")])
    proven.host.sync([model(f"x-{number}") for number in range(12)], [model("both")])

    assert proven.cost("a", "0s") == ("1", "10:00")
    assert proven.cost("other-3", "0s") == ("3", "10:00")
    assert proven.cost("both", "0s") == ("3", "12:00")


def test_a_rejected_model_is_proved_by_the_run_that_took_it_last(proven: ProvenCatalog) -> None:
    proven.sync(model("a", cost=1))
    proven.sync(model("a", cost=1))
    proven.sync(model("a", cost="three"))

    assert proven.cost("a", "0s") == ("1", "11:00")
    assert proven.cost("other-1", "0s") == ("1", "12:00")
    assert "not among those held back or rejected" in check_proof(proven.proof)[1]


def test_a_run_that_is_not_good_proves_what_it_opened(proven: ProvenCatalog) -> None:
    proven.sync(model("a", cost=1))
    proven.sync(model("a", cost=2), {"name": "no id"})

    assert proven.cost("a", "0s") == ("2", "11:00")
    assert proven.cost("other-1", "0s") == ("1", "10:00")


def test_ignored_fields_are_named_as_not_proved(proven: ProvenCatalog) -> None:
    proven.sync(model("a", rank=1))
    with proven.host.engine.begin() as connection:
        row = {"path": "models.rank", "valid_from": proven.host.now, "reason": "noise", "added_by": "a"}
        connection.execute(insert(ignored_fields), [row])
    proven.sync(model("a", rank=2))

    assert proven.cost("a", "0s") == ("3", "11:00")
    assert check_proof(proven.proof)[1].endswith("; values of ignored fields")


def test_a_proof_under_a_checkpoint_that_was_kept(history: ProvenCatalog, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(output(history.shell("checkpoint")))
    history.sync(model("a", cost=9), FREE, model(ODD), model("goes", cost=7))

    assert history.cost("a", hour(12), "--checkpoint", str(kept)) == ("2", "12:00")
    assert check_proof(history.proof, kept)[0] == 0
    assert "the newest checkpoint kept has 5 seals, and the run that observed the model is seal 5" in history.refused(
        "a", "0s", "--checkpoint", str(kept)
    )
    history.cost("a", "0s")
    assert check_proof(history.proof, kept) == (
        1,
        "not proved: the checkpoints kept have none of this catalog and size 6; ask for a proof under one",
    )
    lines = kept.read_text().split("\n")
    kept.write_text("\n".join([lines[0], lines[1], "A" * 43 + "=", "", ""]))
    assert "the checkpoint kept of size 5 is not one of the database" in history.refused(
        "a", hour(12), "--checkpoint", str(kept), code=9
    )
    kept.write_text(kept.read_text().replace(lines[0], "catalog-sync/other"))
    assert "has no checkpoint of the catalog" in history.refused("a", hour(12), "--checkpoint", str(kept))


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            'UPDATE model_versions SET raw = \'{"id":"a","credits":{"default_cost":1}}\' WHERE opened_run_id = 2',
            "run 3",
        ),
        ('UPDATE model_versions SET raw = \'{"id":"z"}\' WHERE opened_run_id = 1', "run 3"),
        ("UPDATE sync_runs SET host = 'elsewhere' WHERE run_id = 3", "seal 2 was made of"),
        ("UPDATE sync_run_modes SET listed_root = NULL WHERE run_id = 3", "run 3"),
        ("UPDATE seals SET leaf_hash = tree_root WHERE seal_no = 2", "of their tree"),
        ("DELETE FROM seals WHERE seal_no = 1", "of their tree"),
        ("DELETE FROM seals WHERE seal_no = 2", "run 3 was sealed, and its seal is missing"),
    ],
)
def test_nothing_is_proved_of_a_record_that_was_changed(history: ProvenCatalog, statement: str, reason: str) -> None:
    with history.host.engine.begin() as connection:
        connection.exec_driver_sql(statement)

    line = history.refused("a", hour(12), code=9)

    assert line.startswith("catalog-sync: the proof was not made: the record is damaged: ")
    assert reason in line
    assert "run catalog-sync verify" in line


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sync_runs SET finished_at = 'x' WHERE run_id = 3",
        "UPDATE sync_run_modes SET models_received = 'x' WHERE run_id = 3",
        "UPDATE sync_run_modes SET models_listed = 'x' WHERE run_id = 3",
        "UPDATE sync_run_modes SET asked_at = 'x' WHERE run_id = 3",
        "UPDATE sync_runs SET host = 7 WHERE run_id = 3",
        "UPDATE sync_runs SET host = x'ff' WHERE run_id = 3",
        "UPDATE model_versions SET raw = x'ff' WHERE opened_run_id = 1",
        "UPDATE seals SET leaf_hash = 7 WHERE seal_no = 1",
    ],
)
def test_values_of_a_wrong_type_are_damage_too(shell: Shell, sqlite_url: str, tmp_path: Path, statement: str) -> None:
    engine = open_engine(sqlite_url)
    shell.set(DATABASE_URL=sqlite_url)
    damaged = ProvenCatalog(shell, Host(engine), tmp_path)
    for cost in (1, 2, 2):
        damaged.sync(model("a", cost=cost), model("b"))
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        connection.exec_driver_sql(statement)
    engine.dispose()

    assert "the record is damaged: " in damaged.refused("a", "0s", code=9)


def test_the_proof_replaces_no_other_file(history: ProvenCatalog) -> None:
    history.proof.write_text("{}")

    assert "another file with this name" in history.refused("a", hour(12), "--output", str(history.proof))
    history.proof.unlink()
    history.prove("a", hour(12))
    assert output(history.shell("prove", "a", "--at", hour(12))) == history.proof.read_text()
    history.prove("a", hour(11))
