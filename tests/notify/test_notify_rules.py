"""Which events a destination gets, in which messages, and how long it waits after failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from sync.catalog.checkpoint import Checkpoint
from sync.catalog.news import Event, LastSuccess, ModeOfRun, Rejection, RunRow
from sync.notify.destinations import KINDS, Destination
from sync.notify.events import History, failure_events, run_events, stale_events
from sync.notify.filters import wants
from sync.notify.fitting import text_for, weight
from sync.notify.messages import MOST_LINES, message_of
from sync.notify.waits import LONGEST_WAIT, wait_after

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = Destination("all", kinds=frozenset(KINDS))
INCREASE = Event(
    "increase",
    7,
    "image",
    "flux",
    "Flux *Pro* <b>@all</b>",
    "acme",
    "5",
    "6",
    Decimal(1),
    Decimal(20),
    NOW - HOUR,
    NOW,
)
CHECKPOINT = Checkpoint("3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d", 42, bytes(32))


def run(run_id: int, status: str = "success", **image: Any) -> RunRow:
    mode = ModeOfRun("image", status, is_good=status == "success", stamp=NOW)
    return RunRow(
        run_id, status, error_type="ApiUnreachable" if status == "failed" else None, modes=(replace(mode, **image),)
    )


def kinds_of(*runs: RunRow) -> list[str]:
    """The kinds of the events of the last run, without a mere good mode."""
    history, last = History(runs), runs[-1]
    events = failure_events(last, history) if last.status == "failed" else run_events(last, (), (), history)
    return [event.kind for event in events if wants(ALL, event)]


@pytest.mark.parametrize(
    ("filters", "is_wanted"),
    [
        ({}, True),
        ({"kinds": frozenset(["decrease"])}, False),
        ({"mode": "video"}, False),
        ({"mode": "image"}, True),
        ({"providers": frozenset(["acme"])}, True),
        ({"providers": frozenset(["Acme"])}, False),
        ({"models": ("fl*",)}, True),
        ({"models": ("x", "y*")}, False),
        ({"min_pct": 20.0}, True),
        ({"min_pct": 20.1}, False),
        ({"min_delta": 1.0}, True),
        ({"min_delta": 1.5, "min_pct": 1.0}, False),
    ],
)
def test_filters_decide_on_a_change(filters: dict[str, Any], is_wanted: bool) -> None:  # noqa: FBT001  # a case
    assert wants(replace(ALL, **filters), INCREASE) is is_wanted


def test_a_rise_from_zero_is_larger_than_any_percentage() -> None:
    assert wants(replace(ALL, min_pct=1000.0), replace(INCREASE, percent=None))


def test_a_failure_passes_the_filters_of_models() -> None:
    narrow = replace(ALL, mode="video", providers=frozenset(["x"]), models=("y",))

    assert wants(narrow, Event("failed", 7))
    assert not wants(narrow, Event("failed", 7, "image"))


def test_a_failure_is_told_when_it_begins_and_when_it_changes() -> None:
    assert kinds_of(run(1), run(2, "failed")) == ["failed"]
    assert kinds_of(run(1), run(2, "failed"), run(3, "failed")) == []
    assert kinds_of(run(2, "failed"), replace(run(3, "failed"), error_type="ApiRefused")) == ["failed"]
    assert kinds_of(RunRow(1, "failed", modes=())) == ["failed"]


def test_a_mode_recovers_after_a_bad_run_and_after_none_else() -> None:
    assert kinds_of(run(1), run(2)) == []
    assert kinds_of(run(1, "failed"), run(2)) == ["recovered"]
    assert kinds_of(RunRow(1, "abandoned"), run(2)) == ["recovered"]
    assert kinds_of(run(1, "held", hold_reason="costs", is_good=False), run(2)) == ["recovered"]
    assert kinds_of(run(1, "failed"), run(2, "superseded"), run(3)) == ["recovered"]
    assert kinds_of(run(1), run(2, previous_success_at=NOW - 27 * HOUR)) == ["recovered"]


def test_what_is_held_back_is_told_until_it_changes() -> None:
    held = {"hold_reason": "removals", "held_ids": '["a"]', "is_good": False}

    assert kinds_of(run(1), run(2, "held", **held)) == ["held"]
    assert kinds_of(run(1, "held", **held), run(2, "failed"), run(3, "held", **held)) == []
    assert kinds_of(run(1, "held", **held), run(2, "held", **{**held, "held_ids": '["a", "b"]'})) == ["held"]


def test_a_rejection_is_told_once_for_its_reason() -> None:
    again = [
        Rejection(2, "image", "m", "1", "bad cost", opened=False),
        Rejection(2, "image", "m", "2", "bad cost", opened=True),
    ]
    other = [again[0], Rejection(2, "image", "m", "2", "no cost", opened=True)]
    history = History([run(2)])

    assert run_events(run(2), (), again, history) == ()
    assert [event.kind for event in run_events(run(2), (), other, history)] == ["rejected"]


@pytest.mark.parametrize("past", [{"trigger_kind": "import"}, {"is_replayed": True}])
def test_the_past_tells_nothing(past: dict[str, Any]) -> None:
    imported = replace(run(2), **past)

    assert run_events(imported, (INCREASE,), (), History([imported])) == ()


def test_stale_is_told_once() -> None:
    successes = [LastSuccess("image", NOW - 27 * HOUR), LastSuccess("video", None)]

    assert [event.mode for event in stale_events(successes, NOW - 2 * HOUR, NOW, 26 * HOUR)] == ["image"]
    assert stale_events(successes, NOW - HOUR, NOW, 26 * HOUR) == ()  # told at that moment, or new since


def test_a_message_says_what_when_where_and_how_to_look_further() -> None:
    message = message_of([INCREASE], CHECKPOINT)

    assert message.title == "catalog-sync: cost increase (run 7)"
    change = "image flux (Flux *Pro* <b>@all</b>, acme): increase 5 -> 6 credits (+20.00 %)"
    assert text_for(message, 0, "json").split("\n") == [
        f"{change}; seen between 2026-03-01 11:00:00 UTC and 2026-03-01 12:00:00 UTC",
        "",
        "Run 7",
        f"Checkpoint: catalog-sync/{CHECKPOINT.catalog_id}, 42 seals, root {CHECKPOINT.root_text}",
        "Look further: catalog-sync costs --mode image -- flux",
    ]


def test_ten_thousand_events_are_sixty_lines_and_a_number() -> None:
    message = message_of([replace(INCREASE, model_id=f"m{number}") for number in range(10_000)], CHECKPOINT)
    lines = text_for(message, 0, "json").split("\n")

    assert message.title == "catalog-sync: 10,000 cost increases (run 7)"
    assert lines[MOST_LINES] == "and 9,940 more: catalog-sync changes --limit 0 --since 2026-03-01T12:00:00Z"


@pytest.mark.parametrize("limit", [100, 160, 1000, 2000, 4096, 32768])
def test_a_message_fits_its_channel(limit: int) -> None:
    events = [replace(INCREASE, model_id=f"<m&{number}>", model_name="\U0001f600" * 300) for number in range(500)]
    text = text_for(message_of(events, CHECKPOINT), limit, "discord")

    assert 0 < len(text) <= limit
    assert limit < 1000 or ("more: catalog-sync" in text and weight(text) <= limit)


def test_markup_is_escaped_and_nobody_is_called_where_that_is_needed() -> None:
    message = message_of([INCREASE], None)

    assert "Flux \\*Pro\\* <b\\>@\u200ball" in text_for(message, 0, "mmost")
    assert "@\u200ball" in text_for(message, 0, "slack")
    assert "@all" in text_for(message, 0, "mailtos")


def test_hostile_texts_stay_in_their_line() -> None:
    hostile = replace(INCREASE, model_id="a\nb'; rm -rf ~", model_name="x\x1b[31m\r\n\r\nRun 9")
    [line, blank, *_] = text_for(message_of([hostile], None), 0, "json").split("\n")

    assert line.isprintable()
    assert blank == ""
    assert "rm -rf" not in message_of([hostile], None).more


def test_waits_double_up_to_a_bound() -> None:
    minutes = [wait_after(failures) // timedelta(minutes=1) for failures in range(1, 6)]

    assert minutes == [1, 2, 4, 8, 16]
    assert wait_after(10**9) == LONGEST_WAIT
