"""Fault G16: no command but ``migrate`` makes a catalog, so that an unmounted volume begins no new history."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from models_db import migrate
from sync.store.database import Database
from tests.cli.conftest import Shell
from tests.models_db.migrated_schema import tables_and_views
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, numbered_models
from tests.support.commands import ROOT, error_line, output
from tests.support.database_contents import query_rows

OLDER = "0002"
UPGRADING = (["sync", "--migrate"], ["sync", "--migrate", "--quiet"], ["schedule", "--every", "1h", "--migrate"])


@pytest.mark.parametrize("command", UPGRADING, ids=" ".join)
def test_g16_a_command_with_migrate_makes_no_catalog(shell: Shell, database_url: str, command: list[str]) -> None:
    shell.set(DATABASE_URL=database_url, BASE_URL="http://127.0.0.1:9/api")

    assert "run catalog-sync migrate once to make one" in error_line(shell(*command), 2)

    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        assert not Path(url.database or "").exists()
    else:
        assert tables_and_views(database_url) == set()


@pytest.mark.parametrize("command", UPGRADING, ids=" ".join)
def test_g16_the_default_database_is_not_made_either(shell: Shell, tmp_path: Path, command: list[str]) -> None:
    shell.set(BASE_URL="http://127.0.0.1:9/api")

    assert "run catalog-sync migrate once to make one" in error_line(shell(*command), 2)

    assert list(tmp_path.iterdir()) == []


def test_g16_an_empty_file_is_no_catalog(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "catalog.db").touch()
    shell.set(DATABASE_URL=f"sqlite:///{tmp_path}/catalog.db", BASE_URL="http://127.0.0.1:9/api")

    for command in (["sync"], *UPGRADING, ["status"]):
        assert f"there is no catalog in sqlite:///{tmp_path}/catalog.db" in error_line(shell(*command), 2)

    assert (tmp_path / "catalog.db").stat().st_size == 0


def test_g16_sync_with_migrate_upgrades_a_catalog_that_is_there(shell: Shell, database_url: str) -> None:
    migrate.upgrade(database_url, OLDER)
    shell.set(DATABASE_URL=database_url)
    with emulator([catalog(*numbered_models(3))]) as api:
        output(shell("sync", "--migrate", "--base-url", api.base_url))

    assert query_rows(database_url, "SELECT status FROM sync_runs") == [("success",)]
    output(shell("migrate", "--check"))


def test_g16_migrate_says_whether_it_made_or_upgraded_a_catalog(shell: Shell, database_url: str) -> None:
    shell.set(DATABASE_URL=database_url)
    name, head = Database(database_url).masked_url, migrate.HEAD

    made = output(shell("migrate"))
    ((catalog_id,),) = query_rows(database_url, "SELECT catalog_id FROM catalog_identity")
    assert made == f"made a new catalog in {name}: revision {head}, id {catalog_id}\n"
    assert output(shell("migrate")) == f"{name} is at revision {head}; there was nothing to upgrade\n"

    migrate.downgrade(database_url, OLDER)
    assert output(shell("migrate")) == f"upgraded {name}: revision {OLDER} -> {head}\n"


def test_g16_every_shipped_schedule_only_upgrades_and_names_the_catalog_as_an_option() -> None:
    for page in ("deploy/crontab.example", "deploy/catalog-sync.service", "deploy/Dockerfile", "README.md"):
        text = (ROOT / page).read_text()
        assert "catalog-sync migrate" in text, page
        assert "CATALOG_SYNC_CATALOG_ID" in text, page
