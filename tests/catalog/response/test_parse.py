"""A response is accepted completely or rejected, and its models stay the bytes that were sent."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from sync.catalog.changes.classify import classify
from sync.catalog.response.parse import ParseLimits, parse_response, split_by_mode
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError, ResponseRejected
from tests.support.made_responses import body, model, raw, spelled

A, B = model("a"), model("b")


def rejection(sent: bytes, mode: str = "image", limits: ParseLimits | None = None) -> str:
    with pytest.raises(ResponseRejected) as caught:
        parse_response(sent, mode, limits)
    return str(caught.value)


def around(models: bytes, more: bytes = b"", count: int = 0) -> bytes:
    return b'{"ok":true,"code":200,%b"data":{"mode":"image","total":%d,"models":%b}}' % (more, count, models)


def texts(found: ParsedResponse) -> tuple[bytes, ...]:
    return tuple(map(bytes, found.models))


def test_a_response_has_its_models_as_they_were_sent() -> None:
    sent = around(b'[ {"id" : "a", "cost": 5.000} ,\n{"b":\t"\\u00e4\xc3\xa4"}]', count=2)
    found = parse_response(sent, "image")

    assert texts(found) == (b'{"id" : "a", "cost": 5.000}', b'{"b":\t"\\u00e4\xc3\xa4"}')
    assert found == ParsedResponse(
        mode="image",
        reported=2,
        models=found.models,
        payload_bytes=len(sent),
        payload_sha256=hashlib.sha256(sent).hexdigest(),
    )


def test_an_empty_catalog_is_accepted() -> None:
    assert texts(parse_response(body("video", []), "video")) == ()


def test_a_byte_order_mark_is_skipped() -> None:
    assert texts(parse_response(b"\xef\xbb\xbf" + body("image", [A]), "image")) == (raw(A),)


def test_unknown_fields_of_the_envelope_are_skipped() -> None:
    sent = raw({"ok": True, "code": 200, "new": {"x": [1]}, "data": json.loads(body("image", [A], page=1))["data"]})

    assert texts(parse_response(sent, "image")) == (raw(A),)


@pytest.mark.parametrize("place", ["before", "after"])
def test_copies_of_the_models_in_another_field_do_no_harm(place: str) -> None:
    data: dict[str, Any] = {"mode": "image", "total": 1}
    data = {"featured": [A], **data, "models": [A]} if place == "before" else {**data, "models": [A], "featured": [A]}
    sent = raw({"ok": True, "code": 200, "data": data})

    assert texts(parse_response(sent, "image")) == (raw(A),)


@pytest.mark.parametrize("total", [1.0, spelled("1.00"), spelled("1e0"), spelled("10E-1")])
def test_a_total_is_a_number_however_it_is_spelled(total: object) -> None:
    assert parse_response(body("image", [A], total=total), "image").reported == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"total": 1}, "data.total is '1' but it has 2 models"),
        ({"total": 3}, "data.total is '3' but it has 2 models"),
        ({"total": 0}, "data.total is '0'"),
        ({"total": None}, "data.total is missing"),
        ({"total": "2"}, "data.total is '2' but it has 2 models"),
        ({"total": spelled("2.5")}, "data.total is '2.5'"),
        ({"total": True}, "data.total is True"),
        ({"mode": "video"}, "data.mode is 'video'"),
        ({"mode": "all"}, "data.mode is 'all'"),
        ({"mode": None}, "data.mode is missing"),
        ({"mode": ["image"]}, "data.mode is "),
        ({"models": {"a": 1}}, "no list data.models"),
        ({"models": "a"}, "no list data.models"),
        ({"models": None}, "no list data.models"),
    ],
)
def test_a_response_that_is_not_consistent_is_rejected(data: dict[str, Any], reason: str) -> None:
    assert reason in rejection(body("image", [A, B], **data))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "not complete, valid JSON"),
        (b"   ", "not complete, valid JSON"),
        (b"<html>Sign in</html>", "not complete, valid JSON"),
        (body("image", [A])[:-1], "not complete, valid JSON"),
        (body("image", [A])[:-40], "not complete, valid JSON"),
        (body("image", [A]) + b"x", "not complete, valid JSON"),
        (body("image", [model(cost=spelled("NaN"))]), "not complete, valid JSON"),
        (around(b"[{},]", count=1), "not complete, valid JSON"),
        (b'{"ok":true,"code":200}', "no list data.models"),
        (b'{"ok":true,"code":200,"data":null}', "no list data.models"),
        (b'{"ok":true,"code":200,"data":[]}', "no list data.models"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (around(b"[]", b'"ok":true,'), "the key 'ok' appears twice"),
        (around(b"[]").replace(b'"total"', b'"mode":"image","total"'), "the key 'mode' appears twice"),
        (around(b"[]").replace(b'"total"', b'"models":[{}],"total"'), "the key 'models' appears twice"),
        (around(b"[]", b'"data":{"models":[]},'), "the key 'data' appears twice"),
        (body("image", []).replace(b"retrieved", b"\xff"), "not UTF-8 at byte"),
        (body("image", []).decode().encode("utf-16"), "not UTF-8 at byte"),
        (body("image", [model(name="\xe4")]).replace(b"\\u00e4", b"\xe4"), "not UTF-8 at byte"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (around(b"[" * 100_000 + b"]" * 100_000), "nested"),
    ],
)
def test_an_incomplete_or_invalid_response_is_rejected(sent: bytes, reason: str) -> None:
    message = rejection(sent)

    assert reason in message
    assert message.startswith("the response for mode image was rejected: ")
    assert "; nothing was changed in mode image;" in message


@pytest.mark.parametrize(
    ("envelope", "kind"),
    [
        ({"ok": False, "code": 401, "message": "API key not found", "error_code": "invalid_token"}, ApiRefused),
        ({"ok": False, "code": 402, "error_code": "subscription_required"}, ApiRefused),
        ({"ok": False, "code": 503}, ApiUnreachable),
        ({"ok": False, "code": 404}, ResponseRejected),
        ({"ok": False, "code": 200, "data": {"mode": "image", "total": 0, "models": []}}, ResponseRejected),
        ({"ok": True, "code": 401, "data": {"mode": "image", "total": 0, "models": []}}, ApiRefused),
        ({"code": 200, "data": {"mode": "image", "total": 0, "models": []}}, ResponseRejected),
        ({"ok": "true", "code": 200, "data": {"mode": "image", "total": 0, "models": []}}, ResponseRejected),
        ({"ok": 1, "code": 200, "data": {"mode": "image", "total": 0, "models": []}}, ResponseRejected),
        ({"ok": True, "code": 1e9, "data": {"mode": "image", "total": 0, "models": []}}, ResponseRejected),
    ],
)
def test_an_envelope_that_reports_a_failure_is_judged_by_its_code(
    envelope: dict[str, object], kind: type[CatalogSyncError]
) -> None:
    with pytest.raises(kind) as caught:
        parse_response(raw(envelope), "image")

    assert type(caught.value) is kind


def test_more_models_than_the_limit_are_rejected() -> None:
    sent = body("image", [A, B])

    assert "more than CATALOG_SYNC_MAX_MODELS=1" in rejection(sent, limits=ParseLimits(max_models=1))
    assert parse_response(sent, "image", ParseLimits(max_models=2)).reported == 2


def test_a_model_that_is_not_an_object_is_kept_to_be_rejected_alone() -> None:
    assert texts(parse_response(body("image", [A, 5, None, [1], "x"]), "image"))[1:] == (b"5", b"null", b"[1]", b'"x"')


def test_lone_surrogates_leave_every_byte_of_the_models_unchanged() -> None:
    sent_models = [rb'{"id":"a","n":"\ud800"}', rb'{"id":"b","n":"\udfff\\\ud800\u0000\ud83d\ude00"}', rb'{"id":"c"}']
    sent = around(b"[%b]" % b" , ".join(sent_models), rb'"message":"\uDC00",', count=3)

    assert texts(parse_response(sent, "image")) == tuple(sent_models)


def test_a_lone_surrogate_does_not_hide_that_the_rest_is_invalid() -> None:
    assert "not complete, valid JSON" in rejection(around(rb'[{"id":"\ud800"}]')[:-1])


def test_a_response_for_all_is_split_by_the_mode_of_each_model() -> None:
    models = [model("a", mode="image"), model("b", mode="video"), model("c", mode="image")]
    whole = parse_response(body("all", models), "all")

    split = split_by_mode(whole)

    assert texts(split["image"]) == (raw(models[0]), raw(models[2]))
    assert texts(split["video"]) == (raw(models[1]),)
    assert {(one.mode, one.reported) for one in split.values()} == {("image", 2), ("video", 1)}
    assert {one.payload_sha256 for one in split.values()} == {whole.payload_sha256}


def test_a_response_for_all_without_a_model_of_a_mode_is_an_empty_catalog_of_it() -> None:
    split = split_by_mode(parse_response(body("all", [model("a", mode="image")]), "all"))

    assert texts(split["video"]) == ()


def test_a_mode_is_read_through_escapes_and_surrogates() -> None:
    sent = body("all", [model("a", mode="image", name="\ud800")]).replace(b'"image"', rb'"\u0069mage"')

    assert len(split_by_mode(parse_response(sent, "all"))["image"].models) == 1


@pytest.mark.parametrize("mode", [None, 5, "absent"])
def test_a_model_without_a_mode_in_a_response_for_all_is_rejected_alone(mode: object) -> None:
    nameless = model("a", mode=mode) if mode != "absent" else model("a")
    split = split_by_mode(parse_response(body("all", [nameless, model("b", mode="image")]), "all"))

    assert [one.model_id for one in classify(split["image"], {}).rejected] == ["a"]
    assert [one.model_id for one in classify(split["video"], {}).rejected] == ["a"]
    assert list(classify(split["image"], {}).records) == ["b"]


def test_a_model_of_an_unknown_mode_makes_a_response_for_all_rejected() -> None:
    split = split_by_mode(parse_response(body("all", [model("a", mode="audio"), model("b", mode="image")]), "all"))

    for response in split.values():
        with pytest.raises(ResponseRejected, match="a model of mode 'audio'"):
            classify(response, {})
