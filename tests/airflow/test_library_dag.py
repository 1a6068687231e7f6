"""The DAG that calls ``sync.api``, with stand-ins for Airflow. ``make airflow-check`` runs it in a real one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sync.source.emulator.server import EXPIRED_KEY
from tests.airflow.api_servers import emulator, listed, overtaken, server
from tests.support.airflow_stand_ins import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    Connection,
    loaded,
)
from tests.support.commands import ROOT, environment, output, run_process

KEY = "gva_live_made-up.0123456789"


@pytest.fixture
def module() -> Iterator[ModuleType]:
    with loaded(ROOT / "deploy" / "airflow" / "catalog_sync_library_dag.py") as found:
        yield found


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    output(run_process("migrate", environ=environment(tmp_path, DATABASE_URL=url)))
    return url


def run_task(module: ModuleType, key: str, **settings: str) -> Any:
    Connection.stored["catalog_sync"] = Connection(key, json.dumps(settings))
    (task,) = module.dag.tasks
    return task.function()


def test_a_sync_returns_its_result_without_the_changes(module: ModuleType, database_url: str) -> None:
    with emulator(listed(2)) as api:
        result = run_task(module, KEY, database_url=database_url, base_url=api.base_url)

    assert result["outcome"] == "done"
    assert result["checkpoint"].splitlines()[1] == "1"
    assert "changes" not in result


def test_a_refused_key_fails_for_good(module: ModuleType, database_url: str) -> None:
    with emulator() as api, pytest.raises(AirflowFailException, match=r"401 .*exit code 3, refused"):
        run_task(module, EXPIRED_KEY, database_url=database_url, base_url=api.base_url)


@pytest.mark.parametrize("extra", [None, "", "[]", "none", '{"database_url": 3}'])
def test_a_connection_without_a_database_url_fails_for_good(module: ModuleType, extra: str | None) -> None:
    Connection.stored["catalog_sync"] = Connection(KEY, extra)
    with pytest.raises(AirflowFailException, match="names no database_url"):
        module.dag.tasks[0].function()


def test_without_the_connection_the_task_fails_for_good(module: ModuleType) -> None:
    with pytest.raises(AirflowFailException, match="there is no connection catalog_sync"):
        module.dag.tasks[0].function()


def test_what_may_help_is_tried_again(module: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no database")
    with emulator() as api, pytest.raises(AirflowException, match="exit code 6, database") as raised:
        run_task(module, KEY, database_url=f"sqlite:///{tmp_path}/file", base_url=api.base_url)

    assert type(raised.value) is AirflowException


def test_a_superseded_run_is_skipped(module: ModuleType, database_url: str, tmp_path: Path) -> None:
    settings = environment(tmp_path, DATABASE_URL=database_url, API_KEY=KEY)

    def another_run() -> None:
        output(run_process("sync", "--quiet", environ=settings))

    with server(overtaken(another_run)) as base_url:
        settings["CATALOG_SYNC_BASE_URL"] = base_url
        with pytest.raises(AirflowSkipException, match="exit code 8, superseded"):
            run_task(module, KEY, database_url=database_url, base_url=base_url)
