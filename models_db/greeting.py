"""A MariaDB connection that a silent server cannot hold up while it logs in.

The driver's time for connecting ends when the port answers. The greeting that is due then is waited
for like any answer: in a migration, which may take as long as it likes, for ever.
"""

from __future__ import annotations

from typing import Any

from pymysql.connections import Connection


class LoginTimeoutConnection(Connection):
    """Each answer of the server until it is logged in must come within ``connect_timeout`` seconds."""

    _read_timeout: float | None

    def connect(self, sock: Any = None) -> None:
        patience = self._read_timeout
        self._read_timeout = min(filter(None, (self.connect_timeout, patience)), default=None)
        try:
            super().connect(sock)
        finally:
            self._read_timeout = patience
