"""The optional packages of the program, and how one is installed where it runs."""

from __future__ import annotations

from models_db.engine.drivers import install_command

__all__ = ["install_command"]
