"""The processes that are measured, as they are started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_usage import Command, clean_environment

_HERE = Path(__file__).parent
_MODULES = {"sqlite": "sqlite3", "postgresql": "psycopg", "mariadb": "pymysql"}
_PEER_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql", "mariadb": "mysql+pymysql"}
_OUR_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
_KEY = "gva_live_bench.0000000000"
_QUIET_PEER = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}


@dataclass(frozen=True, slots=True)
class Programs:
    """What is run, and where the answers come from."""

    python: str
    """That of the environment in which catalog-sync is installed."""
    peer_python: str
    """That of the environment in which dlt is installed; empty leaves the peer out."""
    api: str
    """``http://127.0.0.1:PORT``"""
    peer_limit: int = 600

    def ours(self, url: str, *arguments: str, served: str = "none") -> Command:
        """catalog-sync as a crontab starts it; ``served`` names the answers."""
        script = Path(self.python).with_name("catalog-sync")
        program = (str(script),) if script.exists() else (self.python, "-m", "sync")
        settings = {
            "CATALOG_SYNC_DATABASE_URL": url,
            "CATALOG_SYNC_API_KEY": _KEY,
            "CATALOG_SYNC_BASE_URL": f"{self.api}/{served}",
        }
        return Command((*program, *arguments), {**clean_environment(), **settings})

    def sync(self, url: str, served: str) -> Command:
        return self.ours(url, "sync", "--quiet", served=served)

    def code(self, text: str) -> Command:
        return Command((self.python, "-c", text), clean_environment())

    def imports(self, kind: str) -> Command:
        return self.code(f"import requests, sqlalchemy, click, {_MODULES[kind]}")

    def floor(self, what: str, url: str, served: str, dump: Path | None = None) -> Command:
        argv = (self.python, str(_HERE / "baseline.py"), what, _with_driver(url, _OUR_DRIVERS), f"{self.api}/{served}")
        return Command((*argv, str(dump)) if dump else argv, clean_environment())

    def peer(self, shape: str, url: str, served: str, folder: Path) -> Command:
        argv = (self.peer_python, str(_HERE / "dlt_comparison.py"), shape, _with_driver(url, _PEER_DRIVERS))
        environment = {**clean_environment(), **_QUIET_PEER, "HOME": str(folder)}
        return Command((*argv, f"{self.api}/{served}", str(folder)), environment, self.peer_limit)


def _with_driver(url: str, drivers: Mapping[str, str]) -> str:
    scheme, _, rest = url.partition(":")
    return f"{drivers[scheme]}:{rest}"
