"""What every part of the bench works with.

A part is a file ``part_*.py`` with two functions. ``measure(bench)`` prepares databases and catalogs,
measures, and puts what it found into ``bench.results``. ``rows(results)`` gives the rows of the result
table that are made from it; a row without cells is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TypeAlias

from benchmarks.api_server import save_catalog
from benchmarks.catalogs import Catalog, snapshots
from benchmarks.databases import Databases, gather_statistics
from benchmarks.process_usage import Usage, measure, medians
from benchmarks.results import Results

Contenders: TypeAlias = Mapping[str, Callable[[], Usage]]
"""What to run, by the name under which its result is kept."""

_HERE = Path(__file__).parent
_KEY = "gva_live_bench.0000000000"
_MAX_BYTES = 256 * 2**20  # a body of the stress point has about 100 MiB
_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
# dlt reaches MariaDB by the dialect of MySQL.
_DLT_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql", "mariadb": "mysql+pymysql"}


@dataclass(frozen=True)
class Bench:
    """One run of the bench."""

    folder: Path
    """Holds everything that is made meanwhile, and is removed afterwards."""
    api: str
    """The URL of the API server, ``http://127.0.0.1:PORT``."""
    dlt_python: str
    """The Python of the venv that has dlt."""
    databases: Sequence[Databases]
    sizes: Sequence[int]
    """The numbers of models to measure syncs with."""
    rounds: int
    is_quick: bool
    results: Results

    def serve(self, name: str, catalog: Catalog) -> None:
        """Save a catalog so that it can be fetched: see ``base_url``."""
        save_catalog(self.folder / "served", name, catalog)

    def serve_two(self, models: int) -> None:
        """Serve a made-up catalog as ``first``, and the one after it as ``changed``."""
        for name, catalog in zip(("first", "changed"), snapshots(models), strict=False):
            self.serve(name, catalog)

    def base_url(self, served: str) -> str:
        """The URL of the API, which gives this served catalog from now on."""
        # A real API keeps its URL when its catalog changes, so the name is not in it.
        link = self.folder / "served" / "current"
        link.unlink(missing_ok=True)
        link.symlink_to(served)
        return f"{self.api}/current"

    def run(self, *argv: str | Path, **environment: str) -> Usage:
        return measure(list(map(str, argv)), environment, self.folder)

    def catalog_sync(self, url: str, *arguments: str | Path, served: str = "none") -> Usage:
        """Run a command of catalog-sync as a crontab does, on a database and a served catalog."""
        return self.run(
            *(Path(sys.executable).with_name("catalog-sync"), *arguments),
            CATALOG_SYNC_DATABASE_URL=url,
            CATALOG_SYNC_API_KEY=_KEY,
            CATALOG_SYNC_BASE_URL=self.base_url(served),
            CATALOG_SYNC_MAX_BYTES=str(_MAX_BYTES),
        )

    def sync(self, url: str, served: str) -> Usage:
        return self.catalog_sync(url, "sync", "--quiet", served=served)

    def changing_sync(self, url: str) -> Callable[[], Usage]:
        """A sync of ``changed`` and of ``first`` in turn, so that each one finds changes."""
        served = cycle(("changed", "first"))
        return lambda: self.sync(url, next(served))

    def baseline(self, work: str, url: str, served: str, *folder: Path) -> Usage:
        """Run the baseline, which is described in ``baseline.py``."""
        program = (sys.executable, _HERE / "baseline.py")
        return self.run(*program, work, _with_driver(url, _DRIVERS), self.base_url(served), *folder)

    def dlt(self, url: str, served: str, folder: Path) -> Usage:
        """Run dlt, which is described in ``dlt_comparison.py``."""
        program = (self.dlt_python, _HERE / "dlt_comparison.py")
        settings = {
            "HOME": str(folder),  # no settings of the user
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "CRITICAL",
            "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD": "none",  # dlt demands one
        }
        return self.run(*program, _with_driver(url, _DLT_DRIVERS), self.base_url(served), folder, **settings)

    @contextmanager
    def migrated(self, databases: Databases) -> Iterator[str]:
        """The URL of a new database at head, without data."""
        with databases.new() as url:
            self.catalog_sync(url, "migrate")
            yield url

    @contextmanager
    def synced(self, databases: Databases, served: str) -> Iterator[str]:
        """The URL of a new database after the first sync of a served catalog."""
        with self.migrated(databases) as url:
            self.sync(url, served)
            gather_statistics(url)
            yield url

    def alternate(self, name: str, contenders: Contenders, rounds: int = 0) -> None:
        """Run all contenders in turn, A B C, A B C, so that other load of the machine meets all of them.

        The results are kept as ``NAME CONTENDER``.
        """
        runs: dict[str, list[Usage]] = {contender: [] for contender in contenders}
        for _ in range(rounds or self.rounds):
            for contender, run in contenders.items():
                runs[contender].append(run())
        for contender, some in runs.items():
            self.results.runs[f"{name} {contender}"] = some
            middle = medians(some)
            say(f"  {name} {contender}: CPU {middle.cpu:.2f} s, {middle.wall:.2f} s, {middle.rss_mib:.0f} MiB")


def say(line: str) -> None:
    print(line, flush=True)


def _with_driver(url: str, drivers: Mapping[str, str]) -> str:
    scheme, _, rest = url.partition(":")
    return f"{drivers[scheme]}:{rest}"
