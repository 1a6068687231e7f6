"""Costs in a period: what is in effect, what moved from one end to the other, the means of providers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync.catalog.history.period_costs import clipped, has_changed, net_moves, provider_means
from tests.support.report_values import BEGIN, PERIOD, day, intervals, model


def numbers(*texts: str) -> list[Decimal | None]:
    return [Decimal(text) for text in texts]


def test_intervals_are_cut_to_the_period_and_go_on_after_it() -> None:
    found = list(clipped(intervals((-10, "1"), (30, "2"), (120, "3")), PERIOD))

    assert [(each.valid_from, each.valid_to, each.credit_cost) for each in found] == [
        (BEGIN, day(30), "1"),
        (day(30), None, "2"),
    ]


def test_an_interval_that_ends_with_the_period_was_listed_until_then() -> None:
    (found,) = clipped(intervals((0, "1"), end=90), PERIOD)

    assert found.valid_to is None
    assert not list(clipped(intervals((-10, "1"), end=0), PERIOD))
    assert not list(clipped(intervals((90, "1")), PERIOD))


@pytest.mark.parametrize(
    ("costs", "kind", "percent"),
    [
        ([(-5, "4"), (10, "3")], "moved", Decimal(-25)),
        ([(-5, "4"), (10, "0")], "moved", Decimal(-100)),
        ([(-5, "0"), (10, "3")], "new price", None),
        ([(-5, None), (10, "3")], "new price", None),
        ([(-5, "3"), (10, None)], "no price now", None),
        ([(10, "3")], "new", None),
        ([(-5, "3"), (10, "gone")], "gone", None),
        ([(-5, "3"), (10, "gone"), (20, "6")], "moved", Decimal(100)),
        ([(-5, "1e-12"), (10, "100000000000")], "new price", None),
    ],
)
def test_a_net_move_compares_the_two_ends(costs: list[tuple[float, str]], kind: str, percent: Decimal | None) -> None:
    (move,) = net_moves([model("a", *costs)], PERIOD, {})

    assert (move.kind, move.change.percent) == (kind, percent)


@pytest.mark.parametrize(
    "costs", [[(-5, "3")], [(-5, "3"), (10, "4"), (20, "3")], [(-5, None)], [(10, "3"), (20, "gone")], [(-5, "0")]]
)
def test_what_is_the_same_at_both_ends_is_no_move(costs: list[tuple[float, str]]) -> None:
    assert net_moves([model("a", *costs)], PERIOD, {}) == []


def test_a_mode_that_was_first_synced_later_begins_then() -> None:
    models = [model("a", (20, "1"), (30, "2"), mode="video"), model("b", (25, "1"), mode="video")]
    moves = net_moves(models, PERIOD, {"image": BEGIN, "video": day(20)})

    assert [(move.model.model_id, move.kind, move.change.old) for move in moves] == [
        ("a", "moved", "1"),
        ("b", "new", None),
    ]


def test_the_models_of_the_first_sync_are_no_change_and_later_ones_are() -> None:
    assert not has_changed(model("a", (0, "1")), PERIOD, {"image": BEGIN})
    assert not has_changed(model("a", (5, "1")), PERIOD, {"image": day(5)})
    assert has_changed(model("a", (5, "1")), PERIOD, {"image": BEGIN})
    assert has_changed(model("a", (0, "1"), (5, "gone")), PERIOD, {"image": BEGIN})
    assert has_changed(model("a", (0, "1"), (5, "2")), PERIOD, {"image": BEGIN})


def test_the_means_are_those_of_listed_models_with_a_cost() -> None:
    models = [
        model("a", (-5, "1"), (30, "2")),
        model("b", (-5, "4"), (60, "gone")),
        model("c", (10, None)),
        model("d", (50, "10"), provider="Borealis"),
        model("e", (-5, "1"), mode="video"),
    ]
    acme, borealis, video = provider_means(models, PERIOD, {})

    assert (acme.model_count, acme.priced_count) == (2, 1)
    assert [acme.lowest, acme.mean, acme.highest, acme.mean_then] == numbers("2", "2", "2", "2.5")
    assert [mean for _, mean in acme.steps] == numbers("2.5", "3", "2")
    assert [moment for moment, _ in acme.steps] == [BEGIN, day(30), day(60)]
    assert (borealis.provider, borealis.mean, borealis.mean_then) == ("Borealis", Decimal(10), None)
    assert borealis.steps == ((day(50), Decimal(10)),)
    assert (video.mode, video.mean) == ("video", Decimal(1))


def test_there_is_no_mean_while_no_listed_model_has_a_cost() -> None:
    (mean,) = provider_means([model("a", (-5, "1"), (10, "gone"), (20, None), (30, "3"))], PERIOD, {})

    assert mean.steps == ((BEGIN, Decimal(1)), (day(10), None), (day(30), Decimal(3)))
    assert mean.mean == 3


def test_the_mean_of_a_mode_that_was_first_synced_later_changes_from_then_on() -> None:
    models = [model("a", (20, "1"), (30, "2"), mode="video"), model("b", (25, "4"), mode="video")]
    (mean,) = provider_means(models, PERIOD, {"image": BEGIN, "video": day(20)})

    assert (mean.mean_then, mean.mean) == (Decimal(1), Decimal(3))
