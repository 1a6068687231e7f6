"""Headers read to their end.

``http.client`` takes the end of a connection for the end of the headers. What was cut before it told
its length would then be an answer without a body, and would not be asked for again.
"""

from __future__ import annotations

import http.client
import io
import socket


class StrictHttpResponse(http.client.HTTPResponse):
    """A response whose headers end as headers do.

    Under any other status than 200 that status says enough, however its headers end.
    """

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._lines = _Lines(self.fp.detach())  # nothing was read yet
        self.fp = self._lines

    def begin(self) -> None:
        """Raises ``IncompleteRead`` when the connection ended within the headers of a good answer."""
        super().begin()
        if self.status == http.client.OK and not self._lines.last.endswith(b"\n"):
            raise http.client.IncompleteRead(b"")


class _Lines(io.BufferedReader):
    """Knows the line read last: it is empty when there was none left."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last
