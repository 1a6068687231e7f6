"""Rounds of failures against a cluster that is in use, and what was lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.ha.cluster import Cluster, Kind
from tests.ha.ended import MARKER, MIGRATION, Ended, is_stale, untrue_others, untrue_syncs
from tests.ha.findings import Findings
from tests.ha.traffic import Traffic
from tests.support.database_contents import query_rows
from tests.support.verified_contents import require_consistent

STORED = f"SELECT new_cost_exact FROM v_credit_cost_changes WHERE model_id = '{MARKER}' ORDER BY changed_at"
API_DELAYS = (0.1, 0.5, 2)
"""Seconds that the API takes: most of a real run is a wait for it, and then a server may fail."""


def run_campaign(
    cluster: Cluster,
    home: Path,
    seed: int,
    kinds: Iterable[Kind],
    timeout: float = 20,
    *,
    api_delays: Sequence[float] = API_DELAYS,
    report: Callable[[str], None] = lambda _: None,
) -> Findings:
    """One round for each of ``kinds``, on an empty cluster. After them, the stored history must be consistent.

    ``report`` gets a line for each round.
    """
    chance, findings = random.Random(seed), Findings(timeout)
    traffic = Traffic(cluster, home, timeout, api_delays)
    traffic.start()
    try:
        for kind in kinds:
            _wait_for_a_sync(traffic, timeout)
            time.sleep(chance.uniform(0, 0.5 + max(api_delays)))  # any step of a command
            cluster.disturb(kind, chance)
            findings.rounds[kind] += 1
            report(f"{datetime.now(UTC):%H:%M:%S} {kind}: {len(traffic.acknowledged())} syncs acknowledged so far")
        _wait_for_a_sync(traffic, timeout)
    finally:
        traffic.stop()
    _count(findings, traffic.ended)
    for url in cluster.urls_to_check():
        _compare(findings, traffic.ended, url)
    for database in traffic.migrated:
        for url in cluster.urls_to_check(database):
            require_consistent(url)
    return findings


def _wait_for_a_sync(traffic: Traffic, timeout: float) -> None:
    """Returns when a sync that began after this call has succeeded."""
    began, deadline = time.monotonic(), time.monotonic() + 6 * timeout + 60
    while not any(each.began > began for each in traffic.acknowledged()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"no sync succeeds any more: {[str(each) for each in traffic.ended[-3:]]}")
        time.sleep(0.05)


def _count(findings: Findings, ended: Sequence[Ended]) -> None:
    syncs = [each for each in ended if each.name == "sync"]
    findings.commands.update((each.name, each.code) for each in ended)
    findings.paths.update(each.path for each in ended)
    findings.unknown += sum("is unknown" in each.line for each in syncs)
    findings.stale += sum(is_stale(each, syncs) for each in ended)
    findings.untrue += map(str, untrue_others([each for each in ended if each.name != "sync"], syncs))
    findings.longest_migration = max((each.waited for each in ended if each.name == MIGRATION), default=0)
    slowest = max((each for each in ended if each.name != MIGRATION), key=lambda each: each.waited)
    if slowest.waited > findings.longest_wait:
        findings.longest_wait, findings.slowest = slowest.waited, str(slowest)


def _compare(findings: Findings, ended: Sequence[Ended], url: str) -> None:
    """What the syncs said against what this server has stored."""
    require_consistent(url)
    syncs = [each for each in ended if each.name == "sync"]
    stored = Counter(int(cost) for (cost,) in query_rows(url, STORED))
    if list(stored) != sorted(stored) or max(stored.values(), default=1) > 1:
        findings.untrue.append(f"the runs are stored in this order: {list(stored.elements())}")
    findings.lost += [each.number for each in syncs if each.code == 0 and each.number not in stored]
    findings.untrue += map(str, untrue_syncs(syncs, stored))
