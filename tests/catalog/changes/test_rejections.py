"""Which models are rejected from a response on or no longer, what is reported, and how their events are dated."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import UNSET

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.changes.rejections import OpenRejection
from tests.support.made_plans import BEFORE, FIVE, SEEN, kinds, plan
from tests.support.made_responses import model, raw, rejected, stored

OLD = SEEN - timedelta(days=7)
BAD = model("a", cost=-1)
WORSE = model("a", cost="free")
UNREADABLE = {"name": "no id"}
OTHERS = FIVE[1:]


def row(sent: Any, not_before: datetime | None = OLD, **changed: Any) -> OpenRejection:
    """The open row that a rejected model left."""
    refused = rejected(sent)
    values = {"model_id": refused.model_id, "raw_sha256": refused.raw_sha256, "reason": refused.reason, **changed}
    return OpenRejection(**values, since=OLD + timedelta(seconds=2), not_before=not_before)


def result(made: ModePlan) -> tuple[int, int, int, int]:
    """How many rows are opened and closed, and how many models are reported and not reported again."""
    changes = made.rejections
    return len(changes.opened), len(changes.closed), len(changes.reported), len(changes.standing)


@pytest.mark.parametrize(
    ("sent", "before", "expected"),
    [
        ([BAD], [], (1, 0, 1, 0)),
        ([BAD], [BAD], (0, 0, 0, 1)),
        ([model("a", cost=-2)], [BAD], (1, 1, 0, 1)),
        ([WORSE], [BAD], (1, 1, 1, 0)),
        ([BAD, WORSE], [BAD], (1, 0, 1, 1)),
        ([BAD, model("a", cost=-2)], [], (2, 0, 2, 0)),
        ([BAD], [BAD, model("a", cost=-2)], (0, 1, 0, 1)),
        ([model("a")], [BAD], (0, 1, 0, 0)),
        ([model("a", cost=9)], [BAD], (0, 1, 0, 0)),
        ([], [BAD], (0, 1, 0, 0)),
        ([], [model("never", cost=-1)], (0, 1, 0, 0)),
        ([UNREADABLE], [], (1, 0, 1, 0)),
        ([UNREADABLE], [UNREADABLE], (0, 0, 0, 1)),
        ([{"name": "another"}], [UNREADABLE], (1, 1, 1, 0)),
        # Any missing model may be the one without an id.
        ([UNREADABLE], [BAD], (1, 0, 1, 0)),
        ([model("a", cost=9), UNREADABLE], [BAD], (1, 1, 1, 0)),
    ],
)
def test_rows_open_and_close_and_what_is_new_is_reported(
    sent: list[Any], before: list[Any], expected: tuple[int, int, int, int]
) -> None:
    made = plan([*sent, *OTHERS], stored(*FIVE), rejected_before=[row(each) for each in before])

    assert result(made) == expected


def test_removals_held_back_close_no_row_of_a_missing_model() -> None:
    made = plan(OTHERS[2:], stored(*FIVE), rejected_before=[row(BAD), row(model("b", cost=-1))])

    assert (made.removals_held, result(made), made.is_good) == (3, (0, 0, 0, 0), False)


def test_a_row_keeps_the_text_as_it_was_sent_and_the_start_of_the_mode() -> None:
    (opened,) = plan([BAD, *OTHERS], stored(*FIVE)).rejections.opened

    assert bytes(opened.model.raw) == raw(BAD)
    assert opened.model.raw_sha256 == hashlib.sha256(raw(BAD)).hexdigest()
    assert opened.not_before == BEFORE.good_asked_at


@pytest.mark.parametrize("sent", [model("a", cost=-2), WORSE])
def test_another_text_or_reason_keeps_the_start_of_the_row_before(sent: Any) -> None:
    (opened,) = plan([sent, *OTHERS], stored(*FIVE), rejected_before=[row(BAD)]).rejections.opened

    assert opened.not_before == OLD


@pytest.mark.parametrize(
    ("sent", "kind"),
    [([model("a", cost=6)], "changed"), ([model("a", cost=6), model("new")], "changed"), ([], "removed")],
)
def test_the_next_event_of_a_rejected_model_has_the_start_of_its_row(sent: list[Any], kind: str) -> None:
    made = plan([*sent, *OTHERS], stored(*FIVE), rejected_before=[row(BAD)])
    starts = {change.model_id: change.not_before for change in made.changes}

    assert ("a", kind) in kinds(made)
    assert starts.pop("a") == OLD
    assert set(starts.values()) <= {UNSET}


@pytest.mark.parametrize("start", [OLD, None])
def test_a_model_that_was_rejected_from_the_first_is_added_with_the_start_of_its_row(start: datetime | None) -> None:
    made = plan([*FIVE, model("new", cost=1)], stored(*FIVE), rejected_before=[row(model("new", cost=-1), start)])

    assert [(change.model_id, change.lifecycle, change.not_before) for change in made.changes] == [
        ("new", "added", start)
    ]


def test_of_two_copies_the_earliest_start_counts() -> None:
    later = OLD + timedelta(days=1)
    before = [row(BAD, later), row(WORSE), row(model("b", cost=-1), later), row(model("b", cost=[]), None)]
    made = plan([model("a", 6), model("b", 6), *OTHERS[1:]], stored(*FIVE), rejected_before=before)

    assert [change.not_before for change in made.changes] == [OLD, None]


@pytest.mark.parametrize(
    ("sent", "is_good", "status"),
    [
        (FIVE, True, "success"),
        ([BAD, *OTHERS], True, "partial"),
        ([BAD, UNREADABLE, *OTHERS], False, "partial"),
        (FIVE[3:], False, "held"),
        ([BAD, FIVE[4]], False, "partial"),
    ],
)
def test_a_plan_is_good_unless_an_id_is_unreadable_or_removals_are_held_back(
    sent: list[Any], status: str, *, is_good: bool
) -> None:
    made = plan(sent, stored(*FIVE))

    assert (made.is_good, made.status) == (is_good, status)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (model("a", cost=-1), model("a", cost=-2.5)),
        (model("a", cost="free"), model("a", cost=[1])),
        (model("a", **{"x" * 256: 1}), model("a", **{"y" * 300: 1})),
        (model("a", **{"x\0": 1}), model("a", **{"\ud800": 1})),
        (b'{"id": "a", "x": 1, "x": 2}', b'{"id": "a", "y": 1, "y": 2}'),
        (b'{"id": "a", "x": NaN}', b'{"id": "a", "x": -Infinity}'),
        (b'{"id": "a", "x": 1 2}', b'{"id": "a", "xyz": 1 2}'),
    ],
)
def test_a_reason_names_no_value_that_was_sent(one: Any, other: Any) -> None:
    first, second = rejected(one), rejected(other)

    assert first.reason == second.reason
    assert first.explanation != second.explanation or first.reason == first.explanation
