"""docs/commands.md has a section for every command, and describes every key of each JSON document."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models_db.engine import open_engine
from models_db.migrate import upgrade
from sync.cli.commands import cli
from sync.cli.entry_point import run
from sync.source.emulator.server import Catalog, Emulator
from tests.support.docs_pages import blocks, headings, page, section, table_rows

COMMANDS = page("docs/commands.md")
WITH_JSON = ("sync", "import", "models", "changes", "show", "costs", "status", "verify", "prune", "ask", "notify")
TAKES = {
    "import": "responses.jsonl",
    "show": "b",
    "costs": "a",
    "prune": "--before=1d",
    "notify": "--notify-file=notify.toml",
}


def long_options(command: str) -> set[str]:
    return {flag for option in cli.commands[command].params for flag in option.opts if flag.startswith("--")}


def model(model_id: str, cost: object) -> bytes:
    return json.dumps(
        {
            "id": model_id,
            "mode": "image",
            "name": model_id,
            "credits": {"default_cost": cost, "per_second": 1},
            "params": {"size": ["1K"]},
            "inputs": {"required": ["prompt"]},
            "capabilities": {"edit": True},
        }
    ).encode()


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The paths of the keys of a document, such as ``modes[].changes[].field``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (path := f"{at}.{key}" if at else key)
            yield from paths(inner, path)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{at}[]")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The JSON document of each command. The run has a change, a note and an error, and verify has a finding."""
    folder = tmp_path_factory.mktemp("printed")
    upgrade(f"sqlite:///{folder / 'catalog.db'}")
    (folder / "responses.jsonl").write_text("")
    (folder / "notify.toml").write_text('[[destination]]\nname = "ops"\nurl = "json://localhost"\n')
    (folder / "notify.toml").chmod(0o600)
    catalogs = [Catalog((model("a", 3), model("b", 1))), Catalog((model("a", 1.5), model("b", "1")))]
    with Emulator(catalogs) as api, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("CATALOG_SYNC_DATABASE_URL", f"sqlite:///{folder / 'catalog.db'}")
        patch.setenv("CATALOG_SYNC_API_KEY", "gva_live_a.0000000000")
        patch.delenv("CATALOG_SYNC_API_KEY_FILE", raising=False)
        patch.setenv("CATALOG_SYNC_BASE_URL", api.base_url)
        document(folder, patch, "sync")
        with open_engine(f"sqlite:///{folder / 'catalog.db'}").begin() as connection:
            connection.exec_driver_sql("UPDATE credit_history SET default_cost = 9 WHERE closed_run_id IS NULL")
        yield {
            command: document(folder, patch, command, *([TAKES[command]] if command in TAKES else []))
            for command in WITH_JSON
        }


def document(folder: Path, patch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """The document that a command prints. Its exit code and error line are not checked here."""
    out = folder / "out"
    with out.open("w") as stdout, patch.context() as redirected:
        redirected.setattr("sys.stdout", stdout)
        run([*arguments, "--json"], os.environ)
    return json.loads(out.read_text())


def test_the_page_has_a_section_for_every_command() -> None:
    assert sorted(headings(COMMANDS)) == sorted(cli.commands)


def test_every_command_with_json_is_covered_here() -> None:
    able = {name for name in cli.commands if "--json" in long_options(name)}

    assert able == set(WITH_JSON)


@pytest.mark.parametrize("command", WITH_JSON)
def test_the_described_keys_are_the_printed_ones(command: str, printed: dict[str, Any]) -> None:
    described = [row[0] for row in table_rows(section(COMMANDS, f"### {command} --json"))]

    assert sorted(described) == sorted(set(paths(printed[command])))


@pytest.mark.parametrize("command", WITH_JSON)
def test_the_example_has_the_printed_keys(command: str, printed: dict[str, Any]) -> None:
    (example,) = blocks(section(COMMANDS, f"### {command} --json"), "json")

    assert set(paths(json.loads(example))) == set(paths(printed[command]))
