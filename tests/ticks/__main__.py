"""``make ticks``: kills three schedules of one database at random, on each kind of database."""

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
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from models_db import migrate
from sync.cli.process.messages import print_line
from tests.ha.cluster import Cluster
from tests.ha.galera import Galera
from tests.ha.replicated_postgresql import ReplicatedPostgreSQL
from tests.support import database_servers
from tests.support.commands import NO_AUTHORITIES
from tests.ticks.campaign import run_campaign
from tests.ticks.findings import Findings

_CLUSTERS: dict[str, Callable[[Callable[[str], Path]], Cluster]] = {
    "failover": ReplicatedPostgreSQL,
    "galera": Galera,
}
_NAMES = {**database_servers.NAMES, "failover": "PostgreSQL with failover", "galera": "Galera"}
_ONE_MIGRATION = threading.Lock()  # alembic keeps its state in globals


def main() -> int:
    arguments = _parsed()
    os.environ |= NO_AUTHORITIES
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it prints each failure of a server
    kinds = arguments.databases.replace(",", " ").split()
    folder = Path(tempfile.mkdtemp(prefix="catalog-sync-ticks-"))
    folder.chmod(0o755)  # a server may run as another user
    try:
        with ThreadPoolExecutor(len(kinds)) as pool:
            found = dict(zip(kinds, pool.map(lambda kind: _found(kind, folder, arguments), kinds), strict=True))
    finally:
        database_servers.stop_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return _report(found, arguments)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make ticks", description=__doc__)
    parser.add_argument("--databases", default=" ".join(database_servers.KINDS), help=f"some of {' '.join(_NAMES)}")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--span", type=int, default=10, help="seconds between two ticks")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    arguments = parser.parse_args()
    if unknown := set(arguments.databases.replace(",", " ").split()) - set(_NAMES):
        parser.error(f"DATABASES must be some of {' '.join(_NAMES)}, not {' '.join(unknown)}")
    return arguments


def _found(kind: str, folder: Path, arguments: argparse.Namespace) -> Findings:
    home = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=folder))
    home.chmod(0o755)
    deadline = time.monotonic() + arguments.minutes * 60
    size = (arguments.span, arguments.seed, lambda: time.monotonic() > deadline)
    if kind not in _CLUSTERS:
        with _database(kind, folder, home) as url:
            _migrate(url)
            return run_campaign([url], home, *size)
    chance = random.Random(arguments.seed)
    cluster = _CLUSTERS[kind](lambda name: Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder)))

    def disturb() -> str:
        failure = chance.choice(["fail over", "fail over", "restart"] if kind == "failover" else ["kill"])
        cluster.disturb(failure, chance)  # type: ignore[arg-type] # one of the kinds of the cluster
        return failure

    try:
        urls = _urls(cluster)
        _migrate(urls[0])
        return run_campaign(
            urls, home, *size, url_to_check=lambda: cluster.urls_to_check()[0], disturb=disturb, DATABASE_TIMEOUT="30"
        )
    finally:
        cluster.stop()


def _migrate(url: str) -> None:
    with _ONE_MIGRATION:
        migrate.upgrade(url)


def _urls(cluster: Cluster) -> list[str]:
    """On Galera each schedule prefers another node, so that claims clash at the COMMIT."""
    url = cluster.urls()["direct"]
    if not isinstance(cluster, Galera):
        return [url]
    user, _, rest = url.partition("@")
    hosts = rest.partition("/")[0].split(",")
    return [f"{user}@{','.join(hosts[number:] + hosts[:number])}/catalog" for number in range(len(hosts))]


@contextmanager
def _database(kind: str, folder: Path, home: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{home / 'catalog.db'}"
        return
    with database_servers.new_database(database_servers.server_url(kind, folder)) as url:
        yield url.render_as_string(hide_password=False)


def _report(found: Mapping[str, Findings], arguments: argparse.Namespace) -> int:
    names = list(dict.fromkeys(name for each in found.values() for name in each.rows()))
    lines = [f"|  | {' | '.join(_NAMES[kind] for kind in found)} |", f"| --- |{' ---: |' * len(found)}"]
    lines += [f"| {name} | {' | '.join(str(each.rows().get(name, '')) for each in found.values())} |" for name in names]
    where = f"Seed {arguments.seed}, {arguments.minutes:g} minutes, ticks of {arguments.span} s, {datetime.now(UTC):%F}"
    print_line("\n".join([*lines, "", where]))
    for kind, each in found.items():
        for line in each.lines:
            print_line(f"{kind}, on stderr: {line}")
    problems = [f"{kind}: {problem}" for kind, each in found.items() for problem in each.problems()]
    print_line("\n".join(["", *problems]) if problems else "nothing failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
