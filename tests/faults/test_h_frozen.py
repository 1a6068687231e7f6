"""Fault H4: how long a run waits for a server that freezes before its COMMIT."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.faults.conftest import on_servers
from tests.faults.test_h_failover import RAISED
from tests.support.commands import error_line
from tests.support.own_database_server import Server
from tests.support.synced_database import SyncedDatabase

_TIMEOUT = 10


@on_servers
def test_h4_a_server_that_freezes_while_the_run_waits_for_the_api_is_exit_6_within_three_timeouts(
    synced_own_server: SyncedDatabase, own_server: Server
) -> None:
    frozen = own_server.frozen()

    def freezing(peer: Any, stop: threading.Event) -> None:
        frozen.__enter__()
        RAISED(peer, stop)

    synced_own_server.shell.set(DATABASE_TIMEOUT=str(_TIMEOUT))
    began = time.monotonic()
    try:
        line = error_line(synced_own_server.sync(image=freezing), 6)
        assert _TIMEOUT <= time.monotonic() - began < 3 * _TIMEOUT
    finally:
        frozen.__exit__(None, None, None)

    assert "nothing of this step was stored" in line
    synced_own_server.succeeds(image=RAISED)
    assert synced_own_server.events() == ["increase"]
    synced_own_server.verify()
