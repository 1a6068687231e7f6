"""A short round of ``make ha``: kills and a freeze while commands run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.faults.conftest import on_postgresql
from tests.ha.campaign import run_campaign
from tests.ha.cluster import Kind
from tests.ha.pgbouncer import program
from tests.ha.replicated_postgresql import ReplicatedPostgreSQL


@on_postgresql
def test_no_acknowledged_run_is_lost_and_every_line_is_true(database_kind: str, tmp_path: Path) -> None:
    """The commands go through PgBouncer by turns where it is installed, as in CI."""
    kinds: list[Kind] = ["fail over", "restart", "freeze a standby"]
    kinds += ["kill PgBouncer"] if program() else []
    servers = os.environ["CATALOG_SYNC_TEST_SERVERS_FOLDER"]
    cluster = ReplicatedPostgreSQL(lambda name: Path(tempfile.mkdtemp(prefix=f"{name}-", dir=servers)))
    try:
        findings = run_campaign(cluster, tmp_path, 4, kinds, timeout=30, api_delays=(0.1, 0.5))
    finally:
        cluster.stop()

    assert (findings.lost, findings.untrue) == ([], [])
    assert list(findings.rounds) == kinds
    assert findings.acknowledged >= 5
    assert findings.is_good, findings.slowest
