"""The hint for a missing driver is the command of the tool that made the environment."""

from __future__ import annotations

import json
import shlex
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from models_db.engine import drivers
from models_db.engine.drivers import install_command
from models_db.errors import DatabaseSettingError

FOLDER = json.dumps({"url": "file:///source", "dir_info": {}})
GIT = json.dumps({"url": "https://example.com/c.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}})


class Installed:
    def __init__(self, origin: str | None) -> None:
        self.origin = origin

    def read_text(self, _name: str) -> str | None:
        return self.origin


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an environment, as venv makes it, with the project from an index."""
    folder = tmp_path / "catalog-sync"
    folder.mkdir()
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11\n")
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setattr(sys, "executable", f"{folder}/bin/python")
    monkeypatch.setattr(drivers, "distribution", lambda _name: Installed(None))
    return folder


def test_pip_of_the_environment_adds_the_extra(prefix: Path) -> None:
    assert install_command("postgres") == f"{prefix}/bin/python -m pip install 'catalog-sync[postgres]'"


def test_a_folder_with_a_blank_is_quoted(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/a b/python")

    assert shlex.split(install_command("mariadb")) == ["/a b/python", "-m", "pip", "install", "catalog-sync[mariadb]"]


def test_pipx_injects_the_driver_into_its_environment(prefix: Path) -> None:
    (prefix / "pipx_metadata.json").write_text("{}")

    assert install_command("postgres") == "pipx inject catalog-sync 'psycopg[binary]>=3.2'"
    assert install_command("mariadb") == "pipx inject catalog-sync 'pymysql>=1.1'"


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        (None, "catalog-sync[postgres]"),
        (FOLDER, "catalog-sync[postgres] @ file:///source"),
        (GIT, "catalog-sync[postgres] @ git+https://example.com/c.git@abc"),
    ],
)
def test_a_tool_of_uv_is_installed_again_from_where_it_came(
    prefix: Path, monkeypatch: pytest.MonkeyPatch, origin: str | None, named: str
) -> None:
    (prefix / "uv-receipt.toml").write_text("")
    (prefix / "pyvenv.cfg").write_text("uv = 0.8.0\n")
    monkeypatch.setattr(drivers, "distribution", lambda _name: Installed(origin))

    assert shlex.split(install_command("postgres")) == ["uv", "tool", "install", named]


def test_an_environment_of_uv_has_no_pip(prefix: Path) -> None:
    (prefix / "pyvenv.cfg").write_text("home = /usr/bin\nuv = 0.8.0\n")

    expected = f"uv pip install --python {prefix}/bin/python 'catalog-sync[postgres]'"
    assert install_command("postgres") == expected


def test_a_checkout_that_is_not_installed_gets_the_driver_alone(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(drivers, "distribution", missing)
    (prefix / "pyvenv.cfg").unlink()

    assert install_command("mariadb") == f"{prefix}/bin/python -m pip install 'pymysql>=1.1'"


def test_the_requirements_of_the_hints_are_those_of_the_extras() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    assert {extra: [requirement] for extra, requirement in drivers._REQUIREMENTS.items()} == {
        extra: extras[extra] for extra in drivers._REQUIREMENTS
    }


def test_a_missing_driver_names_module_extra_and_command(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(DatabaseSettingError, match=r"psycopg is not installed; install the extra postgres: .*postgres"):
        drivers.require_driver("psycopg", "postgres")
