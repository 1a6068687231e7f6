"""The commands."""

from sync.cli.door import main

__all__ = ["main"]
