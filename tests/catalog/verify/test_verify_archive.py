"""Comparing the files of an archive with what the runs recorded, from values alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sync.catalog.verify.archive import (
    ArchiveCheck,
    ArchiveContents,
    ArchivedBody,
    ArchivedRecord,
    RecordedResponse,
    RecordedRun,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A, B = "a" * 64, "b" * 64
OWN = "own"


def at(number: int) -> datetime:
    return NOON + timedelta(hours=number)


def body(number: int, sha256: str = A) -> ArchivedBody:
    return ArchivedBody(f"{number}-{sha256[0]}.json", at(number), "image", sha256, 10, sha256)


def record(number: int, sha256: str = A, run_id: int | None = None) -> ArchivedRecord:
    file = f"{number}-{sha256[0]}.meta.json"
    own = {"catalog_id": OWN, "run_id": run_id or number, "http_status": 200, "asked_at": at(number), "size": 10}
    return ArchivedRecord(file, at(number), "image", sha256, is_rejected=False, **own)  # type: ignore[arg-type]


def run(number: int, sha256: str | None = A, status: str = "success") -> RecordedRun:
    modes = {"image": RecordedResponse(sha256, 10 if sha256 else None, 200, at(number))}
    return RecordedRun(number, None, status, "cli", at(number), at(number), at(number), modes)


def unfinished(number: int, status: str) -> RecordedRun:
    end = None if status == "running" else at(number)
    return RecordedRun(number, None, status, "cli", at(number), end, None, {})


def problems(
    contents: ArchiveContents, *runs: RecordedRun, now: Callable[[str, str], bool] = lambda *_: False
) -> list[str]:
    return [finding.problem for finding in ArchiveCheck(contents, OWN, now).findings(runs)]


WHOLE = ArchiveContents((body(1), body(3, B)), (record(1), record(3, B), record(5)))
RUNS = (run(1), run(2), run(3, B), run(4, B), run(5))


def test_an_archive_that_agrees_has_no_finding() -> None:
    assert problems(WHOLE, *RUNS) == []


def test_runs_before_the_archive_began_and_imports_are_not_missing() -> None:
    later = ArchiveContents((body(3, B),), (record(3, B),))
    imported = replace(run(6), trigger_kind="import")
    assert problems(later, run(1), run(2), run(3, B), imported) == []


def test_a_response_that_came_before_and_after_the_beginning_is_missing_after_it() -> None:
    later = ArchiveContents((body(3, B),), (record(3, B),))
    assert problems(later, *RUNS) == [f"the response of run 5 is missing: no body has the SHA-256 {A}"]


def test_a_missing_body_is_named_once() -> None:
    cut = replace(WHOLE, bodies=WHOLE.bodies[:1])
    assert problems(cut, *RUNS) == ["3-b.meta.json is a record without its body: that file is missing"]
    cut = replace(cut, records=(record(1), record(5)))
    assert problems(cut, *RUNS) == [f"the response of run 3 is missing: no body has the SHA-256 {B}"]


def test_a_body_that_came_while_the_runs_were_read_is_not_missing() -> None:
    assert problems(WHOLE, *RUNS, run(6, "c" * 64), now=lambda _, sha256: sha256 == "c" * 64) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"found_sha256": B}, f"1-a.json was changed: the SHA-256 of its bytes is {B}"),
        ({"found_sha256": None}, "1-a.json cannot be read"),
        ({"size": 11}, "1-a.json has 11 bytes, but run 1 says 10"),
    ],
)
def test_a_changed_body(change: dict[str, object], problem: str) -> None:
    changed = replace(WHOLE, bodies=(replace(body(1), **change), body(3, B)))
    assert problem in problems(changed, *RUNS)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"problem": "it is not a record"}, "1-a.meta.json was changed: it is not a record"),
        ({"http_status": 201}, "1-a.meta.json was changed: status is 201, but run 1 says 200"),
        ({"asked_at": NOON}, "asked_at is 2026-03-01T12:00:00Z, but run 1 says 2026-03-01T13:00:00Z"),
        ({"size": 9}, "1-a.meta.json was changed: bytes is 9, but run 1 says 10"),
    ],
)
def test_a_changed_record(change: dict[str, object], problem: str) -> None:
    changed = replace(WHOLE, records=(replace(record(1), **change), *WHOLE.records[1:]))
    (found,) = problems(changed, *RUNS)
    assert problem in found


def test_extra_files() -> None:
    extra = replace(WHOLE, bodies=(*WHOLE.bodies, body(6, "c" * 64)), unknown=("notes.txt",))
    assert problems(extra, *RUNS) == [
        "notes.txt is an extra file: no run writes such a name",
        "6-c.json is an extra file: no record names it, and no run received it",
    ]


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        (record(4, A, run_id=4), f"is an extra file: run 4 had another response: '{B[:3]}"),
        (record(6, A, run_id=9), "is an extra file: run 9 is not on record, and the last one is 5"),
        (replace(record(6, A), catalog_id="other"), "is an extra file: it is of the catalog 'other'"),
        (record(4, B, run_id=3), "is an extra file: run 3 had it at another time"),
    ],
)
def test_an_extra_record(extra: ArchivedRecord, problem: str) -> None:
    extra = replace(extra, at=extra.at + timedelta(minutes=1), file="extra.meta.json")
    (found,) = problems(replace(WHOLE, records=(*WHOLE.records, extra)), *RUNS)
    assert found.startswith(f"extra.meta.json {problem}")


@pytest.mark.parametrize("status", ["running", "abandoned", "failed"])
def test_files_of_a_run_that_died_are_no_finding(status: str) -> None:
    left = ArchiveContents((*WHOLE.bodies, body(6, "c" * 64), body(7, "d" * 64)), (*WHOLE.records, record(6, "c" * 64)))
    assert problems(left, *RUNS, unfinished(6, status), unfinished(7, status)) == []


def test_a_failed_request_has_no_hash_in_its_run() -> None:
    rejected = replace(record(6, "c" * 64), is_rejected=True)
    left = ArchiveContents((*WHOLE.bodies, body(6, "c" * 64)), (*WHOLE.records, rejected))
    assert problems(left, *RUNS, run(6, None, "failed")) == []


def test_records_of_pruned_runs_are_counted() -> None:
    check = ArchiveCheck(WHOLE, OWN, lambda *_: False)
    assert list(check.findings([run(2), *RUNS[2:]])) == []
    assert check.pruned == 1


def test_a_catalog_that_was_moved_knows_its_runs_by_time_and_hash() -> None:
    moved = [replace(one, run_id=one.run_id + 100, source=(OWN, one.run_id)) for one in RUNS]
    check = ArchiveCheck(WHOLE, "new", lambda *_: False)
    assert list(check.findings(moved)) == []


def test_an_import_of_the_bodies_knows_neither_status_nor_when_they_were_asked_for() -> None:
    imported = [replace(each, trigger_kind="import", modes=_imported(each)) for each in RUNS]
    contents = replace(WHOLE, records=tuple(replace(each, catalog_id="other") for each in WHOLE.records))
    assert problems(contents, *imported) == []
    [problem] = problems(WHOLE, *(replace(each, source=("other", each.run_id)) for each in imported[:1]), *RUNS[1:])
    assert problem == "1-a.meta.json was changed: status is 200, but run 1 says NULL"


def _imported(of: RecordedRun) -> dict[str, RecordedResponse]:
    return {mode: replace(row, http_status=None, asked_at=of.observed_at) for mode, row in of.modes.items()}


def test_an_empty_archive_has_nothing_to_compare() -> None:
    assert problems(ArchiveContents(), *RUNS) == []
