"""Faults B9 to B18: models that are malformed, alike, too many or too large."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line
from tests.support.rude_server import response, says
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

REST = LISTED[1:]


def rejects(synced: SyncedDatabase, *models: Any, of: int = 4) -> str:
    """The line about one model that is rejected while the others are taken."""
    line = error_line(synced.sync(image=image(models)), 5)
    assert f"1 of {of} image models were rejected and kept as stored" in line
    assert synced.costs()["acme/image-0"] == "1"
    assert synced.events() == []
    synced.verify()
    return line


@pytest.mark.parametrize("cost", ["1.5", True, [3], {"amount": 3}, -1, -0.5], ids=str)
def test_b9_a_cost_that_is_no_number_or_negative_rejects_its_model(synced_sqlite: SyncedDatabase, cost: object) -> None:
    assert "credits.default_cost is" in rejects(synced_sqlite, model("acme/image-0", cost), *REST)


@pytest.mark.parametrize("credits", [None, {}, {"default_cost": None}, {"notes": "none"}], ids=str)
def test_b9_a_missing_cost_is_unknown_and_not_zero(synced: SyncedDatabase, credits: object) -> None:
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


LONG = ("0." + "0" * 39 + "1", "123456789012." + "1234567891" * 4, "0.1234567890125")


def test_b10_every_digit_of_a_cost_is_kept_and_decides(synced: SyncedDatabase) -> None:
    for number, digits in enumerate(LONG):
        body = envelope(LISTED).replace(b'"default_cost": 1', b'"default_cost": ' + digits.encode(), 1)
        synced.succeeds(image=says(response("200 OK", body)))
        assert synced.costs()["acme/image-0"] == digits
        assert len(synced.events()) == number + 1
    rounded = synced.query("SELECT default_cost FROM credit_history WHERE valid_to IS NULL ORDER BY model_pk")[0][0]
    assert abs(float(rounded) - 0.123456789012) < 1e-12  # half to even


@pytest.mark.parametrize("number", ["1234567890123", "0." + "1" * 41])
def test_b10_a_cost_of_too_many_digits_rejects_its_model(synced_sqlite: SyncedDatabase, number: str) -> None:
    body = envelope(LISTED).replace(b'"default_cost": 1', b'"default_cost": ' + number.encode(), 1)
    line = error_line(synced_sqlite.sync(image=says(response("200 OK", body))), 5)

    assert "1 of 4 image models were rejected" in line
    assert synced_sqlite.costs()["acme/image-0"] == "1"
    synced_sqlite.verify()


@pytest.mark.parametrize("model_id", [None, "", 7, "x" * 256, {"a": 1}], ids=lambda value: str(value)[:9])
def test_b11_an_id_that_can_be_no_key_rejects_the_model_and_no_removal_proceeds(
    synced_sqlite: SyncedDatabase, model_id: object
) -> None:
    bad = {**LISTED[3], "id": model_id}

    rejects(synced_sqlite, *LISTED[:3], bad)
    assert len(synced_sqlite.costs()) == 4  # acme/image-3 may be the one without an id


TWINS = ("Foo", "foo", "foo ", "föo", "fóo", "x" * 255, "x" * 254 + "X")


def test_b11_ids_that_differ_in_case_accent_or_a_blank_are_different_models(synced: SyncedDatabase) -> None:
    twins = [model(model_id, number) for number, model_id in enumerate(TWINS)]
    synced.succeeds(image=image([*LISTED, *twins]))
    assert {model_id: synced.costs()[model_id] for model_id in TWINS} == dict(
        zip(TWINS, map(str, range(7)), strict=True)
    )

    synced.succeeds(image=image([*LISTED, *twins[1:], model("Foo", 50)]))
    assert [synced.costs()[model_id] for model_id in TWINS[:3]] == ["50", "1", "2"]
    assert synced.events() == ["added"] * 7 + ["increase"]


def test_b12_equal_copies_of_a_model_are_one(synced: SyncedDatabase) -> None:
    copy = dict(reversed(LISTED[0].items()))
    synced.succeeds(image=image([*LISTED, copy, LISTED[1]]))

    assert synced.events() == []


def test_b12_differing_copies_are_exit_5_and_that_mode_stays(synced: SyncedDatabase) -> None:
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
    ids=["of a model", "of the answer"],
)
def test_b14_another_mode_than_asked_for_is_exit_5(synced: SyncedDatabase, sent: bytes) -> None:
    error_line(synced.sync(image=says(response("200 OK", sent))), 5)

    assert synced.events() == []
    assert synced.query("SELECT status FROM sync_run_modes WHERE run_id = 2 ORDER BY mode") == [
        ("failed",),
        ("success",),
    ]
    synced.verify()


@pytest.mark.parametrize("total", [3, 5, 0, None, "4", 4.5], ids=str)
def test_b15_a_total_that_is_not_the_count_is_exit_5(synced_sqlite: SyncedDatabase, total: object) -> None:
    line = error_line(synced_sqlite.sync(image=image(LISTED, total=total)), 5)

    assert "data.total is" in line
    assert "but it has 4 models" in line
    assert synced_sqlite.events() == []
    synced_sqlite.verify()


def test_b16_an_unknown_field_is_kept_and_told_once_and_key_order_is_no_change(synced: SyncedDatabase) -> None:
    new = {**LISTED[0], "tier": {"b": 1, "a": [2, 1]}}
    synced.succeeds(image=image([new, *REST]))
    assert synced.query("SELECT entity, field, new_value FROM catalog_changes WHERE run_id = 2") == [
        ("models", "tier", '{"a":[1,2],"b":1}')
    ]

    shuffled = {**dict(reversed(LISTED[0].items())), "tier": {"a": [1, 2, 1], "b": 1.0}}
    synced.succeeds(image=image([shuffled, *REST]))
    assert synced.query("SELECT COUNT(*) FROM catalog_changes WHERE run_id = 3") == [(0,)]


@pytest.mark.parametrize("data", [{"models": {}}, {"models": None}, {"models": "x"}], ids=str)
def test_b17_an_envelope_of_another_shape_is_exit_5(synced_sqlite: SyncedDatabase, data: dict[str, Any]) -> None:
    error_line(synced_sqlite.sync(image=image([], **{"total": 0, **data})), 5)

    assert synced_sqlite.events() == []
    synced_sqlite.verify()


@pytest.mark.parametrize("field", ["credits", "name", "provider", "description", "params", "inputs", "capabilities"])
def test_b17_a_known_field_of_another_type_rejects_its_model_alone(synced_sqlite: SyncedDatabase, field: str) -> None:
    rejects(synced_sqlite, {**LISTED[0], field: 3 if field != "params" else "odd"}, *REST)


def test_b18_a_thousand_models_and_a_large_text_are_stored(synced: SyncedDatabase) -> None:
    """More than one statement takes, and more than a statement of each database may be long."""
    many = [model(f"acme/many-{number}", number) for number in range(1200)]
    large = model("acme/large", 1, description="d" * (1024 * 1024), notes=["n" * 100_000] * 15)
    synced.succeeds(image=image([*LISTED, *many, large]))

    assert len(synced.costs()) == 1205
    (text,) = synced.query("SELECT description FROM models WHERE model_id = 'acme/large'")[0]
    assert len(text) == 1024 * 1024


def test_b18_a_text_or_a_model_that_is_too_large_is_rejected_alone(synced: SyncedDatabase) -> None:
    text = {**LISTED[0], "description": "d" * (1024 * 1024 + 1)}
    whole = {**LISTED[1], "x": ["y" * 1_000_000 + str(number) for number in range(4)]}
    line = error_line(synced.sync(image=image([text, whole, *LISTED[2:]])), 5)

    assert "2 of 4 image models were rejected" in line
    assert "a string is longer than 1048576 bytes" in line
    assert "the model is longer than 3145728 bytes" in line
    assert synced.events() == []
    synced.verify()


def test_b18_more_models_than_the_setting_allows_are_exit_5(synced_sqlite: SyncedDatabase) -> None:
    line = error_line(synced_sqlite.sync("--max-models", "3"), 5)

    assert "4 models, more than MAX_MODELS=3" in line
    assert json.loads(synced_sqlite.shell("models", "--json").out)
    synced_sqlite.verify()
