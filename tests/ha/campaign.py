"""Rounds of failures against a cluster that is in use, and what was lost."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from models_db.migrate import upgrade
from tests.ha.cluster import Cluster, Kind
from tests.ha.traffic import MARKER, Ended, Traffic, is_true
from tests.support.database_contents import query_rows
from tests.support.verified_contents import require_consistent

STORED = f"SELECT new_cost_exact FROM v_credit_cost_changes WHERE model_id = '{MARKER}' ORDER BY changed_at"


@dataclass
class Findings:
    """What a campaign found. ``lost``: catalogs whose run was acknowledged and is not in the history."""

    rounds: dict[str, int] = field(default_factory=dict)
    """How often each kind of failure was made."""
    acknowledged: int = 0
    failed: int = 0
    lost: list[int] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    longest_wait: float = 0
    """The longest time, in seconds, that a command took."""


def run_campaign(
    cluster: Cluster, home: Path, seed: int, kinds: list[Kind], timeout: float = 20, api_delay: float = 1
) -> Findings:
    """One round for each of ``kinds``, on an empty cluster. After each, the stored history must be consistent."""
    chance, findings = random.Random(seed), Findings()
    traffic = Traffic(lambda: cluster.url, home, timeout, api_delay)
    upgrade(cluster.urls_to_check()[0])
    traffic.start()
    try:
        for kind in kinds:
            _wait_for_a_sync(traffic, timeout)
            time.sleep(chance.uniform(0, 2 * api_delay))  # any step of a command
            cluster.disturb(kind, chance)
            findings.rounds[kind] = findings.rounds.get(kind, 0) + 1
        _wait_for_a_sync(traffic, timeout)
    finally:
        traffic.stop()
    _count(findings, traffic)
    for url in cluster.urls_to_check():
        _compare(findings, traffic, url)
    return findings


def _wait_for_a_sync(traffic: Traffic, timeout: float) -> None:
    """Returns when a sync that began after this call has succeeded."""
    began, deadline = time.monotonic(), time.monotonic() + 6 * timeout + 60
    while not any(each.began > began for each in traffic.acknowledged()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"no sync succeeds any more: {[each.line for each in traffic.ended[-3:]]}")
        time.sleep(0.05)


def _count(findings: Findings, traffic: Traffic) -> None:
    findings.acknowledged = len(traffic.acknowledged())
    findings.failed = sum(each.code != 0 for each in traffic.ended)
    findings.longest_wait = max((each.seconds for each in traffic.ended), default=0)
    readings = [each for each in traffic.ended if each.name != "sync"]
    findings.untrue += [_shown(each) for each in readings if each.code not in {0, 6}]


def _compare(findings: Findings, traffic: Traffic, url: str) -> None:
    """What the commands said against what this server has stored."""
    require_consistent(url)
    stored = [int(cost) for (cost,) in query_rows(url, STORED)]
    if stored != sorted(set(stored)):
        findings.untrue.append(f"the runs are stored in this order: {stored}")
    for each in [each for each in traffic.ended if each.name == "sync"]:
        if each.code == 0 and each.number not in stored:
            findings.lost.append(each.number)
        elif each.code != 0 and not is_true(each, is_stored=each.number in stored):
            findings.untrue.append(_shown(each))


def _shown(ended: Ended) -> str:
    return f"{ended.name} {ended.number}: exit {ended.code}: {ended.line}"
