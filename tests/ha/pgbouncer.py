"""PgBouncer in transaction mode, in front of one PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_START_SECONDS = 30
# PgBouncer's own times are for pools that outlive any client: 15 s to connect, and as long until the next attempt.
# With them a server that is back would count as unreachable for longer than a campaign waits for it.
_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
server_connect_timeout = 3
server_login_retry = 1
max_client_conn = 200
"""


def program() -> str | None:
    """The path of PgBouncer; None where it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")


class PgBouncer:
    """A pooler for the server at a port, as a user that may be None for that of the tests."""

    def __init__(self, folder: Path, server_port: int, user: str | None) -> None:
        self.port = free_port()
        self._folder, self._user = folder, user
        settings = _SETTINGS.format(server=server_port, port=self.port, folder=folder)
        (folder / "settings").write_text(settings)
        (folder / "users").write_text('"postgres" ""\n')
        folder.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [program() or "pgbouncer", "--quiet", str(self._folder / "settings")]
        with (self._folder / "output").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, user=self._user)
        deadline = time.monotonic() + _START_SECONDS
        while not self._listens():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError((self._folder / "output").read_text(errors="replace"))
            time.sleep(0.05)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
