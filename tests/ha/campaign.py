"""Rounds of failures against a cluster that is in use, and what was lost."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.ha.cluster import ReplicatedPostgreSQL
from tests.ha.traffic import MARKER, Ended, Traffic, is_true
from tests.support.database_contents import query_rows
from tests.support.verified_contents import require_consistent

Kind = Literal["kill", "freeze"]
STORED = f"SELECT new_cost_exact FROM v_credit_cost_changes WHERE model_id = '{MARKER}' ORDER BY changed_at"


@dataclass
class Findings:
    """What a campaign found. ``lost``: catalogs whose run was acknowledged and is not in the history."""

    kills: int = 0
    freezes: int = 0
    acknowledged: int = 0
    failed: int = 0
    lost: list[int] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    longest_wait: float = 0
    """The longest time, in seconds, that a command took."""


def run_campaign(
    cluster: ReplicatedPostgreSQL, home: Path, seed: int, kinds: list[Kind], timeout: float = 20, api_delay: float = 1
) -> Findings:
    """One round for each of ``kinds``, on an empty cluster. After each, the stored history must be consistent."""
    chance, findings = random.Random(seed), Findings()
    traffic = Traffic(lambda: cluster.url, home, timeout, api_delay)
    migrated(cluster)
    traffic.start()
    try:
        for kind in kinds:
            _wait_for_a_sync(traffic, timeout)
            time.sleep(chance.uniform(0, 2 * api_delay))  # any step of a command
            disturb(cluster, kind, chance, findings)
        _wait_for_a_sync(traffic, timeout)
    finally:
        traffic.stop()
    _count(findings, traffic, cluster)
    return findings


def migrated(cluster: ReplicatedPostgreSQL) -> None:
    from models_db.migrate import upgrade

    upgrade(cluster.primary_url)


def disturb(cluster: ReplicatedPostgreSQL, kind: Kind, chance: random.Random, findings: Findings) -> None:
    if kind == "kill":
        cluster.kill_primary(promoted_after=chance.choice((0, 0.5, 2, 5)))
        findings.kills += 1
        return
    with cluster.frozen_standby():
        time.sleep(chance.choice((1, 5)))
    findings.freezes += 1


def _wait_for_a_sync(traffic: Traffic, timeout: float) -> None:
    """Returns when a sync that began after this call has succeeded."""
    began, deadline = time.monotonic(), time.monotonic() + 6 * timeout + 60
    while not any(each.began > began for each in traffic.acknowledged()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"no sync succeeds any more: {[each.line for each in traffic.ended[-3:]]}")
        time.sleep(0.05)


def _count(findings: Findings, traffic: Traffic, cluster: ReplicatedPostgreSQL) -> None:
    url = cluster.primary_url.render_as_string(hide_password=False)
    require_consistent(url)
    stored = [int(cost) for (cost,) in query_rows(url, STORED)]
    if stored != sorted(set(stored)):
        findings.untrue.append(f"the runs are stored in this order: {stored}")
    acknowledged = traffic.acknowledged()
    failed = [each for each in traffic.ended if each.code != 0]
    findings.acknowledged, findings.failed = len(acknowledged), len(failed)
    findings.lost = [each.number for each in acknowledged if each.number not in stored]
    findings.untrue += [_shown(each) for each in failed if each.name != "sync" and each.code != 6]
    syncs = [each for each in failed if each.name == "sync"]
    findings.untrue += [_shown(each) for each in syncs if not is_true(each, is_stored=each.number in stored)]
    findings.longest_wait = max((each.seconds for each in traffic.ended), default=0)


def _shown(ended: Ended) -> str:
    return f"{ended.name} {ended.number}: exit {ended.code}: {ended.line}"
