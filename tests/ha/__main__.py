"""``make ha``: kills and freezes the servers of replicated databases while catalog-sync uses them."""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from sync.cli.process.messages import print_line
from tests.ha.campaign import run_campaign
from tests.ha.cluster import Cluster, Kind
from tests.ha.galera import Galera
from tests.ha.replicated_postgresql import ReplicatedPostgreSQL
from tests.support.commands import NO_AUTHORITIES

_CLUSTERS: dict[str, Callable[[Callable[[str], Path]], Cluster]] = {
    "postgresql": ReplicatedPostgreSQL,
    "galera": Galera,
}
_PER_CAMPAIGN = 20
"""Rounds on one cluster. Its history grows, and with it the time of ``verify``."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ha", description=__doc__)
    parser.add_argument("--cluster", choices=_CLUSTERS, default="postgresql")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--timeout", type=float, default=20, help="CATALOG_SYNC_DATABASE_TIMEOUT of the commands")
    arguments = parser.parse_args()
    os.environ |= NO_AUTHORITIES
    chance, is_sound, left = random.Random(arguments.seed), True, arguments.rounds
    print_line(f"seed {arguments.seed}")
    while left > 0:
        number = min(left, _PER_CAMPAIGN)
        is_sound &= _campaign(arguments.cluster, chance.randrange(10_000), number, arguments.timeout)
        left -= number
    return 0 if is_sound else 1


def _campaign(name: str, seed: int, rounds: int, timeout: float) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="catalog-sync-ha-"))
    folder.chmod(0o755)  # a server may run as another user
    cluster = _CLUSTERS[name](lambda server: Path(tempfile.mkdtemp(prefix=f"{server}-", dir=folder)))
    kinds: list[Kind] = random.Random(seed).choices(cluster.kinds, k=rounds)
    try:
        findings = run_campaign(cluster, folder, seed, kinds, timeout)
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print_line(json.dumps(asdict(findings)))
    return not findings.lost and not findings.untrue and findings.longest_wait <= 3 * timeout


if __name__ == "__main__":
    sys.exit(main())
