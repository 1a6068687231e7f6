"""Rules of this project that no linter checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("sync", "models_db", "tests", "benchmarks", "bi")  # not alembic: a revision is never edited
MOST_LINES = 300
CLOCKS = {"now", "utcnow", "today"}
HOME_FOLDER = re.compile(r"(?<![\w.])/(?:home|root|Users)/\w")


def python_files(*folders: str) -> Iterator[Path]:
    return (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every text file of the project. Names with a dot belong to tools and are left out."""
    for top in ROOT.iterdir():
        if top.name.startswith(".") and top.name not in {".ci", ".gitignore"}:
            continue
        for path in [top] if top.is_file() else top.rglob("*"):
            content = path.read_bytes() if path.is_file() else b"\0"
            if b"\0" not in content:
                yield path.relative_to(ROOT).as_posix(), content.decode(errors="replace")


def imported(path: Path) -> set[str]:
    """The top-level names of the packages that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def test_the_import_contracts_hold() -> None:
    """The contracts are in pyproject.toml under importlinter."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--no-logo"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


def test_alembic_env_imports_only_the_schema_and_revisions_no_module_of_the_project() -> None:
    """A revision describes the schema of its time; imported code would change after it."""
    own_imports = {path.name: imported(path) & {"sync", "models_db", "tests"} for path in python_files("alembic")}

    assert own_imports.pop("env.py") == {"models_db"}
    assert {name: names for name, names in own_imports.items() if names} == {}


def test_the_catalog_reads_no_clock() -> None:
    """Times are arguments. The import contract does not cover calls such as ``datetime.now``."""
    calls = [
        f"{path.name}:{node.lineno}"
        for path in python_files("sync/catalog")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS
    ]

    assert calls == []


def test_every_file_of_code_is_short() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in python_files(*CODE)}

    assert {name: lines for name, lines in lengths.items() if lines >= MOST_LINES} == {}


def test_no_file_names_a_path_of_one_machine() -> None:
    checkout = f"{ROOT}/"
    naming = [name for name, text in texts() if checkout in text or HOME_FOLDER.search(text)]

    assert naming == []


def test_the_lock_file_names_the_public_index_only() -> None:
    hosts = set(re.findall(r"\w+://[^/\"]*", (ROOT / "uv.lock").read_text()))

    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}


def test_names_of_test_files_are_unique() -> None:
    """So that the name of the file identifies a failed test."""
    names = [path.name for path in python_files("tests") if path.name.startswith("test_")]

    assert sorted(names) == sorted(set(names))
