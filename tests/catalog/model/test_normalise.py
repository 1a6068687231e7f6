"""One model's text becomes a record, or a reason why not."""

from __future__ import annotations

import hashlib

import pytest

from sync.catalog.model.entities import NORMALISER_VERSION
from sync.catalog.model.normalise import MAX_MODEL_BYTES, WrongModeError, is_current, normalise, record_of_stored
from tests.support.made_responses import model, raw, record, rejected, spelled


def test_a_record_keeps_the_text_as_it_was_sent() -> None:
    sent = b'{ "name": "\\u00e4\xc3\xa4", "id": "a", "credits": {"default_cost": 5.000} }'

    found = record(sent)

    assert found.raw.encode() == sent
    assert found.fingerprint == f"{NORMALISER_VERSION}:{hashlib.sha256(sent).hexdigest()}"
    assert (found.model_id, found.cost, found.text("name")) == ("a", "5", "ää")


def test_a_model_with_an_id_alone_is_taken() -> None:
    found = record({"id": "a"})

    assert found.rows == {
        "models": ((None, None, None),),
        "credits": ((None, None, None),),
        "credit_details": (),
        "params": (),
        "param_options": (),
        "inputs": (),
        "input_rules": (),
        "capabilities": (),
    }


@pytest.mark.parametrize("section", ["name", "credits", "params", "inputs", "capabilities", "raw_available_params"])
@pytest.mark.parametrize("key", ["", "x" * 256, "\0", "\ud800"])
def test_any_key_is_taken_where_the_api_has_names(section: str, key: str) -> None:
    assert record({"id": "a", section: {key: {key: 5}}}).tree[section]


def test_an_unknown_field_is_accepted() -> None:
    assert record(model(tags=["new"])).tree["tags"] == ["new"]


@pytest.mark.parametrize(
    "model_id", ["Foo", "foo", "Foo ", " ", "föö", "fo\u0308o\u0308", "a/b:c~d", "ä" * 255, "'\"%\\"]
)
def test_an_id_is_exact(model_id: str) -> None:
    assert record(model(model_id)).model_id == model_id


@pytest.mark.parametrize("model_id", [None, "", "a" * 256, 5, True, ["a"], {"a": 1}, "a\0", "a\ud800"])
def test_an_id_that_cannot_be_a_key_rejects_the_model_as_unreadable(model_id: object) -> None:
    refused = rejected({"id": model_id, "name": "N"})

    assert refused.model_id is None
    assert "the id is missing" in refused.explanation


def test_a_missing_id_rejects_the_model_as_unreadable() -> None:
    assert rejected({"name": "N"}).model_id is None


@pytest.mark.parametrize("sent", [b"5", b"null", b'"a"', b"[]", b'[["id", "a"]]', b'{"id": "a"', b"[" * 100_000])
def test_what_is_not_a_model_is_rejected_as_unreadable(sent: bytes) -> None:
    assert rejected(sent).model_id is None


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b'{"id": "a", "credits": []}', "credits is not an object"),
        (b'{"id": "a", "mode": 5}', "mode is missing or not a string"),
        (b'{"id": "a", "x": 1, "x": 1}', "'x' appears twice"),
        (b'{"id": "a", "x": NaN}', "NaN is not valid JSON"),
        (b'{"id": "a", "x": 1e99999999999999999999}', "more than 18 digits"),
        (b'{"id": "a", "x": ' + b"[" * 70 + b"]" * 70 + b"}", "deeper than 64"),
        (raw(model(cost="3")), "is not a number"),
        (b'{"id": "a", "\\u0000": 1}', "contains NUL"),
        (raw(model(tags=[{"x" * 256: 5}])), "a key is longer than 255 characters"),
        (raw(model(description="x" * 1024 * 1024 + "x")), "a string is longer"),
        (raw(model(list=["x" * 1000] * (MAX_MODEL_BYTES // 1000))), "the model is longer than"),
    ],
)
def test_a_malformed_model_is_rejected_under_its_id(sent: bytes, reason: str) -> None:
    refused = rejected(sent)

    assert refused.model_id == "a"
    assert reason in refused.explanation


@pytest.mark.parametrize("sent", [b'{"id": "a", "id": "a"}', b'{"id": "a", "x": {}, "id": "b"}'])
def test_a_model_with_two_ids_is_rejected_as_unreadable(sent: bytes) -> None:
    assert rejected(sent).model_id is None


def test_an_id_deeper_inside_is_not_the_models_own() -> None:
    assert rejected({"x": {"id": "a"}}).model_id is None


def test_a_model_of_another_mode_is_an_error_of_the_whole_response() -> None:
    with pytest.raises(WrongModeError, match="it has a model of mode 'video'"):
        normalise(raw(model(mode="video")), "image")


def test_a_model_need_not_name_its_mode_unless_required_to() -> None:
    assert record(model(), "video").model_id == "a"
    assert "mode is missing" in str(normalise(raw(model()), "video", needs_mode=True))


def test_nul_and_lone_surrogates_stay_in_the_raw_text_and_leave_the_columns() -> None:
    sent = raw(model(name="a\0b\ud800", inputs={"rules": ["one_of:\ud800"]}, capabilities={"x": ["\0"]}))

    found = record(sent)

    assert found.raw.encode() == sent
    assert found.text("name") == "ab\ufffd"
    assert found.rows["input_rules"] == ((0, "one_of", "one_of:\ufffd"),)
    assert found.rows["capabilities"] == (("x", 0, ""),)
    assert found.is_cleaned


@pytest.mark.parametrize("name", ["ä", "\U0001f600", "\\u0000", "\x7f\x01"])
def test_text_that_can_be_stored_is_not_cleaned(name: str) -> None:
    found = record(model(name=name))

    assert found.text("name") == name
    assert not found.is_cleaned


def test_a_respelled_model_has_the_same_tree_and_rows_and_another_fingerprint() -> None:
    one, other = record(model(cost=spelled("5.000"), x=None)), record(model(cost=5))

    assert (one.tree, one.rows, one.cost) == (other.tree, other.rows, other.cost)
    assert one.fingerprint != other.fingerprint


def test_a_fingerprint_is_current_when_this_normaliser_made_it() -> None:
    assert is_current(record(model()).fingerprint)
    assert not is_current("0:abc")
    assert not is_current(f"{NORMALISER_VERSION}1:abc")
    assert not is_current(None)


def test_a_stored_text_gives_its_record_again() -> None:
    found = record(model())

    assert record_of_stored(found.raw, "image") == found
    assert record_of_stored("{}", "image") is None
