"""A later version of the program, which has one more revision."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models_db import alembic_env, migrate

CURRENT = migrate.HEAD
NEXT = f"{int(CURRENT) + 1:04}"
_HEADER = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{CURRENT}"
branch_labels = None
depends_on = None


"""


def add_revision(steps: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds a revision to the program for the rest of the test; ``steps`` is the source of its two functions."""
    folder = tmp_path / "100% newer"  # a percent sign must not be taken as a format
    shutil.copytree(migrate.migrations_dir(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / f"{NEXT}_more.py").write_text(_HEADER + steps.lstrip())
    monkeypatch.setattr(migrate, "migrations_dir", lambda: folder)
    monkeypatch.setattr(migrate, "HEAD", NEXT)
    monkeypatch.setattr(alembic_env, "HEAD", NEXT)
