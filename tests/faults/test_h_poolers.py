"""Faults H1, H3 and H5 behind a pooler, which logs clients in whatever its server does."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import make_url

from tests.faults.conftest import on_postgresql
from tests.support.commands import error_line, output
from tests.support.fake_pooler import fake_pooler
from tests.support.synced_database import SyncedDatabase


@on_postgresql
@pytest.mark.parametrize("is_silent", [False, True], ids=["standby", "frozen"])
def test_h_a_pooler_before_a_server_that_is_of_no_use_is_passed_over(synced: SyncedDatabase, is_silent: bool) -> None:  # noqa: FBT001
    url = make_url(synced.url)
    with fake_pooler(is_silent=is_silent) as port:
        both = f"{url.username}@127.0.0.1:{port},{url.host}:{url.port}/{url.database}"
        synced.shell.set(DATABASE_URL=f"postgresql://{both}", DATABASE_TIMEOUT="60")
        began = time.monotonic()
        output(synced.sync())
        output(synced.shell("migrate"))
        assert "acme/image-0" in output(synced.shell("models"))
        assert time.monotonic() - began < 45  # three connections or four, each of them 3 s at the silent one
        synced.shell.set(DATABASE_URL=synced.url)


@on_postgresql
def test_h_a_pooler_before_a_standby_is_called_one(synced: SyncedDatabase) -> None:
    url = make_url(synced.url)
    with fake_pooler(is_silent=False) as port:
        synced.shell.set(DATABASE_URL=f"postgresql://{url.username}@127.0.0.1:{port}/d", DATABASE_TIMEOUT="1")
        line = error_line(synced.shell("migrate"), 6)
        synced.shell.set(DATABASE_URL=synced.url)
    assert "the server is a standby or read-only (session is read-only); nothing of this step was stored" in line
