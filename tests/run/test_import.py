"""Imports of saved responses: a real price history, exactly, and lines that are refused."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from models_db.tables import catalog_changes, credits, models
from sync.errors import CatalogSyncError, Outcome, RemovalsHeld, ResponseRejected, UsageError
from tests.run.conftest import DATA, NOW, REAL_HISTORY, import_file
from tests.support.made_responses import body, model
from tests.support.run_driver import column, dump
from tests.support.stored_rows_checker import assert_consistent

FIVE = [model(id_) for id_ in "abcde"]
KINDS = {"added": "added", "removed": "removed", "relisted": "readded", "increase": "changed", "decrease": "changed"}


@pytest.fixture
def store(engine: Engine) -> Iterator[Engine]:
    yield engine
    assert_consistent(engine)


def saved(tmp_path: Path, *lines: dict[str, bytes], start: int = 1) -> Path:
    """A file with one line a day of March 2026."""
    path = tmp_path / f"responses-{start}.jsonl"
    days = (f'{{"at": "2026-03-{day:02}T00:00:00Z", ' for day in range(start, start + len(lines)))
    texts = (
        day + ", ".join(f'"{key}": {text.decode()}' for key, text in one.items()) + "}\n"
        for day, one in zip(days, lines, strict=True)
    )
    path.write_text("".join(texts))
    return path


def image(*sent: object) -> dict[str, bytes]:
    return {"image": body("image", sent)}


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


def decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def expected_events() -> set[tuple[Any, ...]]:
    with (DATA / "replay-truth.csv").open() as file:
        return {
            (
                datetime.fromisoformat(row["at"]),
                row["kind"],
                row["mode"],
                row["model_id"],
                decimal(row["old_cost"]),
                decimal(row["new_cost"]),
            )
            for row in csv.DictReader(file)
        }


def stored_events(engine: Engine) -> list[tuple[Any, ...]]:
    changes = catalog_changes.c
    query = select(
        *(changes.changed_at, changes.change_kind, models.c.mode, models.c.model_id),
        *(changes.old_cost_exact, changes.new_cost_exact),
    ).join_from(catalog_changes, models)
    with engine.connect() as connection:
        rows = connection.execute(query.where(changes.is_cost_event == 1)).all()
    return [
        (at, KINDS[kind], mode, id_, None if kind == "relisted" else decimal(old), decimal(new))
        for at, kind, mode, id_, old, new in rows
    ]


def test_a_real_price_history_gives_exactly_its_events(real_history: Engine) -> None:
    events = stored_events(real_history)

    assert len(events) == len(expected_events())
    assert set(events) == expected_events()


def test_a_real_price_history_ends_in_its_last_catalog_and_a_second_import_stores_nothing(real_history: Engine) -> None:
    with (DATA / "replay-final.csv").open() as file:
        final = {(row["mode"], row["model_id"], Decimal(row["cost"])) for row in csv.DictReader(file)}
    with real_history.connect() as connection:
        query = select(models.c.mode, models.c.model_id, credits.c.default_cost_exact).join_from(models, credits)
        assert {(mode, id_, Decimal(cost)) for mode, id_, cost in connection.execute(query)} == final
    before = dump(real_history)

    again = import_file(real_history, REAL_HISTORY, "all")

    assert again == [None] * len(again)
    assert dump(real_history) == before


def test_a_line_is_a_run_at_its_own_time(store: Engine, tmp_path: Path) -> None:
    path = saved(tmp_path, image(*FIVE), image(*FIVE[1:]))
    import_file(store, path)

    assert column(store, "sync_runs.observed_at", "started_at", "trigger_kind", "status", "base_url") == [
        (day(1), NOW, "import", "success", None),
        (day(2), NOW, "import", "success", None),
    ]
    assert column(store, "sync_runs.note")[0] == f"imported from {path} line 1"
    assert column(store, "catalog_changes.not_before", "changed_at")[-1] == (day(1), day(2))
    assert column(store, "models.last_seen_at", where={"model_id": "a"}) == [day(1)]
    assert column(store, "sync_run_modes.mode", "asked_at", "attempts", "http_status") == [
        ("image", day(1), 0, None),
        ("image", day(2), 0, None),
    ]


def test_a_line_that_is_not_later_than_the_stored_history_stops_the_import(store: Engine, tmp_path: Path) -> None:
    import_file(store, saved(tmp_path, image(model("a")), start=5))
    before = dump(store)
    path = saved(tmp_path, image(model("b")), start=4)
    with pytest.raises(
        ResponseRejected, match=r"line 1: the time 2026-03-04.* is not later than 2026-03-05.* sort the"
    ):
        import_file(store, path)

    assert dump(store) == before


def test_another_response_at_a_stored_time_stops_the_import(store: Engine, tmp_path: Path) -> None:
    import_file(store, saved(tmp_path, image(model("a"))))

    with pytest.raises(ResponseRejected, match="not later than"):
        import_file(store, saved(tmp_path, image(model("b"))))


def test_a_line_with_one_stored_mode_is_imported_for_the_other(store: Engine, tmp_path: Path) -> None:
    both = {**image(model("a")), "video": body("video", [model("v")])}
    import_file(store, saved(tmp_path, image(model("a"))))
    (result,) = import_file(store, saved(tmp_path, both))

    assert result is not None
    assert [mode.row.mode for mode in result.modes] == ["video"]
    assert column(store, "models.mode", "model_id") == [("image", "a"), ("video", "v")]


@pytest.mark.parametrize(
    ("ahead", "is_stored"), [(timedelta(minutes=5), True), (timedelta(minutes=5, seconds=1), False)]
)
def test_a_line_more_than_five_minutes_ahead_is_refused(
    store: Engine, tmp_path: Path, ahead: timedelta, *, is_stored: bool
) -> None:
    path = tmp_path / "ahead.jsonl"
    path.write_text(f'{{"at": "{(NOW + ahead).isoformat()}", "image": {body("image", [model("a")]).decode()}}}\n')
    if is_stored:
        assert len(import_file(store, path)) == 1
        return
    with pytest.raises(UsageError, match=r"ahead\.jsonl line 1: the time 2026-07-01T00:05:01Z is in the future"):
        import_file(store, path)
    assert column(store, "sync_runs.run_id") == []


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b"{}", Outcome.REJECTED),
        (body("image", FIVE, total=6), Outcome.REJECTED),
        (body("video", FIVE), Outcome.REJECTED),
        (body("image", [*FIVE, model("a", cost=9)]), Outcome.REJECTED),
        (body("image", [model("f", mode="video")]), Outcome.REJECTED),
        (b'{"ok": false, "code": 401}', Outcome.REJECTED),
    ],
)
def test_a_broken_line_stops_the_import_and_the_lines_before_it_stay(
    store: Engine, tmp_path: Path, broken: bytes, code: Outcome
) -> None:
    good = {"video": body("video", FIVE)}
    path = saved(tmp_path, image(*FIVE), {**good, "image": broken}, image(model("g")))
    with pytest.raises(CatalogSyncError, match=r"responses-1\.jsonl line 2: ") as caught:
        import_file(store, path)

    assert caught.value.outcome == code
    assert column(store, "sync_runs.observed_at") == [day(1)]
    assert column(store, "models.mode", "model_id") == [("image", id_) for id_ in "abcde"]


def test_a_held_back_line_stops_the_import_until_its_number_is_accepted(store: Engine, tmp_path: Path) -> None:
    path = saved(tmp_path, image(*FIVE), image(model("a", cost=9), model("b")), image(model("a")))
    with pytest.raises(RemovalsHeld, match=r"line 2: .*--accept-removals 3"):
        import_file(store, path)
    assert column(store, "sync_runs.status") == ["success"]

    results = import_file(store, path, 3)

    assert [result and result.status for result in results] == [None, "success", "success"]
    assert column(store, "models.model_id", where={"removed_at": None}) == ["a"]


def test_a_line_with_rejected_models_is_stored_as_partial(store: Engine, tmp_path: Path) -> None:
    results = import_file(store, saved(tmp_path, image(model("a"), model("b", cost="x")), image(model("a", cost=9))))

    assert [result and result.status for result in results] == ["partial", "success"]
    first = column(store, "sync_runs.observed_at")[0]
    assert column(store, "catalog_changes.not_before", "change_kind") == [(None, "added"), (first, "increase")]


def test_a_response_for_all_modes_is_split_by_the_mode_of_each_model(store: Engine, tmp_path: Path) -> None:
    a, b, c = model("a", mode="image"), model("b", mode="video"), model("c", mode="image")
    lines = [{"all": body("all", [a, b, c])}, {"all": body("all", [a, c])}]
    path = saved(tmp_path, *lines)

    with pytest.raises(RemovalsHeld, match=r"line 2: .*--accept-removals 1"):
        import_file(store, path)
    import_file(store, path, "all")

    assert set(column(store, "models.mode", "model_id")) == {("image", "a"), ("video", "b"), ("image", "c")}
    assert column(store, "sync_run_modes.models_received") == [2, 1, 2, 0]
    assert import_file(store, path, "all") == [None, None]


def test_the_lines_of_a_file_are_what_the_api_sent(store: Engine, tmp_path: Path) -> None:
    import_file(
        store, saved(tmp_path, {"image": b'{"ok":true,"data":{"mode":"image","total":1,"models":[ {"id": "a"} ]}}'})
    )

    assert column(store, "model_versions.raw") == ['{"id": "a"}']
