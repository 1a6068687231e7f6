"""``sync --archive``: each distinct response is kept as it came, before anything of it is stored."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_catalogs import envelope, model, numbered_models
from tests.support.archived import ApiToArchive, bodies, records
from tests.support.commands import error_line, output
from tests.support.database_contents import query_rows
from tests.support.secrets_search import KEY, require_hidden

ONE, TWO = model("acme/a", 3), model("acme/a", 4)


def kept(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_each_response_is_kept_with_its_bytes_its_hash_and_its_record(
    api: ApiToArchive, shell: Shell, sqlite_url: str, folder: Path
) -> None:
    image = api.set_bytes("image", b"\xef\xbb\xbf" + envelope([ONE]) + b" \n", "X-Trace: abc", "ETag: W/1")
    output(shell("sync"))

    assert bodies(folder, "image") == [image]
    (row,) = query_rows(
        sqlite_url, "SELECT payload_sha256, payload_bytes, asked_at FROM sync_run_modes WHERE mode = 'image'"
    )
    (record,) = records(folder, "image")
    assert row[:2] == (hashlib.sha256(image).hexdigest(), len(image))
    assert (record["sha256"], record["bytes"]) == row[:2]
    assert record["file"] in kept(folder)
    assert (record["run_id"], record["mode"], record["status"], record["error"]) == (1, "image", 200, None)
    assert record["url"].endswith("/api/partner/v1/studio/models?mode=image")
    assert record["headers"]["X-Trace"] == "abc"
    assert record["catalog_id"] == query_rows(sqlite_url, "SELECT catalog_id FROM catalog_identity")[0][0]
    assert record["asked_at"] <= record["received_at"] <= record["observed_at"]
    assert record["asked_at"].startswith(str(row[2]).replace(" ", "T")[:19])


def test_the_same_bytes_again_leave_nothing_and_bytes_that_come_back_leave_a_record(
    api: ApiToArchive, shell: Shell, folder: Path
) -> None:
    for sent in (ONE, ONE, TWO, TWO, ONE, ONE):
        api.set("image", sent)
        output(shell("sync"))
    assert bodies(folder, "image") == [envelope([ONE]), envelope([TWO])]
    assert [record["run_id"] for record in records(folder, "image")] == [1, 3, 5]
    assert [record["run_id"] for record in records(folder, "video")] == [1]
    first, _, third = records(folder, "image")
    assert first["file"] == third["file"]


def test_import_of_the_archive_gives_the_same_history(
    api: ApiToArchive, shell: Shell, sqlite_url: str, folder: Path, tmp_path: Path
) -> None:
    for sent in (ONE, TWO, ONE):
        api.set("image", sent, *numbered_models(2))
        output(shell("sync"))
    api.set_bytes("image", b"<html>", status="200 OK")
    assert shell("sync").code == 5
    history = "SELECT mode, model_id, valid_from, valid_to, raw FROM model_versions JOIN models USING (model_pk)"
    before = sorted(query_rows(sqlite_url, history), key=repr)
    everything = [str(file) for file in sorted(folder.glob("*.json"))]
    for name, arguments in {"folder": [str(folder)], "files": everything}.items():
        copy = f"sqlite:///{tmp_path / name}.db"
        shell.set(DATABASE_URL=copy)
        output(shell("migrate"))
        assert output(shell("import", *arguments)).startswith("imported ")
        assert sorted(query_rows(copy, history), key=repr) == before
        assert "recorded already" in output(shell("import", *arguments))
        assert query_rows(copy, "SELECT count(*) FROM sync_runs") == [(3 if name == "folder" else 4,)]


def test_import_refuses_a_body_that_was_changed(api: ApiToArchive, shell: Shell, folder: Path, tmp_path: Path) -> None:
    api.set("image", ONE)
    output(shell("sync"))
    body = next(file for file in folder.glob("*Z-image-*.json") if ".meta." not in file.name)
    body.write_bytes(envelope([TWO]))
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'copy.db'}")
    output(shell("migrate"))
    for path in (folder, body):
        assert "was changed: its bytes do not have the SHA-256 of its name" in error_line(shell("import", str(path)), 5)


@pytest.mark.parametrize(
    ("body", "status", "ended"),
    [
        (b"<html>a login page</html>", "200 OK", (5, "rejected")),
        (envelope([ONE], "image", total=2), "200 OK", (5, "rejected")),
        (b'{"ok": false, "code": 401, "message": "no"}', "401 Unauthorized", (3, "refused")),
        (b"upstream", "503 Busy", (4, "unreachable")),
    ],
)
def test_a_response_that_is_not_taken_is_evidence_too(
    api: ApiToArchive, shell: Shell, folder: Path, body: bytes, status: str, ended: tuple[int, str]
) -> None:
    shell.set(ATTEMPTS="1")
    api.set_bytes("image", body, status=status)
    assert shell("sync").code == ended[0]
    assert bodies(folder, "image") == [body]
    assert [record["error"] for record in records(folder, "image")] == [ended[1]]
    assert bodies(folder, "video") == [envelope([], "video")]
    assert "the archive has all responses" in output(shell("verify"))


def test_a_run_of_which_nothing_was_taken_is_evidence_too(api: ApiToArchive, shell: Shell, folder: Path) -> None:
    api.set_bytes("image", envelope([ONE], "image", total=2))
    api.set_bytes("video", envelope([ONE], "video", total=2))
    assert shell("sync").code == 5
    assert [record["error"] for record in records(folder)] == ["rejected", "rejected"]
    assert "the archive has all responses" in output(shell("verify"))


def test_a_failed_request_without_a_body_leaves_nothing(api: ApiToArchive, shell: Shell, folder: Path) -> None:
    shell.set(ATTEMPTS="1")
    api.set_bytes("image", b"", status="503 Busy")
    assert shell("sync").code == 4
    assert (bodies(folder, "image"), records(folder, "image")) == ([], [])


@pytest.mark.parametrize("status", ["200 OK", "401 No", "503 Busy"])
def test_a_body_that_repeats_the_key_is_not_kept(api: ApiToArchive, shell: Shell, folder: Path, status: str) -> None:
    shell.set(ATTEMPTS="1")
    api.set_bytes("image", json.dumps({"ok": False, "echo": f"Bearer {KEY}"}).encode(), status=status)
    assert shell("sync").code != 0
    assert (bodies(folder, "image"), records(folder, "image")) == ([], [])


def test_the_record_has_no_secret_of_the_headers(api: ApiToArchive, shell: Shell, folder: Path) -> None:
    secrets = ["Set-Cookie: sid=hushhush", "Authorization: hushhush", "X-Api-Token: hushhush", "WWW-Authenticate: hush"]
    secrets += ["Proxy-Authorization: Basic hushhush", "X-Session-Id: hushhush", f"X-Echo: got {KEY} from you"]
    secrets += ["Report-To: https://me:hushhush@a.example/r?sig=hushhush", "Location: https://a.example/hushhush"]
    api.set_bytes("image", envelope([ONE]), *secrets, "X-Request-Id: plain")
    output(shell("sync"))
    text = json.dumps(records(folder))
    require_hidden(text)
    assert "hush" not in text
    assert records(folder, "image")[0]["headers"]["X-Request-Id"] == "plain"
    assert "User-Agent" not in text


def test_a_dry_run_writes_nothing_at_all(api: ApiToArchive, shell: Shell, folder: Path) -> None:
    api.set("image", ONE)
    output(shell("sync", "--dry-run"))
    assert kept(folder) == {}


def nothing_is_there(path: Path) -> None:
    assert not path.exists()


def a_file(path: Path) -> None:
    path.write_text("x")


def a_link_to_itself(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("arguments", ["sync", "sync --dry-run", "schedule --every 1h"])
@pytest.mark.parametrize(
    ("make", "text"),
    [
        (nothing_is_there, "the folder does not exist; make it, mount its volume"),
        (a_file, "it is not a folder"),
        (a_link_to_itself, "too many symbolic links"),
    ],
)
@pytest.mark.usefixtures("api")
def test_a_folder_that_cannot_be_used_is_one_line_before_any_request(
    sqlite_url: str, shell: Shell, tmp_path: Path, arguments: str, make: Callable[[Path], None], text: str
) -> None:
    path = tmp_path / "bad"
    make(path)
    assert text in error_line(shell(*arguments.split(), "--archive", str(path)), 2)
    assert query_rows(sqlite_url, "SELECT count(*) FROM sync_runs") == [(0,)]


def test_an_empty_name_is_not_the_current_folder(api: ApiToArchive, shell: Shell) -> None:
    assert "--archive is empty" in error_line(shell("sync", "--archive", ""), 2)


def test_a_folder_that_another_account_owns_names_the_owner(
    api: ApiToArchive, shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = os.access
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK and access(path, mode))
    line = error_line(shell("sync"), 2)
    assert "this account may not write there, and the folder belongs to" in line
    assert "chown" in line


def test_a_full_disk_is_exit_6_and_nothing_is_stored(
    api: ApiToArchive, shell: Shell, sqlite_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.set("image", ONE)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("sync.source.archive.writer._write_part", full)
        line = error_line(shell("sync"), 6)
    assert f"the archive {folder} could not be written: No space left on device; nothing of the responses was" in line
    assert kept(folder) == {}
    assert query_rows(sqlite_url, "SELECT count(*) FROM models") == [(0,)]
    assert query_rows(sqlite_url, "SELECT status, error_type FROM sync_runs") == [("failed", "ArchiveNotWritten")]
    output(shell("sync"))
    assert "the archive has all responses" in output(shell("verify"))


def test_a_response_that_was_rejected_is_named_when_the_archive_fails_as_well(
    api: ApiToArchive, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.set_bytes("image", b"<html>")

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sync.source.archive.writer._write_part", full)
    assert "not a JSON object" in error_line(shell("sync"), 6)


def test_export_names_the_file_of_each_response(api: ApiToArchive, shell: Shell, folder: Path, tmp_path: Path) -> None:
    api.set("image", ONE)
    output(shell("sync"))
    output(shell("export", str(tmp_path / "history.jsonl")))
    lines = [json.loads(line) for line in (tmp_path / "history.jsonl").read_text().splitlines()]
    (run,) = [line for line in lines if line["line"] == "run"]
    assert {mode["row"]["mode"]: mode["archived"] for mode in run["modes"]} == {
        record["mode"]: record["file"] for record in records(folder)
    }
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'moved.db'}")
    output(shell("migrate"))
    output(shell("import", str(tmp_path / "history.jsonl")))
    assert "the archive has all responses" in output(shell("verify"))


def test_an_older_copy_of_a_cache_is_no_response_to_import(
    api: ApiToArchive, shell: Shell, folder: Path, tmp_path: Path
) -> None:
    for sent, headers, code in ((ONE, (), 0), (TWO, ("Age: 1800",), 4), (ONE, ("Age: 1800",), 0)):
        api.set_bytes("image", envelope([sent]), *headers)
        assert shell("sync").code == code
    assert [record["error"] for record in records(folder, "image")] == [None, "older_copy", "older_copy"]
    assert "the archive has all responses" in output(shell("verify"))
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path / 'copy.db'}")
    output(shell("migrate"))
    assert output(shell("import", str(folder))).startswith("imported 1 line ")
