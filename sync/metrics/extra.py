"""The library for metrics, which is optional."""

from __future__ import annotations

from importlib import import_module

from sync.errors import UsageError
from sync.store.extras import install_command


def require_library() -> None:
    """Raises ``UsageError`` with the command that installs the library unless it can be imported."""
    try:
        import_module("prometheus_client")
    except ImportError:
        raise UsageError(
            f"the library prometheus_client is not installed; install the extra metrics: {install_command('metrics')}"
        ) from None
