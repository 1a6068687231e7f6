"""Faults B9 to B18: models that are malformed, duplicate, too many or too large."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line
from tests.support.rude_server import response, says
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

REST = LISTED[1:]


def rejects_one(synced: SyncedDatabase, *models: Any, of: int = 4) -> str:
    """The error line of a sync in which one model is rejected and the others are stored."""
    line = error_line(synced.sync(image=image(models)), 5)
    assert f"1 of {of} image models were rejected and kept as stored" in line
    assert synced.costs()["acme/image-0"] == "1"
    assert synced.events() == []
    synced.verify()
    return line


@pytest.mark.parametrize("cost", ["1.5", True, [3], {"amount": 3}, -1, -0.5], ids=str)
def test_b9_a_cost_that_is_negative_or_not_a_number_rejects_its_model(
    synced_sqlite: SyncedDatabase, cost: object
) -> None:
    assert "credits.default_cost is" in rejects_one(synced_sqlite, model("acme/image-0", cost), *REST)


@pytest.mark.parametrize("credits", [None, {}, {"default_cost": None}, {"notes": "none"}], ids=str)
def test_b9_a_missing_cost_is_null_and_not_zero(synced: SyncedDatabase, credits: object) -> None:
    synced.succeeds(image=image([{**LISTED[0], "credits": credits}, *REST]))

    assert synced.costs()["acme/image-0"] is None
    assert synced.query("SELECT default_cost FROM credit_history WHERE valid_to IS NULL AND default_cost IS NULL") == [
        (None,)
    ]
    assert "cost_unset" in synced.events()


def test_b9_zero_is_a_cost(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image([model("acme/image-0", 0), *REST]))

    assert synced.costs()["acme/image-0"] == "0"
    assert synced.events() == ["decrease"]


# The most decimals, the most digits, and one digit more than the NUMERIC column keeps.
LONG = ("0." + "0" * 39 + "1", "123456789012." + "1234567891" * 4, "0.1234567890125")


def test_b10_every_digit_of_a_cost_is_stored_and_compared(synced: SyncedDatabase) -> None:
    for number, digits in enumerate(LONG):
        body = envelope(LISTED).replace(b'"default_cost": 1', b'"default_cost": ' + digits.encode(), 1)
        synced.succeeds(image=says(response("200 OK", body)))
        assert synced.costs()["acme/image-0"] == digits
        assert len(synced.events()) == number + 1
    rounded = synced.query("SELECT default_cost FROM credit_history WHERE valid_to IS NULL ORDER BY model_pk")[0][0]
    assert abs(float(rounded) - 0.123456789012) < 1e-12  # half to even


@pytest.mark.parametrize("number", ["1234567890123", "0." + "1" * 41])
def test_b10_a_cost_with_too_many_digits_rejects_its_model(synced_sqlite: SyncedDatabase, number: str) -> None:
    body = envelope(LISTED).replace(b'"default_cost": 1', b'"default_cost": ' + number.encode(), 1)
    line = error_line(synced_sqlite.sync(image=says(response("200 OK", body))), 5)

    assert "1 of 4 image models were rejected" in line
    assert synced_sqlite.costs()["acme/image-0"] == "1"
    synced_sqlite.verify()


@pytest.mark.parametrize("model_id", [None, "", 7, "x" * 256, {"a": 1}], ids=lambda value: str(value)[:9])
def test_b11_an_invalid_id_rejects_its_model_and_stops_removals(
    synced_sqlite: SyncedDatabase, model_id: object
) -> None:
    bad = {**LISTED[3], "id": model_id}

    rejects_one(synced_sqlite, *LISTED[:3], bad)
    assert len(synced_sqlite.costs()) == 4  # the model with the invalid id may be acme/image-3


# Equal in some collations of MariaDB, and different byte by byte.
SIMILAR_IDS = ("Foo", "foo", "foo ", "föo", "fóo", "x" * 255, "x" * 254 + "X")


def test_b11_ids_that_differ_in_case_accent_or_a_blank_are_different_models(synced: SyncedDatabase) -> None:
    similar = [model(model_id, number) for number, model_id in enumerate(SIMILAR_IDS)]
    synced.succeeds(image=image([*LISTED, *similar]))
    assert {model_id: synced.costs()[model_id] for model_id in SIMILAR_IDS} == dict(
        zip(SIMILAR_IDS, map(str, range(7)), strict=True)
    )

    synced.succeeds(image=image([*LISTED, *similar[1:], model("Foo", 50)]))
    assert [synced.costs()[model_id] for model_id in SIMILAR_IDS[:3]] == ["50", "1", "2"]
    assert synced.events() == ["added"] * 7 + ["increase"]


def test_b12_equal_copies_of_a_model_are_one(synced: SyncedDatabase) -> None:
    copy = dict(reversed(LISTED[0].items()))
    synced.succeeds(image=image([*LISTED, copy, LISTED[1]]))

    assert synced.events() == []


def test_b12_different_copies_of_a_model_are_exit_5_and_the_mode_does_not_change(synced: SyncedDatabase) -> None:
    line = error_line(synced.sync(image=image([*LISTED, model("acme/image-0", 99)])), 5)

    assert "different models with the id 'acme/image-0'" in line
    assert synced.events() == []
    synced.verify()


def test_b13_the_same_id_in_both_modes_is_two_models(synced: SyncedDatabase) -> None:
    synced.succeeds(video=video([model("acme/video", 9, mode="video"), model("acme/image-0", 50, mode="video")]))

    assert (synced.costs()["acme/image-0"], synced.costs("video")["acme/image-0"]) == ("1", "50")


@pytest.mark.parametrize(
    "sent",
    [envelope([*LISTED, model("acme/new", 5, mode="video")]), envelope(LISTED, "video")],
    ids=["of a model", "of the response"],
)
def test_b14_another_mode_than_the_requested_one_is_exit_5(synced: SyncedDatabase, sent: bytes) -> None:
    error_line(synced.sync(image=says(response("200 OK", sent))), 5)

    assert synced.events() == []
    assert synced.query("SELECT status FROM sync_run_modes WHERE run_id = 2 ORDER BY mode") == [
        ("failed",),
        ("success",),
    ]
    synced.verify()


@pytest.mark.parametrize("total", [3, 5, 0, None, "4", 4.5], ids=str)
def test_b15_a_total_that_differs_from_the_number_of_models_is_exit_5(
    synced_sqlite: SyncedDatabase, total: object
) -> None:
    line = error_line(synced_sqlite.sync(image=image(LISTED, total=total)), 5)

    assert "data.total is" in line
    assert "but it has 4 models" in line
    assert synced_sqlite.events() == []
    synced_sqlite.verify()


def test_b16_an_unknown_field_is_recorded_once_and_the_order_of_keys_is_not_a_change(synced: SyncedDatabase) -> None:
    new = {**LISTED[0], "tier": {"b": 1, "a": [2, 1]}}
    synced.succeeds(image=image([new, *REST]))
    assert synced.query("SELECT entity, field, new_value FROM catalog_changes WHERE run_id = 2") == [
        ("models", "tier", '{"a":[1,2],"b":1}')
    ]

    # The same content: another order of keys and options, a repeated option, 1.0 for 1.
    shuffled = {**dict(reversed(LISTED[0].items())), "tier": {"a": [1, 2, 1], "b": 1.0}}
    synced.succeeds(image=image([shuffled, *REST]))
    assert synced.query("SELECT COUNT(*) FROM catalog_changes WHERE run_id = 3") == [(0,)]


@pytest.mark.parametrize("data", [{"models": {}}, {"models": None}, {"models": "x"}], ids=str)
def test_b17_a_list_of_models_of_another_type_is_exit_5(synced_sqlite: SyncedDatabase, data: dict[str, Any]) -> None:
    error_line(synced_sqlite.sync(image=image([], **{"total": 0, **data})), 5)

    assert synced_sqlite.events() == []
    synced_sqlite.verify()


def test_b17_credits_of_another_type_reject_their_model_alone(synced_sqlite: SyncedDatabase) -> None:
    rejects_one(synced_sqlite, {**LISTED[0], "credits": 3}, *REST)


@pytest.mark.parametrize("field", ["name", "provider", "description", "params", "inputs", "capabilities"])
@pytest.mark.parametrize("value", [3, "odd", True, ["a"], [{"x": 1}], {"\ud800": {"": 1}}], ids=str)
def test_b17_another_field_of_another_type_rejects_nothing(
    synced_sqlite: SyncedDatabase, field: str, value: object
) -> None:
    synced_sqlite.succeeds(image=image([{**LISTED[0], field: value}, *REST]))

    ((text,),) = synced_sqlite.query("SELECT raw FROM model_versions WHERE valid_to IS NULL AND opened_run_id = 2")
    assert json.loads(text)[field] == value


def test_b18_a_thousand_models_and_a_large_text_are_stored(synced: SyncedDatabase) -> None:
    """More rows than one statement takes, and a model of 2.5 MiB."""
    many = [model(f"acme/many-{number}", number) for number in range(1200)]
    large = model("acme/large", 1, description="d" * (1024 * 1024), notes=["n" * 100_000] * 15)
    synced.succeeds(image=image([*LISTED, *many, large]))

    assert len(synced.costs()) == 1205
    (text,) = synced.query("SELECT description FROM models WHERE model_id = 'acme/large'")[0]
    assert len(text) == 1024 * 1024


def test_b18_only_the_models_that_are_too_large_are_rejected(synced: SyncedDatabase) -> None:
    text = {**LISTED[0], "description": "d" * (1024 * 1024 + 1)}
    whole = {**LISTED[1], "x": ["y" * 1_000_000 + str(number) for number in range(4)]}
    line = error_line(synced.sync(image=image([text, whole, *LISTED[2:]])), 5)

    assert "2 of 4 image models were rejected" in line
    assert "a string is longer than 1048576 bytes" in line
    assert "the model is longer than 3145728 bytes" in line
    assert synced.events() == []
    synced.verify()


def test_b18_more_models_than_max_models_are_exit_5(synced_sqlite: SyncedDatabase) -> None:
    line = error_line(synced_sqlite.sync("--max-models", "3"), 5)

    assert "4 models, more than CATALOG_SYNC_MAX_MODELS=3" in line
    assert json.loads(synced_sqlite.shell("models", "--json").out)
    synced_sqlite.verify()
