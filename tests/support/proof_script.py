"""Runs docs/check_proof.py as an auditor does: alone, with nothing of the project or of site-packages in reach."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "check_proof.py"
_OLDEST = (3, 8)
_NAME = re.compile(r"python3\.\d+")


def check_proof(*files: Path, python: str = sys.executable) -> tuple[int, str]:
    """Exit code and line."""
    command = [python, "-I", "-S", str(SCRIPT), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1, done.stdout
    return done.returncode, done.stdout.rstrip("\n")


@cache
def other_pythons() -> tuple[str, ...]:
    """Interpreters of this machine, one for each version from 3.8 on; that of the tests is among them."""
    folders = [Path.home() / ".pyenv/versions", Path("/opt/python")]
    found = [*(path for folder in folders for path in folder.glob("*/bin/python3")), Path(sys.executable)]
    found += [Path(path) for name in range(8, 16) if (path := shutil.which(f"python3.{name}"))]
    versions = {_version(path): str(path) for path in found}
    return tuple(versions[version] for version in sorted(versions) if version >= _OLDEST)


def _version(python: Path) -> tuple[int, ...]:
    program = "import sys; print(sys.version_info[0], sys.version_info[1])"
    done = subprocess.run([str(python), "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()
