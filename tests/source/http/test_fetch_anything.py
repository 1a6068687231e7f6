"""Any bytes from a server end in a response or in an error of this program."""

from __future__ import annotations

import gzip

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.source.http.fetch import Fetched
from tests.support.fetching import KEY, fetch_both
from tests.support.rude_server import RudeServer, catalog, says

_LINES = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 5",
            b"Content-Length: -1",
            b"Content-Length: 5, 5",
            b"Content-Length: x",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Content-Encoding: gzip",
            b"Content-Encoding: gzip, br",
            b"Content-Type: text/html; charset=\xff",
            b"Location: //[",
            b"Location: \x00",
            b"Retry-After: 0",
            b"Date: \xe9",
            b"Set-Cookie: a=b; expires=never",
            b": no name",
            b"no colon",
            b" folded",
            b"Connection: upgrade",
        ]
    ),
    max_size=6,
)
_STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 301 X", b"HTTP/1.1 401 X", b"HTTP/1.1 503 X", b"HTTP/9 200", b""]
)
_BODY = st.one_of(
    st.binary(max_size=50),
    st.sampled_from(
        [catalog(), gzip.compress(catalog()), b'5\r\n{"ok"\r\n0\r\n\r\n', b"-5\r\n{}", b"{", b"", b'{"ok":1e400}']
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(status=_STATUS, lines=_LINES, body=_BODY)
def test_any_response_ends_in_a_result(status: bytes, lines: list[bytes], body: bytes) -> None:
    with RudeServer(says(b"\r\n".join([status, *lines, b"", b""]) + body)) as server:
        result = fetch_both(server.url, modes=("image",), attempts=1)["image"]
    assert isinstance(result, Fetched) or (str(result.error).isprintable() and KEY not in str(result.error))


@settings(max_examples=50, deadline=None)
@given(raw=st.binary(max_size=200))
def test_any_bytes_end_in_a_result(raw: bytes) -> None:
    with RudeServer(says(raw)) as server:
        result = fetch_both(server.url, modes=("image",), attempts=1)["image"]
    assert isinstance(result, Fetched) or str(result.error).isprintable()
