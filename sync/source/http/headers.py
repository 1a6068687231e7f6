"""Response headers that must be complete.

``http.client`` accepts the end of the connection in place of the blank line after the headers. A response
that is cut before its Content-Length header would then count as one without a body, and no attempt
would follow.
"""

from __future__ import annotations

import http.client
import io
import socket


class StrictHttpResponse(http.client.HTTPResponse):
    """A response with status 200 must have a blank line after its headers.

    With any other status the headers may be cut: the status alone decides what follows.
    """

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        # http.client opens its buffered reader here and reads nothing before begin().
        self._lines = _LineReader(self.fp.detach())
        self.fp = self._lines

    def begin(self) -> None:
        """Raises ``IncompleteRead`` when the connection ended within the headers of a response with status 200."""
        super().begin()
        if self.status == http.client.OK and not self._lines.last.endswith(b"\n"):
            raise http.client.IncompleteRead(b"")


class _LineReader(io.BufferedReader):
    """Remembers the line that was read last, which is empty at the end of the connection."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last
