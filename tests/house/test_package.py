"""The wheel contains the two packages, with the migrations inside one of them, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import __version__

ROOT = Path(__file__).parents[2]
PACKAGES = ("sync", "models_db")
RELATIVE_LINK = re.compile(r"\]\((?!https?:|#)[^)]*\)|src=\"(?!https?:)[^\"]*\"")
SHIPPED_KINDS = {".toml", ".py", ".sql", ".json", ".html", ".css", ".js", ".typed"}


def build(kind: str, source: Path, target: Path) -> Path:
    """The file that hatchling builds from ``source``."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (made,) = target.iterdir()
    return made


def listing(wheel: Path) -> set[str]:
    """The files of a wheel without its metadata."""
    names = zipfile.ZipFile(wheel).namelist()
    return {name for name in names if ".dist-info/" not in name}


def index_page(wheel: Path) -> str:
    """The metadata of a wheel: what a package index shows."""
    with zipfile.ZipFile(wheel) as opened:
        return opened.read(f"catalog_sync-{__version__}.dist-info/METADATA").decode()


def files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_is_the_two_packages_and_the_migrations(wheel: Path) -> None:
    packages = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in files(ROOT / package)}
    alembic = ROOT / "alembic"
    migrations = {f"models_db/_migrations/{path.relative_to(alembic).as_posix()}" for path in files(alembic)}

    assert listing(wheel) == packages | migrations


def test_the_packages_hold_code_and_known_kinds_of_data_only() -> None:
    stray = [path for package in PACKAGES for path in files(ROOT / package) if path.suffix not in SHIPPED_KINDS]

    assert stray == []


def test_the_alembic_folder_holds_scripts_only() -> None:
    """The folder is packaged whole, whatever .gitignore says, so a scratch file would be packaged too."""
    alembic = ROOT / "alembic"
    found = {path.relative_to(alembic).as_posix() for path in files(alembic)}
    versions = {name for name in found if name.startswith("versions/") and name.endswith(".py")}

    assert versions
    assert found - versions == {"env.py", "script.py.mako"}


def test_the_alembic_folder_is_not_a_package() -> None:
    """As a package it would hide the installed alembic from every program that runs in the project folder."""
    assert list((ROOT / "alembic").rglob("__init__.py")) == []


def test_the_source_archive_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    archive = build("sdist", ROOT, tmp_path / "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    unpacked = tmp_path / f"catalog_sync-{__version__}"

    assert listing(build("wheel", unpacked, tmp_path / "again")) == listing(wheel)


def test_the_wheel_names_its_command_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        metadata = f"catalog_sync-{__version__}.dist-info"
        commands = opened.read(f"{metadata}/entry_points.txt").decode()
        licence = opened.read(f"{metadata}/licenses/LICENSE").decode()

    assert "catalog-sync = sync.cli:main" in commands
    assert licence == (ROOT / "LICENSE").read_text()


def test_both_packages_are_marked_as_typed(wheel: Path) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= listing(wheel)


def test_the_page_on_an_index_has_no_link_that_works_in_the_repository_only(wheel: Path) -> None:
    text = index_page(wheel)

    assert "# catalog-sync" in text
    assert RELATIVE_LINK.findall(text) == []


def test_with_the_address_filled_in_links_and_urls_lead_to_the_files_of_the_version(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".*", "tests", "__pycache__", "*.db", "*.sqlite*"))
    project = source / "pyproject.toml"
    address = "https://git.example.com/owner/catalog-sync"
    project.write_text(project.read_text().replace('repository = ""', f'repository = "{address}/"'))
    text = index_page(build("wheel", source, tmp_path / "wheel"))

    assert RELATIVE_LINK.findall(text) == []
    assert f"]({address}/blob/v{__version__}/docs/operations.md#sqlite)" in text
    assert f'<img src="{address}/raw/v{__version__}/docs/pictures/terminal.svg" alt=' in text
    assert f"Project-URL: Changelog, {address}/blob/v{__version__}/CHANGELOG.md" in text
    assert f"Project-URL: Homepage, {address}\n" in text


def test_the_container_is_built_from_what_dockerignore_lets_through(wheel: Path, tmp_path: Path) -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copies = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    source = tmp_path / "source"
    source.mkdir()
    for path in (ROOT / name for name in allowed):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, source / path.name)

    assert "*" in lines
    assert allowed == {name for names in copies for name in names.split()}
    assert listing(build("wheel", source, tmp_path / "wheel")) == listing(wheel)
