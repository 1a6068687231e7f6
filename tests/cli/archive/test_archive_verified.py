"""``verify --archive``: what differs between the folder and the runs is named."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model
from tests.support.archived import ApiToArchive, api_to_archive, bodies, records
from tests.support.commands import error_line, eventually, finished, output, started
from tests.support.database_contents import query_rows

ONE, TWO = model("acme/a", 3), model("acme/a", 4)


def three_responses(api: ApiToArchive, shell: Shell) -> None:
    for sent in (ONE, TWO, ONE):
        api.set("image", sent)
        output(shell("sync"))


def first(folder: Path, kind: str, mode: str = "image") -> Path:
    return next(file for file in sorted(folder.iterdir()) if f"Z-{mode}-" in file.name and file.name.endswith(kind))


def cut(folder: Path) -> None:
    path = first(folder, ".json")
    path.write_bytes(path.read_bytes()[:-1])


def edit(folder: Path) -> None:
    path = first(folder, ".json")
    path.write_bytes(path.read_bytes().replace(b"3", b"7"))


def delete_body(folder: Path) -> None:
    first(folder, ".json", "video").unlink()


def edit_record(folder: Path) -> None:
    path = first(folder, ".meta.json")
    path.write_text(path.read_text().replace('"status": 200', '"status": 201'))


def edit_origin(folder: Path) -> None:
    path = first(folder, ".meta.json")
    path.write_text(path.read_text().replace('"run_id": 1,', '"run_id": 7,'))


def edit_format(folder: Path) -> None:
    path = first(folder, ".meta.json")
    path.write_text(path.read_text().replace('"catalog_sync_response": 1,', '"catalog_sync_response": 0,'))


def delete_record(folder: Path) -> None:
    first(folder, ".meta.json", "video").unlink()


def copy_a_body(folder: Path) -> None:
    path = first(folder, ".json")
    path.with_name(f"2026-03-01T00-00-00.000000Z{path.name.partition('Z')[2]}").write_bytes(path.read_bytes())


def add_a_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")


def swap_the_name(folder: Path) -> None:
    path = first(folder, ".json")
    path.rename(path.with_name(path.name.replace("-image-", "-video-")))


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (cut, "was changed: the SHA-256 of its bytes"),
        (edit, "was changed: the SHA-256 of its bytes"),
        (delete_body, "is a record without its body: that file is missing"),
        (edit_record, "was changed: status is 201, but run 1 says 200"),
        (edit_origin, "was changed: run_id is 7, but run 1 says 1"),
        (edit_format, "was changed: it has the format 0, and this version reads 1"),
        (delete_record, "lacks its record: that file is missing, and run 1 wrote it"),
        (copy_a_body, " has the same bytes, and no record is beside it"),
        (add_a_file, "notes.txt is an extra file"),
        (swap_the_name, "is an extra file: no record names it"),
    ],
)
def test_verify_names_what_is_wrong_with_a_file(
    api: ApiToArchive, shell: Shell, folder: Path, damage: Callable[[Path], None], text: str
) -> None:
    three_responses(api, shell)
    assert "the archive has all responses" in output(shell("verify"))
    damage(folder)
    ended = shell("verify", "--archive", str(folder))
    assert "the archive is not consistent with the runs: " in error_line(ended, 9)
    assert text in ended.out
    found = json.loads(shell("verify", "--json").out)
    assert {finding["table"] for finding in found["findings"]} == {"archive"}
    assert found["archive"]["begin"]
    shell.set(ARCHIVE=None)
    assert "archive" not in output(shell("verify"))


def test_verify_takes_an_archive_that_was_continued_in_another_folder(
    api: ApiToArchive, shell: Shell, folder: Path, tmp_path: Path
) -> None:
    three_responses(api, shell)
    (tmp_path / "next").mkdir()
    shell.set(ARCHIVE=str(tmp_path / "next"))
    output(shell("sync"))
    assert bodies(tmp_path / "next", "image") == [envelope([ONE])]
    assert "the archive has all responses" in output(shell("verify"))
    api.set("image", model("acme/a", 5))
    output(shell("sync"))
    error_line(shell("verify", "--archive", str(folder)), 9)
    both = ("--archive", str(folder), "--archive", str(tmp_path / "next"))
    assert "the archive has all responses" in output(shell("verify", *both))


def test_an_archive_that_begins_later_has_no_earlier_responses(api: ApiToArchive, shell: Shell, folder: Path) -> None:
    shell.set(ARCHIVE=None)
    output(shell("sync"))
    api.set("image", TWO)
    output(shell("sync", "--archive", str(folder)))
    assert "the archive has all responses" in output(shell("verify", "--archive", str(folder)))
    api.set("image", ONE)
    output(shell("sync"))
    ended = shell("verify", "--archive", str(folder))
    error_line(ended, 9)
    assert "the response of run 3 is missing" in ended.out


def test_a_schedule_keeps_responses_too(api: ApiToArchive, shell: Shell, folder: Path, sqlite_url: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name.startswith("CATALOG_SYNC_")}
    with started("schedule", "--every", "1h", environ={"HOME": str(folder), "PATH": os.defpath, **environ}) as process:
        eventually(lambda: query_rows(sqlite_url, "SELECT status FROM sync_runs") == [("success",)])
        process.send_signal(signal.SIGTERM)
        assert finished(process).code == 0
    assert [record["mode"] for record in records(folder)] == ["image", "video"]


def test_an_archive_is_compared_with_the_runs_of_every_database(shell: Shell, migrated_url: str, folder: Path) -> None:
    with api_to_archive() as (api, base_url):
        shell.set(DATABASE_URL=migrated_url, BASE_URL=base_url, ARCHIVE=str(folder))
        three_responses(api, shell)
        api.set_bytes("image", envelope([ONE], "image", total=2))
        assert shell("sync").code == 5
    assert output(shell("verify")).endswith("4 distinct responses, 5 records\n")
    assert '"archived"' in output(shell("export", "-"))
    cut(folder)
    ended = shell("verify")
    error_line(ended, 9)
    assert ended.out.count("was changed") == 1
