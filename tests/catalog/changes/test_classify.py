"""The models of a response compared with the listed ones."""

from __future__ import annotations

import pytest

from sync.catalog.changes.classify import classify
from sync.errors import ResponseRejected
from tests.support.made_responses import listed, model, parsed_response, raw, spelled

A, B, C = model("a"), model("b"), model("c")
DIFFER = "different models with the id 'a'"


def test_a_model_whose_text_is_stored_already_is_not_decoded() -> None:
    known = listed(A)
    classified = classify(parsed_response([A, B]), known)

    assert classified.unchanged == {"a"}
    assert list(classified.records) == ["b"]


def test_a_model_whose_text_differs_is_decoded_even_when_it_means_the_same() -> None:
    classified = classify(parsed_response([model("a", cost=spelled("3.0"))]), listed(A))

    assert classified.records["a"].cost == "3"


def test_a_malformed_model_is_rejected_alone() -> None:
    classified = classify(parsed_response([A, model("b", cost="x"), {"name": "N"}, C]), {})

    assert list(classified.records) == ["a", "c"]
    assert [rejected.model_id for rejected in classified.rejected] == ["b", None]
    assert classified.has_unreadable


def test_missing_are_the_listed_that_were_not_seen_in_any_way() -> None:
    known = listed(model("e"), model("d"), A, B, C)
    classified = classify(parsed_response([A, model("b", cost=9), model("c", cost="x")]), known)

    assert classified.missing_from(known) == ["d", "e"]
    assert not classified.has_unreadable


def test_ids_that_differ_by_case_accent_or_blank_are_different_models() -> None:
    ids = ["Foo", "foo", "Foo ", "föö", "fo\u0308o\u0308"]

    assert list(classify(parsed_response(map(model, ids)), {}).records) == ids


@pytest.mark.parametrize(
    "copy",
    [raw(A), raw({**A, "x": None}), raw(model("a", cost=spelled("3.00"))), raw(dict(reversed(A.items())))],
)
@pytest.mark.parametrize("known", [{}, listed(A)])
def test_copies_of_a_model_that_mean_the_same_are_one(copy: bytes, known: dict[str, object]) -> None:
    classified = classify(parsed_response([A, B, copy]), known)  # type: ignore[arg-type]  # an empty one has no types

    assert len(classified.records) + len(classified.unchanged) == 2
    assert classified.rejected == ()


@pytest.mark.parametrize(
    "copies",
    [
        [A, model("a", cost=4)],
        [model("a", cost=4), A],
        [model("a", cost=4), model("a", cost=5)],
        [A, {**A, "x": ""}],
        [A, model("a", cost="x")],
        [model("a", cost="x"), A],
        [model("a", cost=4), model("a", cost="x")],
    ],
)
@pytest.mark.parametrize("known", [{}, listed(A)])
def test_copies_of_a_model_that_differ_reject_the_mode(copies: list[object], known: dict[str, object]) -> None:
    with pytest.raises(ResponseRejected, match=DIFFER):
        classify(parsed_response([B, *copies]), known)  # type: ignore[arg-type]  # an empty one has no types


def test_two_malformed_copies_of_a_model_are_rejected_alone() -> None:
    classified = classify(parsed_response([model("a", cost="x"), model("a", cost="y"), B]), listed(A))

    assert {rejected.model_id for rejected in classified.rejected} == {"a"}
    assert list(classified.records) == ["b"]


def test_a_model_of_another_mode_rejects_the_response() -> None:
    with pytest.raises(ResponseRejected, match="it has a model of mode 'video'; nothing"):
        classify(parsed_response([A, model("b", mode="video")]), {})
