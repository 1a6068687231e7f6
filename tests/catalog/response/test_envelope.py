"""Reading an envelope, and finding and counting its models in bounded time."""

from __future__ import annotations

import time

import msgspec
import pytest

from sync.catalog.changes import classify
from sync.catalog.json.tree import MalformedError
from sync.catalog.response import envelope
from sync.catalog.response.envelope import MAX_ENVELOPE_BYTES, find_models, read_envelope, read_mode, split_models
from sync.catalog.response.parse import ParseLimits, parse_response
from sync.errors import ResponseRejected
from tests.support.made_responses import model, parsed_response

MODEL = b'{"id":"a"}'


def around(models: bytes, before: bytes = b"", count: int = 1) -> bytes:
    return b'{"ok":true,"code":200,%b"data":{"mode":"image","total":%d,"models":%b}}' % (before, count, models)


def found(text: bytes) -> bytes:
    place = find_models(text)
    assert place is not None
    return text[place]


@pytest.mark.parametrize(
    "text",
    [
        around(b"[%b]" % MODEL),
        around(b"[%b]" % MODEL, b'"models":[%b],' % MODEL),
        around(b"[%b]" % MODEL, b'"x":"\\",\\"data\\":{\\"models\\":[",'),
        around(b"[%b]" % MODEL, b'"x":{"data":{"models":[3]}},'),
        around(b"[%b]" % MODEL).replace(b'"data":', b'"d\\u0061ta" \n:\t '),
        b' {"data" : {"a":"data","models" : [%b] , "b":{"models":1}} } ' % MODEL,
    ],
)
def test_the_models_are_those_under_data_and_no_others(text: bytes) -> None:
    assert found(text) == b"[%b]" % MODEL


@pytest.mark.parametrize("text", [b"{}", b"[]", b"3", b'{"data":3}', b'{"data":{}}', b'{"models":[]}'])
def test_a_text_of_another_shape_has_no_models(text: bytes) -> None:
    assert find_models(text) is None


def test_the_error_fields_are_those_that_are_present() -> None:
    sent = rb'{"ok":false,"code":401.0,"message":"\u00e4","data":{"models":[{}]},"other":1}'
    assert read_envelope(sent).error_fields() == {"ok": False, "code": 401.0, "message": "\u00e4"}
    assert read_envelope(b"{}").error_fields() == {}


@pytest.mark.parametrize("value", [b"[[],[]]", b'{"a":1}', b'"%b"' % (b"m" * 65536)], ids=["list", "object", "long"])
def test_an_error_field_that_the_api_never_sends_is_not_decoded(value: bytes) -> None:
    fields = read_envelope(b'{"ok":%b,"message":%b}' % (value, value)).error_fields()
    assert [type(each) for each in fields.values()] == [msgspec.Raw, msgspec.Raw]


@pytest.mark.parametrize("text", [b"{}", b'{"data":{}}', b'{"data":{"models":[]}}'])
def test_a_mode_that_is_missing_is_an_error(text: bytes) -> None:
    with pytest.raises((MalformedError, msgspec.ValidationError)):
        read_mode(text)
    assert read_mode(b'{"data":{"mode":"image"}}') == "image"


def test_the_envelope_around_the_models_is_limited() -> None:
    padding = b'"x":"%b",' % (b"y" * MAX_ENVELOPE_BYTES)
    with pytest.raises(ResponseRejected, match="more than 1048576 bytes beside its models"):
        parse_response(around(b"[%b]" % MODEL, padding), "image")
    with pytest.raises(ResponseRejected, match=r"it has no list data\.models"):
        parse_response(b"{%b}" % padding.rstrip(b","), "image")


def test_ten_thousand_copies_of_the_list_before_it_take_no_longer() -> None:
    begun = time.monotonic()
    copies = b'"x":[%b],' % b",".join([b"[%b]" % MODEL] * 10_000)

    assert [*map(bytes, parse_response(around(b"[%b]" % MODEL, copies), "image").models)] == [MODEL]
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("is_counted_first", [True, False])
def test_splitting_stops_at_the_limit_of_models(monkeypatch: pytest.MonkeyPatch, *, is_counted_first: bool) -> None:
    monkeypatch.setattr(envelope, "_COUNTED_FROM_COMMAS", 3 if is_counted_first else 10**9)
    five = b"[%b]" % b",".join([MODEL] * 5)

    assert len(split_models(five, slice(0, len(five)), 5)) == 5
    with pytest.raises(MalformedError, match="MAX_MODELS=4"):
        split_models(five, slice(0, len(five)), 4)


def test_values_that_are_not_objects_are_not_counted_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "_COUNTED_FROM_COMMAS", 3)
    with pytest.raises(MalformedError, match="not all of its models are objects"):
        split_models(b"[1,2,3,4,5]", slice(0, 11), 4)


def test_the_limit_of_models_is_that_of_the_setting() -> None:
    sent = around(b"[%b]" % b",".join(b'{"id":"%d"}' % number for number in range(6)), count=6)

    assert len(parse_response(sent, "image", ParseLimits(6)).models) == 6
    with pytest.raises(ResponseRejected, match="6 models, more than CATALOG_SYNC_MAX_MODELS=5"):
        parse_response(sent, "image", ParseLimits(5))


def test_models_with_too_many_values_in_all_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = [model(name, x=list(range(50))) for name in "ab"]
    whole = parsed_response(dense)
    known = {found.model_id: found for found in classify.classify(whole, {}).records.values()}
    monkeypatch.setattr(classify, "MAX_VALUES", 100)

    with pytest.raises(ResponseRejected, match=r"new and changed models have about 1\d\d values, more than 100"):
        classify.classify(whole, {})
    assert len(known) == 2
    assert len(classify.classify(parsed_response(dense[:1]), {}).records) == 1
