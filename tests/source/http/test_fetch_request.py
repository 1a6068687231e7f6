"""What is sent, and which settings of the environment apply (faults A16 and A17)."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sync.errors import ApiUnreachable, UsageError
from sync.source.http.cancellation import SocketCanceller
from sync.source.http.fetch import FetchSettings, fetch_modes
from sync.source.http.session import open_session, read_response, send_request
from tests.support.fetching import KEY, NoWait, failed, fetch_both, fetched, now
from tests.support.rude_server import GOOD, RudeServer, catalog, response, says


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login someone password else\ndefault login any password one\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


def headers_of(request: str) -> dict[str, str]:
    lines = request.split("\r\n")[1:-2]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def test_each_mode_is_requested_once_with_the_key_as_bearer() -> None:
    with RudeServer(image=GOOD, video=says(response("200 OK", catalog("video")))) as server:
        fetch_both(server.url + "/")
    lines = sorted(request.split("\r\n")[0] for request in server.requests)
    path = "GET /api/partner/v1/studio/models?mode="
    assert lines == [f"{path}image HTTP/1.1", f"{path}video HTTP/1.1"]
    for headers in map(headers_of, server.requests):
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["accept-encoding"] == "gzip"
        assert headers["user-agent"].startswith("catalog-sync/")


@pytest.mark.parametrize("trust_environment", [True, False])
def test_a_netrc_does_not_replace_the_key(netrc: None, *, trust_environment: bool) -> None:
    canceller = SocketCanceller()
    with (
        RudeServer(GOOD) as server,
        open_session(KEY, canceller, trust_environment=trust_environment) as session,
        send_request(session, f"{server.url}/studio/models", "image", (1, 1)) as response,
    ):
        assert read_response(response, 1000).body == catalog()
        canceller.cancel()
    assert headers_of(server.requests[0])["authorization"] == f"Bearer {KEY}"


def test_loopback_is_reached_without_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with RudeServer(GOOD) as server, RudeServer(says(b"")) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        fetched(server.url)
    assert proxy.requests == []


def test_a_refusing_proxy_is_named_and_does_not_receive_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with RudeServer(says(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as proxy:
        monkeypatch.setenv("https_proxy", f"http://user:pass@127.0.0.1:{proxy.port}")
        failure = failed("https://www.example.com/api", attempts=1)
    assert isinstance(failure.error, ApiUnreachable)
    assert "through the proxy" in str(failure.error)
    assert "pass" not in str(failure.error)
    assert proxy.requests[0].startswith("CONNECT www.example.com:443")
    assert KEY not in proxy.requests[0]


def test_an_invalid_proxy_setting_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://")
    assert isinstance(failed("https://www.example.com/api").error, UsageError)


def test_a_missing_ca_bundle_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    assert "CA certificate bundle" in str(failed("https://127.0.0.1:9/api", attempts=1).error)


@pytest.mark.parametrize("key", ["", "gva live", "abc\n", "a\r\nX-Other: 1", "\u201cabc\u201d", "k\xe9y", "tab\t"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(key: str) -> None:
    with RudeServer(GOOD) as server, pytest.raises(UsageError) as caught:
        fetch_modes(["image"], FetchSettings(server.url), key, clock=now, rng=NoWait(), cancelled=threading.Event())
    assert server.requests == []
    assert not key or key not in str(caught.value)


def test_requests_is_not_imported_before_something_is_fetched() -> None:
    code = "import sys, sync.source.http.fetch, sync.source.files.jsonl; print('requests' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "False"
