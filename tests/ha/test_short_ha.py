"""A short round of ``make ha``: a kill and a freeze while commands run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.faults.conftest import on_postgresql
from tests.ha.campaign import run_campaign
from tests.ha.replicated_postgresql import ReplicatedPostgreSQL


@on_postgresql
def test_no_acknowledged_run_is_lost_and_every_line_is_true(database_kind: str, tmp_path: Path) -> None:
    servers = os.environ["CATALOG_SYNC_TEST_SERVERS_FOLDER"]
    cluster = ReplicatedPostgreSQL(lambda name: Path(tempfile.mkdtemp(prefix=f"{name}-", dir=servers)))
    try:
        findings = run_campaign(cluster, tmp_path, 1, ["kill", "freeze"], timeout=30, api_delay=0.5)
    finally:
        cluster.stop()

    assert (findings.lost, findings.untrue) == ([], [])
    assert findings.rounds == {"kill": 1, "freeze": 1}
    assert findings.acknowledged >= 3
    assert findings.longest_wait < 90  # three timeouts
