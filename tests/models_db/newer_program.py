"""A program that has one revision more than this one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models_db import alembic_env, migrate

NEWEST = migrate.HEAD
NEXT = f"{int(NEWEST) + 1:04}"
_HEAD = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{NEWEST}"
branch_labels = None
depends_on = None


"""


def add_revision(steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on the program has this revision too; ``steps`` are its two functions."""
    folder = tmp_path / "100% newer"  # such a name is no format string
    shutil.copytree(migrate.migrations_dir(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{NEXT}_more.py").write_text(_HEAD + steps.lstrip())
    monkeypatch.setattr(migrate, "migrations_dir", lambda: folder)
    monkeypatch.setattr(migrate, "HEAD", NEXT)
    monkeypatch.setattr(alembic_env, "HEAD", NEXT)
