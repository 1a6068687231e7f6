"""The drivers of the servers, and the command that installs an optional package where this program runs."""

from __future__ import annotations

import json
import shlex
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from models_db.errors import DatabaseSettingError

_PROJECT = "catalog-sync"
# For each extra: what it installs. Names the package where the extra cannot be asked for by name.
_REQUIREMENTS = {
    "postgres": "psycopg[binary]>=3.2",
    "mariadb": "pymysql>=1.1",
    "metrics": "prometheus-client>=0.21",
}


def require_driver(module: str, extra: str) -> None:
    """Raises ``DatabaseSettingError`` with the command to run unless ``module`` can be imported."""
    try:
        import_module(module)
    except ImportError:
        raise DatabaseSettingError(
            f"the database driver {module} is not installed; install the extra {extra}: {install_command(extra)}"
        ) from None


def install_command(extra: str) -> str:
    """The shell command that adds the extra to the environment of this process, by the tool that made it.

    Each tool leaves a file in its environments. No command replaces the installed catalog-sync by one of an index.
    """
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        return shlex.join(["pipx", "inject", prefix.name, _REQUIREMENTS[extra]])
    if (prefix / "uv-receipt.toml").exists():
        return shlex.join(["uv", "tool", "install", _named_with_source(extra)])
    if _made_by_uv(prefix):
        return shlex.join(["uv", "pip", "install", "--python", sys.executable, _named(extra)])
    return shlex.join([sys.executable, "-m", "pip", "install", _named(extra)])


def _made_by_uv(prefix: Path) -> bool:
    """Whether the environment comes from ``uv venv`` or ``uv sync``, which put no pip into it."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _named(extra: str) -> str:
    """The extra of the installed project; its driver alone in a checkout that is not installed."""
    return _REQUIREMENTS[extra] if _source() is None else f"{_PROJECT}[{extra}]"


def _named_with_source(extra: str) -> str:
    """As ``uv tool install`` needs it, which resolves the project again: from where it came."""
    source = _source()
    return f"{_PROJECT}[{extra}] @ {source}" if source else f"{_PROJECT}[{extra}]"


def _source() -> str | None:
    """The URL from which the project was installed, empty for an index, None if it is not installed (PEP 610)."""
    try:
        recorded = distribution(_PROJECT).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    if not recorded:
        return ""
    origin = json.loads(recorded)
    if (vcs := origin.get("vcs_info")) is None:
        return str(origin["url"])
    return f"{vcs['vcs']}+{origin['url']}@{vcs.get('requested_revision') or vcs['commit_id']}"
