"""The Partner API on loopback."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sync.errors import ResponseRejected, UsageError
from sync.source.emulator.server import (
    BUSY_KEY,
    EXPIRED_KEY,
    LOW_TIER_KEY,
    NO_PLAN_KEY,
    Catalog,
    Emulator,
    load_catalogs,
)
from tests.support.fetching import KEY, fetch_both, fetched

_PATH = "/api/partner/v1/studio/models"
_SERIES = [
    Catalog(image=(b'{"id":"a","credits":{"default_cost":5.000}}',), video=(b'{"id":"v","mode":"video"}',)),
    Catalog(image=(b'{"id":"a"}', b'{"id":"b"}')),
    Catalog(),
]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(_SERIES) as running:
        yield running


def get(
    emulator: Emulator, target: str = _PATH, key: str | None = KEY, method: str = "GET"
) -> tuple[int, http.client.HTTPMessage, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=5)
    try:
        connection.request(method, target, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        return response.status, response.headers, json.loads(response.read())
    finally:
        connection.close()


def ids(body: Any) -> list[str]:
    assert body["data"]["total"] == len(body["data"]["models"])
    return [model["id"] for model in body["data"]["models"]]


def test_a_mode_is_served_in_the_documented_envelope(emulator: Emulator) -> None:
    status, headers, body = get(emulator, f"{_PATH}?mode=video")
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert "Date" in headers
    assert body == {
        "ok": True,
        "code": 200,
        "message": "Studio models retrieved",
        "data": {"mode": "video", "total": 1, "models": [{"id": "v", "mode": "video"}]},
    }


@pytest.mark.parametrize("query", ["", "?mode=all", "?other=1"])
def test_mode_all_and_no_mode_return_both(emulator: Emulator, query: str) -> None:
    body = get(emulator, _PATH + query)[2]
    assert body["data"]["mode"] == "all"
    assert ids(body) == ["a", "v"]


def test_a_number_is_sent_as_it_is_written(emulator: Emulator) -> None:
    assert b'"default_cost":5.000' in fetched(emulator.base_url).body


@pytest.mark.parametrize(
    ("target", "key", "status", "code"),
    [
        (f"{_PATH}?mode=image", None, 401, "invalid_token"),
        (f"{_PATH}?mode=image", EXPIRED_KEY, 401, "invalid_token"),
        (f"{_PATH}?mode=image", NO_PLAN_KEY, 402, "subscription_required"),
        (f"{_PATH}?mode=image", LOW_TIER_KEY, 403, "tier_not_allowed"),
        (f"{_PATH}?mode=audio", KEY, 422, "invalid_query"),
        (f"{_PATH}?mode=", KEY, 422, "invalid_query"),
        (f"{_PATH}?mode=image&mode=video", KEY, 422, "invalid_query"),
        (f"{_PATH}?mode=image", BUSY_KEY, 429, "rate_limited"),
        ("/api/partner/v1/studio", KEY, 404, "not_found"),
        ("/", None, 404, "not_found"),
    ],
)
def test_an_error_is_the_documented_one(emulator: Emulator, target: str, key: str, status: int, code: str) -> None:
    got, _, body = get(emulator, target, key)
    assert got == body["code"] == status
    assert body["ok"] is False
    assert body["error_code"] == code
    assert "data" not in body


def test_a_busy_api_says_how_long_to_wait(emulator: Emulator) -> None:
    assert get(emulator, key=BUSY_KEY)[1]["Retry-After"] == "1"


def test_another_method_is_refused(emulator: Emulator) -> None:
    assert get(emulator, method="POST")[0] == 405


def test_with_a_list_of_keys_no_other_is_valid() -> None:
    with Emulator(_SERIES, keys=["good"]) as emulator:
        assert get(emulator, key="good")[0] == 200
        assert get(emulator, key="other")[0] == 401


def test_each_mode_advances_with_its_responses_up_to_the_last(emulator: Emulator) -> None:
    assert [ids(get(emulator, f"{_PATH}?mode=image")[2]) for _ in range(4)] == [["a"], ["a", "b"], [], []]
    assert ids(get(emulator, f"{_PATH}?mode=video")[2]) == ["v"]


def test_an_error_advances_no_mode(emulator: Emulator) -> None:
    get(emulator, key=EXPIRED_KEY)
    get(emulator, f"{_PATH}?mode=audio")
    assert ids(get(emulator)[2]) == ["a", "v"]


def test_manual_stepping_advances_only_by_step_to() -> None:
    with Emulator(_SERIES, stepping="manual") as emulator:
        assert ids(get(emulator)[2]) == ids(get(emulator)[2]) == ["a", "v"]
        emulator.step_to(1)
        assert ids(get(emulator)[2]) == ["a", "b"]
        emulator.step_to(0)
        assert ids(get(emulator)[2]) == ["a", "v"]


def test_a_step_outside_the_series_is_an_error(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="0 to 2"):
        emulator.step_to(3)


def test_an_empty_series_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Emulator([])


def test_concurrent_clients_get_each_step_once() -> None:
    series = [Catalog(image=(b'{"id":"%d"}' % step,)) for step in range(40)]
    with Emulator(series) as emulator, ThreadPoolExecutor(8) as pool:
        steps = list(pool.map(lambda _: ids(get(emulator, f"{_PATH}?mode=image")[2])[0], range(40)))
    assert sorted(map(int, steps)) == list(range(40))


def test_gzip_is_sent_when_it_is_accepted(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=5)
    connection.request("GET", _PATH, headers={"Authorization": f"Bearer {KEY}", "Accept-Encoding": "gzip"})
    response = connection.getresponse()
    assert response.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(response.read()))["ok"] is True
    connection.close()


def test_a_connection_is_kept_for_the_next_request(emulator: Emulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=5)
    for _ in range(2):
        connection.request("GET", _PATH, headers={"Authorization": f"Bearer {KEY}"})
        connection.getresponse().read()
        assert connection.sock is not None
    connection.close()


def test_it_prints_nothing_and_its_log_has_no_key(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with Emulator(_SERIES) as quiet, Emulator(_SERIES, log=lines.append) as logged:
        get(quiet)
        get(logged, f"{_PATH}?mode=image")
    assert capfd.readouterr() == ("", "")
    assert len(lines) == 1
    assert "mode=image" in lines[0]
    assert KEY not in lines[0]


def test_a_client_that_disconnects_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    models = tuple(b'{"id":"%d","description":"%s"}' % (number, b"x" * 10_000) for number in range(1000))
    lines: list[str] = []
    with Emulator([Catalog(image=models)], log=lines.append) as emulator:
        with socket.create_connection(("127.0.0.1", emulator.port)) as client:
            client.sendall(f"GET {_PATH} HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
            client.recv(100)
        get(emulator)
    assert capfd.readouterr().err == ""


def test_closing_twice_is_allowed() -> None:
    emulator = Emulator(_SERIES)
    emulator.close()
    emulator.close()


def test_the_documented_example_is_served_and_fetched_unchanged() -> None:
    example = Path(__file__).parents[2] / "data" / "documented-example.json"
    with Emulator(load_catalogs(example)) as emulator:
        image, video = fetch_both(emulator.base_url).values()
    assert json.loads(getattr(image, "body", b"")) == json.loads(example.read_text())
    assert json.loads(getattr(video, "body", b""))["data"] == {"mode": "video", "total": 0, "models": []}


def loaded(tmp_path: Path, text: str) -> tuple[Catalog, ...]:
    file = tmp_path / "catalogs.json"
    file.write_text(text, encoding="utf-8")
    return load_catalogs(file)


_A, _B, _V = '{"id": "a", "cost": 5.000}', '{"id": "b", "mode": "image"}', '{"id": "v", "mode": "video"}'

_SAVED = (
    f'{{"at": "2026-03-01T00:00:00Z", "image": {{"data": {{"models": [{_A}]}}}}}}\n'
    f'{{"at": "2026-03-02T00:00:00Z", "video": {{"data": {{"models": [{_V}]}}}}}}\n'
    f'{{"at": "2026-03-03T00:00:00Z", "all": {{"data": {{"models": [{_B}, {_V}]}}}}}}\n'
)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (f"[{_A}, {_V}, {_B}]", [("ab", "v")]),
        (f'{{"ok": true, "data": {{"models": [{_A}]}}}}', [("a", "")]),
        (f"[[{_A}], [], [{_V}]]", [("a", ""), ("", ""), ("", "v")]),
        (f'[{{"data": {{"models": [{_V}]}}}}, [{_A}]]', [("", "v"), ("a", "")]),
        ("[]", [("", "")]),
        ("\ufeff[]", [("", "")]),
        (_SAVED, [("a", ""), ("a", "v"), ("b", "v")]),
    ],
    ids=["models", "envelope", "series", "series of both", "nothing", "byte order mark", "saved responses"],
)
def test_a_file_is_a_catalog_or_a_series(tmp_path: Path, text: str, steps: list[tuple[str, str]]) -> None:
    catalogs = loaded(tmp_path, text)
    got = [tuple("".join(json.loads(raw)["id"] for raw in mode) for mode in (c.image, c.video)) for c in catalogs]
    assert got == steps


def test_a_model_is_kept_byte_for_byte(tmp_path: Path) -> None:
    assert loaded(tmp_path, f"[ {_A} ]")[0].image == (_A.encode(),)


def test_a_model_that_does_not_change_is_kept_once(tmp_path: Path) -> None:
    first, second = loaded(tmp_path, f"[[{_A}], [{_A}, {_B}]]")
    assert first.image[0] is second.image[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "5",
        '{"data": {}}',
        "[5]",
        '[{"mode": "audio"}]',
        '[{"mode": 5}]',
        '{"data": {"models": {}}}',
    ],
)
def test_a_file_without_a_catalog_is_a_usage_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"catalogs\.json"):
        loaded(tmp_path, text)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_catalogs(tmp_path / "none.json")


def test_an_invalid_line_of_saved_responses_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResponseRejected, match="line 2"):
        loaded(tmp_path, '{"at": "2026-03-01T00:00:00Z", "image": []}\n{')
