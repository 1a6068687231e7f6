"""Runs ``verify`` with its whole command line, in this process: a new interpreter would take most of the time."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from sync.cli.entry_point import run as run_command
from tests.support.commands import NO_AUTHORITIES


class Verified(NamedTuple):
    code: int
    findings: list[dict[str, Any]]


def verify(url: str, checkpoints: Path | None) -> Verified:
    """The exit code of ``verify`` and its findings; with a file of checkpoints it compares the seals with them."""
    arguments = ["verify", "--json", *(["--checkpoint", str(checkpoints)] if checkpoints else [])]
    environ = {"PATH": os.defpath, "HOME": os.devnull, "CATALOG_SYNC_DATABASE_URL": url, **NO_AUTHORITIES}
    out, err = io.StringIO(), io.StringIO()
    with patch.dict(os.environ, environ, clear=True), redirect_stdout(out), redirect_stderr(err):
        code = run_command(arguments, os.environ)
    if not out.getvalue():
        raise AssertionError(f"verify ended with {code} and printed no findings: {err.getvalue()}")
    return Verified(code, json.loads(out.getvalue())["findings"])
