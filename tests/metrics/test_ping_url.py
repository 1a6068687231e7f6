"""The URLs of pings, and what of them is a secret."""

from __future__ import annotations

import pytest

from sync.errors import UsageError
from sync.metrics.ping_url import parse_ping_url, secret_parts


@pytest.mark.parametrize(
    ("url", "pinged"),
    [
        ("https://hc-ping.com/5f3e", "https://hc-ping.com/5f3e/start"),
        (" https://hc-ping.com/5f3e/ ", "https://hc-ping.com/5f3e/start"),
        ("https://hc-ping.com/key/slug?create=1", "https://hc-ping.com/key/slug/start?create=1"),
        ("http://me:pw@[::1]:8000/ping/5f3e//", "http://me:pw@[::1]:8000/ping/5f3e/start"),
        ("https://hc.example", "https://hc.example/start"),
    ],
)
def test_the_signal_ends_the_path(url: str, pinged: str) -> None:
    assert parse_ping_url(url).of("start") == pinged


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hc-ping.com/5f3e",
        "ftp://h/5f3e",
        "https:///5f3e",
        "https://h:99999/5f3e",
        "https://h/5f 3e",
        "https://[h/5f3e",
    ],
)
def test_what_is_no_address_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(UsageError, match="the ping URL is not") as raised:
        parse_ping_url(url)
    assert "5f3e" not in str(raised.value)


def test_a_fragment_is_refused() -> None:
    with pytest.raises(UsageError, match="fragment"):
        parse_ping_url("https://h/5f3e#start")


def test_path_query_and_password_are_secret_and_the_host_is_not() -> None:
    found = set(secret_parts("https://me:pass%21@hc.example:8000/ping/5f3e-4d/?token=abc%2Fdef"))

    assert {"pass%21", "pass!", "5f3e-4d", "ping/5f3e-4d", "abc/def"} <= found
    assert not any("hc.example" in each for each in found)
    assert parse_ping_url("https://me:pw@hc.example:8000/x").server == "hc.example:8000"
    assert "5f3e" not in repr(parse_ping_url("https://h/5f3e"))
