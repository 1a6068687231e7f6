"""``make ha``: kills and freezes the servers of replicated databases while catalog-sync uses them."""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sync.cli.process.messages import print_line
from tests.ha.campaign import run_campaign
from tests.ha.cluster import KILLS, Cluster, Kind
from tests.ha.findings import Findings
from tests.ha.galera import Galera
from tests.ha.pgbouncer import program
from tests.ha.replicated_postgresql import ReplicatedPostgreSQL
from tests.support.commands import NO_AUTHORITIES

_CLUSTERS: dict[str, Callable[[Callable[[str], Path]], Cluster]] = {
    "postgresql": ReplicatedPostgreSQL,
    "galera": Galera,
}
_KILLS = {"postgresql": 200, "galera": 100}
_PER_CAMPAIGN = 12
"""Rounds on one cluster. Its history grows, and with it the time of ``verify``."""


def main() -> int:
    arguments = _parsed()
    if arguments.cluster == "postgresql" and not program():
        sys.exit("make ha failed: PgBouncer is not installed; install Debian's package pgbouncer")
    os.environ |= NO_AUTHORITIES
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it prints each failure of a server
    print_line(f"seed {arguments.seed}")
    campaigns = _Campaigns(arguments)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for job in [pool.submit(campaigns.run) for _ in range(arguments.jobs)]:
            job.result()
    return 0 if campaigns.is_good and campaigns.total.is_good else 1


class _Campaigns:
    """Campaigns in several threads, until there were enough kills."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.total, self.is_good = Findings(arguments.timeout), True
        self._arguments, self._began = arguments, time.monotonic()
        self._chance, self._lock = random.Random(arguments.seed), threading.Lock()

    def run(self) -> None:
        while self.total.kills < self._arguments.kills and self._minutes() < self._arguments.minutes:
            seed = self._chance.randrange(10_000)
            try:
                found = _campaign(self._arguments, seed, self._arguments.kills - self.total.kills)
            except RuntimeError as error:
                print_line(f"a campaign ended early: {error}")
                self.is_good = False
                continue
            with self._lock:
                self.total.add(found)
                lines = [f"\nafter {self._minutes():.1f} minutes, slowest: {self.total.slowest}", *self.total.table()]
                print_line("\n".join([*lines, *self.total.untrue]))

    def _minutes(self) -> float:
        return (time.monotonic() - self._began) / 60


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.ha", description=__doc__)
    parser.add_argument("--cluster", choices=_CLUSTERS, default="postgresql")
    parser.add_argument("--kills", type=int, help="of database servers; default: 200, for Galera 100")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no campaign after these")
    parser.add_argument("--jobs", type=int, default=1, help="clusters at the same time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--timeout", type=float, default=10, help="CATALOG_SYNC_DATABASE_TIMEOUT of the commands")
    arguments = parser.parse_args()
    arguments.kills = arguments.kills or _KILLS[arguments.cluster]
    return arguments


def _campaign(arguments: argparse.Namespace, seed: int, kills: int) -> Findings:
    folder = Path(tempfile.mkdtemp(prefix="catalog-sync-ha-"))
    folder.chmod(0o755)  # a server may run as another user
    try:
        cluster = _CLUSTERS[arguments.cluster](lambda name: Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder)))
        try:
            kinds = _kinds(cluster, seed, kills)
            return run_campaign(cluster, folder, seed, kinds, arguments.timeout, report=print_line)
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _kinds(cluster: Cluster, seed: int, kills: int) -> Iterator[Kind]:
    """At most so many kills."""
    chance = random.Random(seed)
    for _ in range(_PER_CAMPAIGN):
        if kills <= 0:
            return
        kind = chance.choice(cluster.kinds)
        kills -= KILLS.get(kind, 0)
        yield kind


if __name__ == "__main__":
    sys.exit(main())
