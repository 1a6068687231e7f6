"""``export`` and ``import`` of what it wrote: the same history in another database."""

from __future__ import annotations

import gzip
import json
from itertools import islice
from pathlib import Path

from models_db import migrate
from models_db.engine import open_engine
from sync.run.import_ import ImportDependencies
from sync.run.replay import import_export
from sync.source.files.exported import read_export
from tests.cli.moves.conftest import THREE, Mover, NewDatabase, assert_same, sync_later
from tests.models_db.first_release import create_first_release
from tests.support.commands import output
from tests.support.database_contents import every_row, query_rows
from tests.support.made_responses import model
from tests.support.run_driver import Host
from tests.support.verified_contents import require_consistent


def lines(file: Path) -> list[dict[str, object]]:
    """The lines, without what tells catalogs apart."""
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in {"catalog_id", "sha256"}} for line in found]


def test_an_imported_export_gives_the_same_rows_of_every_view_and_the_same_file(
    mover: Mover, source: str, migrated_url: str, new_sqlite: NewDatabase
) -> None:
    file = mover.export(source)
    assert mover.import_(migrated_url, file).startswith("imported ")
    assert_same(source, migrated_url)
    again = mover.export(migrated_url, name="again.jsonl.gz")
    back = new_sqlite("back")
    mover.import_(back, again)
    assert_same(source, back)
    plain = mover.export(back, name="back.jsonl")
    (mover.folder / "again.jsonl").write_bytes(gzip.decompress(again.read_bytes()))
    assert lines(plain) == lines(file) == lines(mover.folder / "again.jsonl")


def test_a_history_of_the_first_release_is_moved_by_the_rules_of_its_runs(
    mover: Mover, tmp_path: Path, migrated_url: str
) -> None:
    url = f"sqlite:///{tmp_path / 'first.db'}"
    create_first_release(url)
    migrate.upgrade(url)
    mover.import_(migrated_url, mover.export(url))
    assert_same(url, migrated_url)


def test_a_second_import_stores_nothing_and_a_longer_export_goes_on(
    mover: Mover, source: str, migrated_url: str
) -> None:
    file = mover.export(source)
    mover.import_(migrated_url, file)
    before = every_row(migrated_url)
    assert mover.import_(migrated_url, file).startswith("nothing to import: all ")
    assert every_row(migrated_url) == before
    sync_later(source, [model("a", cost=8)], [model("a", cost=9)])
    # The later run of the source abandoned the one without an end, which is stored too.
    assert mover.import_(migrated_url, mover.export(source)).startswith("imported 2 lines ")
    assert_same(source, migrated_url)


def test_a_sync_after_the_move_does_what_it_would_have_done_before(
    mover: Mover, source: str, migrated_url: str
) -> None:
    mover.import_(migrated_url, mover.export(source))
    for url in (source, migrated_url):
        sync_later(url, [model("a", cost=8)], [model("a", cost=9), model("late", cost="free")])
    assert_same(source, migrated_url)


def test_an_interrupted_import_continues(mover: Mover, source: str, migrated_url: str) -> None:
    file = mover.export(source)
    engine = open_engine(migrated_url)
    deps = ImportDependencies(lambda: Host(engine).now, "0")
    for number in range(2, 9, 3):
        results = import_export(engine, read_export(file), deps)
        assert len(list(islice(results, number))) == number
        results.close()
        require_consistent(migrated_url)
    engine.dispose()
    mover.import_(migrated_url, file)
    assert_same(source, migrated_url)


def test_a_run_that_had_no_end_gets_it_from_a_later_export(
    mover: Mover, new_sqlite: NewDatabase, migrated_url: str
) -> None:
    url = new_sqlite("source")
    engine = open_engine(url)
    host = Host(engine)
    host.sync(THREE, THREE)
    files: list[Path] = []
    host.meanwhile = lambda: files.append(mover.export(url, name="during.jsonl"))
    host.sync([model("a", cost=5), *THREE[1:]], THREE)
    mover.import_(migrated_url, files[0])
    assert query_rows(migrated_url, "SELECT status FROM sync_runs ORDER BY run_id")[-1] == ("running",)
    assert mover.import_(migrated_url, mover.export(url)).startswith("imported 1 line with 1 change")
    assert_same(url, migrated_url)
    engine.dispose()


def test_a_moved_history_is_pruned_like_the_first_and_recognised_after_it(
    mover: Mover, source: str, migrated_url: str
) -> None:
    file = mover.export(source)
    mover.import_(migrated_url, file)
    assert prune(mover, migrated_url) == prune(mover, source)
    assert_same(source, migrated_url)
    before = every_row(migrated_url)
    assert mover.import_(migrated_url, file).startswith("nothing to import")
    assert every_row(migrated_url) == before


def test_a_pruned_history_is_moved_as_it_is(mover: Mover, source: str, migrated_url: str) -> None:
    prune(mover, source)
    mover.import_(migrated_url, mover.export(source))
    assert_same(source, migrated_url)


def prune(mover: Mover, url: str) -> int:
    """The number of runs that were deleted."""
    mover.shell.set(DATABASE_URL=url)
    deleted = json.loads(output(mover.shell("prune", "--before", "2026-06-01", "--json")))["deleted"]
    require_consistent(url)
    assert deleted
    return int(deleted)
