"""Faults H1 and H4: how long a command waits for a server that is silent."""

from __future__ import annotations

import threading
import time
from typing import Any

from sqlalchemy import create_engine

from tests.faults.conftest import on_postgresql, on_servers
from tests.faults.test_h_failover import RAISED
from tests.support.commands import error_line, output
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


@on_postgresql
def test_h1_migrate_at_head_does_not_wait_for_a_silent_server_forever(synced: SyncedDatabase) -> None:
    """A migration has no read timeout, but what finds that there is nothing to migrate has one."""
    synced.shell.set(DATABASE_TIMEOUT="2")
    engine = create_engine(synced.url)
    with engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE catalog_sync_version IN ACCESS EXCLUSIVE MODE")
        line = error_line(synced.shell("migrate"), 6)
        other.rollback()
    engine.dispose()

    assert "no response within 2 s" in line
    assert "is at revision" in output(synced.shell("migrate"))
