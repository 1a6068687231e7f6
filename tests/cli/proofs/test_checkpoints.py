"""Checkpoints: the command, those that runs append to a file, and verify, which compares the seals with them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, insert, select

from models_db.engine import open_engine
from models_db.tables import catalog_identity
from tests.cli.conftest import Shell
from tests.support.commands import error_line, output
from tests.support.database_contents import query_rows
from tests.support.made_responses import model
from tests.support.run_driver import Host

RUNS = 4


@pytest.fixture
def host(shell: Shell, migrated_url: str) -> Iterator[Host]:
    """A machine that made four runs, of which the last changed nothing."""
    engine = open_engine(migrated_url)
    host = Host(engine)
    for number in (1, 2, 3, 3):
        host.sync([model("a", cost=number)], [model("v")])
    shell.set(DATABASE_URL=migrated_url)
    with engine.connect() as connection:
        identity = connection.execute(select(catalog_identity)).mappings().one()
    yield host
    with engine.begin() as connection:  # on MariaDB later tests use it
        connection.execute(delete(catalog_identity))
        connection.execute(insert(catalog_identity), [dict(identity)])
    engine.dispose()


@pytest.fixture
def kept(shell: Shell, host: Host, tmp_path: Path) -> Path:
    """A file with the checkpoint of now."""
    file = tmp_path / "kept.txt"
    file.write_text(output(shell("checkpoint")))
    return file


def change(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_checkpoint_has_the_id_and_the_seals_of_the_catalog(shell: Shell, host: Host, migrated_url: str) -> None:
    printed = output(shell("checkpoint"))

    [(catalog_id, size)] = query_rows(migrated_url, "SELECT catalog_id, tree_size FROM catalog_identity")
    assert size == RUNS
    assert printed.startswith(f"catalog-sync/{catalog_id}\n{RUNS}\n")
    assert printed.endswith("=\n\n")
    assert printed.count("\n") == 4


def test_a_catalog_without_runs_has_a_checkpoint_that_holds_later(
    shell: Shell, sqlite_url: str, tmp_path: Path
) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    (tmp_path / "kept.txt").write_text(output(shell("checkpoint")))
    engine = open_engine(sqlite_url)
    Host(engine).sync([model("a")], [])
    engine.dispose()

    assert "1 checkpoint holds, up to 0 seals" in output(shell("verify", "--checkpoint", str(tmp_path / "kept.txt")))


def test_the_file_is_written_whole_and_replaces_no_other(shell: Shell, host: Host, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    for _ in range(2):
        assert output(shell("checkpoint", "--output", str(file))) == ""
    assert file.read_text() == output(shell("checkpoint"))

    file.write_text("something else")
    line = error_line(shell("checkpoint", "--output", str(file)), 2)
    assert "there is another file with this name; give another name" in line
    assert file.read_text() == "something else"
    assert "cannot be written: No such file" in error_line(shell("checkpoint", "--output", "/missing/x"), 2)


def test_checkpoints_of_all_runs_hold(shell: Shell, host: Host, kept: Path) -> None:
    for _ in range(3):
        host.sync([model("a", cost=9)], [model("v")])
        kept.write_text(kept.read_text() + output(shell("checkpoint")))

    assert "; 4 checkpoints hold, up to 7 seals\n" in output(shell("verify", "--checkpoint", str(kept)))
    document = json.loads(output(shell("verify", "--json", "--checkpoint", str(kept))))
    assert (document["checkpoints"], document["findings"]) == ({"checked": 4, "bad_lines": []}, [])
    assert json.loads(output(shell("verify", "--json")))["checkpoints"] is None


@pytest.mark.parametrize(
    ("name", "spell"),
    [
        ("line ends of Windows", lambda text: text.replace("\n", "\r\n").encode()),
        (
            "signatures",
            lambda text: (
                text + "\u2014 witness.example Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4U" + "=\n"
            ).encode(),
        ),
        ("no empty line", lambda text: text.rstrip("\n").encode()),
        ("a mark of an editor", lambda text: b"\xef\xbb\xbf" + text.encode()),
        ("a redirection of Windows", lambda text: text.encode("utf-16")),
        ("twice", lambda text: (text * 2).encode()),
    ],
)
def test_a_checkpoint_is_read_however_it_was_kept(shell: Shell, kept: Path, name: str, spell: object) -> None:
    assert callable(spell)
    kept.write_bytes(spell(kept.read_text()))

    assert "hold" in output(shell("verify", "--checkpoint", str(kept)))


def test_a_file_that_holds_no_whole_checkpoint_is_exit_2_and_says_what_to_do(
    shell: Shell, kept: Path, tmp_path: Path
) -> None:
    whole = kept.read_text()
    for text, reason in {
        "": "is empty: nothing was checked",
        " \n\n": "is empty: nothing was checked",
        "From: a\n\nhello\n": 'has no whole checkpoint: line 1: "From: a" is not catalog-sync/<catalog_id>',
        whole[:-10]: "has no whole checkpoint: line 3: ",
        whole + "catalog-sync/x\n1": "is not whole: line 7: a root, 32 bytes in base64 is missing; 1 checkpoint holds",
        whole + whole[:-10]: "is not whole: line 7: ",
        whole + "foreign\n": 'is not whole: line 5: "foreign" is not',
        "\0\1\2": "has no whole checkpoint: line 1: ",
    }.items():
        kept.write_text(text)
        line = error_line(shell("verify", "--checkpoint", str(kept)), 2)
        assert reason in line, (text, line)
    assert "No such file or directory; give the file" in error_line(shell("verify", "--checkpoint", "/missing"), 2)
    assert "Is a directory; give the file" in error_line(shell("verify", "--checkpoint", str(tmp_path)), 2)


def findings(shell: Shell, kept: Path) -> list[str]:
    ended = shell("verify", "--checkpoint", str(kept))
    line = error_line(ended, 9)
    assert "are not consistent" in line
    return ended.out.splitlines()


def test_an_older_backup_is_found(shell: Shell, sqlite_url: str, tmp_path: Path) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    engine = open_engine(sqlite_url)
    host = Host(engine)
    host.sync([model("a")], [])
    with closing(sqlite3.connect(engine.url.database or "")) as live:
        live.execute("VACUUM INTO ?", [str(tmp_path / "backup.db")])
    host.sync([model("a")], [])
    engine.dispose()
    kept = tmp_path / "kept.txt"
    kept.write_text(output(shell("checkpoint")))

    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'backup.db'}")

    [line] = findings(shell, kept)
    assert line.startswith(
        "seals: 1 checkpoint has a larger tree than the database, the largest one in line 1, of size 2"
    )
    assert "it is an older backup, or the last seal was cut; the first seal that differs is seal 1" in line
    assert "the last one that is there is seal 0, of run 1 (changed, success, cli" in line


def test_another_catalog_is_found(shell: Shell, kept: Path, migrated_url: str) -> None:
    [(catalog_id,)] = query_rows(migrated_url, "SELECT catalog_id FROM catalog_identity")
    kept.write_text(kept.read_text().replace(catalog_id, "3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d"))

    [line] = findings(shell, kept)

    assert line == (
        "seals: 1 checkpoint has the catalog 3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d, and the database"
        f" {catalog_id}: it is another catalog, or was replaced"
    )


def test_a_rewritten_seal_is_found_with_its_run(shell: Shell, host: Host, kept: Path, tmp_path: Path) -> None:
    """Also where everything after it was computed again, so that the seals fit each other."""
    change(host.engine, f"UPDATE seals SET leaf_hash = '{'ab' * 32}' WHERE seal_no = 2")

    lines = findings(shell, kept)

    assert any("has another root than the seals, the first one in line 1, of size 4" in line for line in lines)
    assert any(
        "the first seal that differs is one of 0 to 3; seal 0 is of run 1 (changed, success," in line for line in lines
    )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM seals WHERE seal_no = 3",
        "DELETE FROM seals WHERE seal_no = 1",
        "DELETE FROM seals",
        "UPDATE seals SET leaf_hash = 'x' WHERE seal_no = 3",
        "DELETE FROM catalog_identity",
    ],
)
def test_damaged_seals_are_found(shell: Shell, host: Host, kept: Path, statement: str) -> None:
    change(host.engine, statement)

    assert any(line.startswith("seals: 1 checkpoint has ") for line in findings(shell, kept))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE catalog_identity SET frontier = NULL",
        "UPDATE catalog_identity SET frontier = 'x'",
        "UPDATE catalog_identity SET tree_size = 3",
        "UPDATE catalog_identity SET tree_size = 0, frontier = NULL",
        "DELETE FROM catalog_identity",
        "DELETE FROM seals WHERE seal_no = 3",
        f"UPDATE seals SET tree_root = '{'ab' * 32}' WHERE seal_no = 3",
    ],
)
def test_no_checkpoint_is_made_of_damaged_seals(shell: Shell, host: Host, statement: str) -> None:
    change(host.engine, statement)

    line = error_line(shell("checkpoint"), 9)

    assert "the seals are damaged: " in line
    assert "run catalog-sync verify" in line
