"""Costs: what counts as one, and the figures of a change."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sync.catalog.json.tree import MalformedError
from sync.catalog.model.costs import CostChange, for_arithmetic
from sync.catalog.model.row_builders import exact_cost
from tests.support.made_responses import model, parts, record, rejected, spelled


@pytest.mark.parametrize(
    ("sent", "exact"),
    [
        ("5.000", "5"),
        ("0", "0"),
        ("-0.0", "0"),
        ("1.5e-7", "0.00000015"),
        ("999999999999", "999999999999"),
        ("0." + "0" * 39 + "1", "0." + "0" * 39 + "1"),
        ("1e-40", "0." + "0" * 39 + "1"),
        ("1.5" + "0" * 60, "1.5"),
    ],
)
def test_a_cost_is_the_plain_decimal_that_was_sent(sent: str, exact: str) -> None:
    assert record(model(cost=spelled(sent))).cost == exact


@pytest.mark.parametrize("model_credits", [{}, {"default_cost": None}, {"notes": "ask"}])
def test_a_missing_or_null_cost_is_none_and_not_zero(model_credits: dict[str, object]) -> None:
    assert record(model(credits=model_credits)).cost is None


def test_a_model_without_credits_has_no_cost() -> None:
    assert record({"id": "a"}).rows["credits"] == ((None, None, None),)


@pytest.mark.parametrize(
    "sent",
    [
        "-1",
        "-0.000001",
        "1000000000000",
        "1e12",
        "1e999",
        "1E+999999",
        "9" * 5000,
        "0." + "0" * 40 + "1",
        "1e-41",
    ],
)
def test_a_number_beyond_the_bounds_rejects_the_model(sent: str) -> None:
    refused = rejected(model("a", cost=spelled(sent)))

    assert refused.model_id == "a"
    assert "credits.default_cost is negative, or has more than 12 integer digits" in refused.explanation


def test_a_cost_that_a_column_would_round_to_13_digits_rejects_the_model() -> None:
    assert record(model(cost=spelled("999999999999.9999999999994"))).cost == "999999999999.9999999999994"
    assert "more than 12 integer digits" in rejected(model(cost=spelled("999999999999.9999999999995"))).explanation


@pytest.mark.parametrize("cost", [True, False, "1.5", "", [], [1], {}, {"value": 1}])
def test_a_cost_that_is_no_number_rejects_the_model(cost: object) -> None:
    assert "credits.default_cost is not a number" in rejected(model(cost=cost)).explanation


def test_a_cost_that_is_not_a_number_of_json_rejects_the_model() -> None:
    assert "NaN is not valid JSON" in rejected(model("a", cost=spelled("NaN"))).explanation


def test_credits_that_are_no_object_reject_the_model() -> None:
    with pytest.raises(MalformedError, match="credits is not an object"):
        exact_cost(parts({"credits": [3]}))


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        ("0.0000000000005", "0.000000000000"),
        ("0.0000000000015", "0.000000000002"),
        ("0.0000000000025", "0.000000000002"),
        ("0.00000000000250001", "0.000000000003"),
        ("999999999999.1234567890125", "999999999999.123456789012"),
        ("3", "3.000000000000"),
    ],
)
def test_arithmetic_gets_the_cost_rounded_half_even(exact: str, rounded: str) -> None:
    assert f"{for_arithmetic(exact):f}" == rounded


def test_no_cost_is_no_number_for_arithmetic_either() -> None:
    assert for_arithmetic(None) is None


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("3", "1.5", "decrease"),
        ("1.5", "3", "increase"),
        ("9", "10", "increase"),
        ("0", "0.0000000000000000001", "increase"),
        (None, "0", "cost_set"),
        ("0", None, "cost_unset"),
    ],
)
def test_the_kind_of_a_change_goes_by_the_exact_decimals(old: str | None, new: str | None, kind: str) -> None:
    assert CostChange(old, new).kind == kind


@pytest.mark.parametrize(
    ("old", "new", "delta", "percent"),
    [
        ("3", "1.5", "-1.500000000000", "-50.000000"),
        ("3", "4", "1.000000000000", "33.333333"),
        ("3", "5", "2.000000000000", "66.666667"),
        ("1", "0", "-1.000000000000", "-100.000000"),
        ("200000000", "200000001", "1.000000000000", "0.000000"),  # 0.0000005 % is a tie: to the even 0
        ("200000000", "200000003", "3.000000000000", "0.000002"),  # 0.0000015 % is a tie: to the even 2
        ("0.0000000000000000001", "0.0000000000000000002", "0.000000000000", "100.000000"),
        ("0.00000075", "0.75", "0.749999250000", "99999900.000000"),
        ("0.0000000000000000000000000000000000000001", "999999999999", "999999999999.000000000000", None),
        ("0", "1", "1.000000000000", None),
        (None, "1", None, None),
        ("1", None, None, None),
    ],
)
def test_delta_and_percent(old: str | None, new: str | None, delta: str | None, percent: str | None) -> None:
    change = CostChange(old, new)

    assert change.delta == (None if delta is None else Decimal(delta))
    assert change.percent == (None if percent is None else Decimal(percent))


def test_the_largest_percent_is_the_largest_its_column_holds() -> None:
    one = "0.0000000001"

    assert CostChange(one, "999999").percent == Decimal(999998999999999900)
    assert CostChange(one, "1000000.0000000001").percent is None
