"""The DAG of ``deploy/airflow`` with stand-ins for Airflow. ``make airflow-check`` runs it in a real one."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sync.errors import Outcome
from tests.airflow.api_servers import emulator, listed, server, silent
from tests.support.airflow_stand_ins import (
    DAG,
    MASKED,
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    Connection,
    TaskInstance,
    loaded,
)
from tests.support.commands import ROOT, environment, eventually, output, run_process

FILE = ROOT / "deploy" / "airflow" / "catalog_sync_dag.py"
KEY = "gva_live_made-up.0123456789"
TABLE = {int(each): (each.label, each.retry_helps) for each in Outcome}


@pytest.fixture
def module() -> Iterator[ModuleType]:
    with loaded(FILE) as found:
        yield found


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Those of a new catalog; the worker has none of its own."""
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    url = f"sqlite:///{tmp_path}/catalog.sqlite"
    output(run_process("migrate", environ=environment(tmp_path, DATABASE_URL=url)))
    return {"database_url": url}


def operator(module: ModuleType, *arguments: str, python: str = sys.executable) -> Any:
    return module.CatalogSyncOperator(
        task_id="sync", python=python, arguments=arguments or module.ARGUMENTS, connection="catalog_sync"
    )


def test_one_run_at_a_time_is_retried_with_growing_delays_and_nothing_is_caught_up(module: ModuleType) -> None:
    dag: DAG = module.dag
    (task,) = dag.tasks

    assert (dag.options["catchup"], dag.options["max_active_runs"]) == (False, 1)
    assert task.options["retries"] > 0
    assert task.options["retry_exponential_backoff"] == 2.0
    assert task.options["execution_timeout"] > timedelta(minutes=1)


def test_the_last_retry_begins_before_the_next_run(module: ModuleType) -> None:
    waits = [module.RETRY_DELAY * 2**number for number in range(module.RETRIES)]

    assert module.SCHEDULE == "*/15 * * * *"
    assert sum(waits, timedelta()) < timedelta(minutes=15)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each])
def test_a_task_is_retried_if_trying_again_helps_and_skipped_if_superseded(
    module: ModuleType, outcome: Outcome
) -> None:
    expected = AirflowException if outcome.retry_helps else AirflowFailException
    expected = AirflowSkipException if outcome is Outcome.SUPERSEDED else expected
    error = module.error_of(int(outcome), "the line", TABLE)

    assert type(error) is expected
    assert str(error) == f"the line (exit code {int(outcome)}, {outcome.label})"


@pytest.mark.parametrize(("code", "kind"), [(-9, AirflowException), (77, AirflowFailException)])
def test_a_killed_process_is_retried_and_an_unknown_exit_code_is_not(
    module: ModuleType, code: int, kind: type[Exception]
) -> None:
    assert type(module.error_of(code, "", TABLE)) is kind


def test_the_table_of_outcomes_is_that_of_the_installed_program(module: ModuleType) -> None:
    assert operator(module).outcomes() == TABLE


def test_a_run_is_a_line_in_the_log_and_its_summary_and_checkpoint_are_pushed(
    module: ModuleType, settings: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    task_instance = TaskInstance()
    with emulator(listed(2)) as api, caplog.at_level(logging.INFO, "airflow.task"):
        Connection.stored["catalog_sync"] = Connection(KEY, json.dumps(settings | {"base_url": api.base_url}))
        operator(module).execute({"ti": task_instance})
    run = task_instance.pushed["run"]

    assert run["exit_code"] == 0
    assert run["checkpoint"]["tree_size"] == 1
    assert [mode["models_added"] for mode in run["modes"]] == [2, 2]
    assert "changes" not in run["modes"][0]
    (line,) = caplog.messages
    assert line.startswith("run 1 success; image success, 2 received, 2 added; video success, 2 received, 2 added;")
    assert f"checkpoint catalog-sync/{run['checkpoint']['catalog_id']} 1 {run['checkpoint']['root']}" in line


def test_what_is_held_back_fails_for_good_and_is_pushed_too(module: ModuleType, settings: dict[str, str]) -> None:
    task_instance = TaskInstance()
    with emulator(listed(10), listed(5)) as api:
        Connection.stored["catalog_sync"] = Connection(KEY, json.dumps(settings | {"base_url": api.base_url}))
        operator(module).execute({"ti": TaskInstance()})
        api.step_to(1)
        with pytest.raises(AirflowFailException, match=r"--accept-removals .*exit code 7, held"):
            operator(module).execute({"ti": task_instance})

    assert task_instance.pushed["run"]["status"] == "held"


def test_without_a_connection_the_settings_are_those_of_the_worker(
    module: ModuleType, settings: dict[str, str]
) -> None:
    with pytest.raises(AirflowFailException, match=r"there is no API key; .*exit code 2, usage"):
        operator(module).execute({"ti": TaskInstance()})


def test_the_process_gets_no_secret_of_airflow_and_the_key_and_url_are_masked(module: ModuleType) -> None:
    Connection.stored["catalog_sync"] = Connection(
        KEY, '{"database_url": "postgresql://job:pw@db/catalog", "deadline": null}'
    )
    worker = {"PATH": "/bin", "AIRFLOW__CORE__FERNET_KEY": "f", "CATALOG_SYNC_BASE_URL": "https://api.example"}
    got = module.process_environment(worker, module.connection_settings("catalog_sync"))

    assert got == {
        "PATH": "/bin",
        "CATALOG_SYNC_API_KEY": KEY,
        "CATALOG_SYNC_BASE_URL": "https://api.example",
        "CATALOG_SYNC_DATABASE_URL": "postgresql://job:pw@db/catalog",
    }
    assert MASKED == [KEY, "postgresql://job:pw@db/catalog"]


@pytest.mark.parametrize(
    "extra", ["database_url=sqlite:///a", "[]", '"text"', '{"deadline": "\\u0000"}', '{"a=b\\u0000": 1}']
)
def test_an_extra_that_cannot_be_used_fails_for_good(module: ModuleType, extra: str) -> None:
    Connection.stored["catalog_sync"] = Connection(KEY, extra)
    with pytest.raises(AirflowFailException, match=r"connection catalog_sync"):
        operator(module).execute({"ti": TaskInstance()})


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/cat"])
def test_without_catalog_sync_the_task_fails_for_good(module: ModuleType, python: str) -> None:
    with pytest.raises(AirflowFailException):
        operator(module, python=python).execute({"ti": TaskInstance()})


def with_tick(module: ModuleType, folder: Path) -> Any:
    """An operator whose program prints its arguments, and says that the tick is another's if it shall claim one."""
    program = folder / "python"
    program.write_text(
        """#!/bin/sh\ncase "$*" in *--tick*) echo '{"run_id": null, "status": "skipped"}';; *) echo "$*";; esac\n"""
    )
    program.chmod(0o755)
    return module.CatalogSyncOperator(
        task_id="sync", python=str(program), arguments=["sync"], connection="catalog_sync", tick="15m"
    )


def test_a_tick_of_another_host_is_skipped(module: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(AirflowSkipException, match="another host"):
        with_tick(module, tmp_path).execute({"ti": TaskInstance()})


def test_a_retry_does_not_claim_the_tick_that_its_first_try_has(
    module: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "airflow.task"):
        with_tick(module, tmp_path).execute({"ti": TaskInstance(try_number=2)})

    assert caplog.messages == ["-I -m sync sync"]


def test_a_kill_of_the_task_ends_the_process_which_has_stored_nothing(
    module: ModuleType, settings: dict[str, str]
) -> None:
    requested, released = threading.Event(), threading.Event()
    answer = silent(released)

    def requested_and_silent(mode: str) -> Any:
        requested.set()
        return answer(mode)

    with server(requested_and_silent) as base_url:
        Connection.stored["catalog_sync"] = Connection(KEY, json.dumps(settings | {"base_url": base_url}))
        task = operator(module)
        killer = threading.Thread(target=lambda: (requested.wait(60), task.on_kill()))
        killer.start()
        with pytest.raises(AirflowException, match=r"exit code 143, terminated") as raised:
            task.execute({"ti": TaskInstance()})
        released.set()
        killer.join()

    assert type(raised.value) is AirflowException


class TimedOut(BaseException):
    """What Airflow raises in the task when its time is over."""


def test_the_execution_timeout_ends_the_process(module: ModuleType, tmp_path: Path) -> None:
    started, ended = tmp_path / "started", tmp_path / "ended"
    program = tmp_path / "python"
    program.write_text(
        f"#!/bin/sh\ntrap 'touch {ended}; exit 143' TERM\ntouch {started}\nwhile :; do sleep 0.05; done\n"
    )
    program.chmod(0o755)

    def over(*_: object) -> None:
        raise TimedOut

    def signal_once(file: Path) -> None:
        eventually(file.exists)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, over)
    try:
        clock = threading.Thread(target=signal_once, args=(started,))
        clock.start()
        with pytest.raises(TimedOut):
            operator(module, python=str(program)).execute({"ti": TaskInstance()})
        clock.join()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert ended.exists()
