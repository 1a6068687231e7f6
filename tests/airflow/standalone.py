"""A real Airflow on SQLite: started, watched through its metadata database, and stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import requests

from tests.airflow.scenarios import Scenario

ROOT = Path(__file__).resolve().parents[2]
DAG_FILES = ROOT / "deploy" / "airflow"
_START_SECONDS = 180
FINAL = ("success", "failed", "skipped", "upstream_failed", "removed")


class Standalone:
    """The scheduler, the API server and the parser of DAGs in a folder, with their output in ``log``."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs = folder, programs
        self.log = folder / "standalone.log"
        self._database = folder / "airflow.db"
        self._port = _free_port()
        (folder / "dags").mkdir()

    def add(self, scenario: Scenario) -> None:
        """A copy of the DAG for the scenario, which runs once and is retried after seconds."""
        values = {
            "PYTHON": repr(scenario.python),
            "CONNECTION": repr(scenario.name),
            "ARGUMENTS": repr(tuple(scenario.arguments)),
            "SCHEDULE": '"@once"',
            "TICK": repr(scenario.tick),
            "RETRIES": "1",
            "RETRY_DELAY": "timedelta(seconds=5)",
            "EXECUTION_TIMEOUT": f"timedelta(seconds={scenario.timeout_seconds})",
        }
        text = (DAG_FILES / scenario.file).read_text("utf-8")
        for name, value in values.items():
            text = _with_constant(text, name, value)
        text = text.replace(f'dag_id="{Path(scenario.file).stem.removesuffix("_dag")}"', f'dag_id="{scenario.name}"')
        (self.folder / "dags" / f"{scenario.name}.py").write_text(text, "utf-8")

    @contextmanager
    def running(self, scenarios: Sequence[Scenario]) -> Iterator[None]:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [self.programs / "airflow", "standalone"],
                env=self._environment(scenarios),
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                self._wait_for_the_api()
                yield
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def _wait_for_the_api(self) -> None:
        """Returns when the API server responds: the tries of tasks that start before fail without having run."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with suppress(requests.ConnectionError):
                requests.get(f"http://127.0.0.1:{self._port}/api/v2/monitor/health", timeout=10).raise_for_status()
                return
            time.sleep(0.5)
        raise TimeoutError(f"Airflow did not start within {_START_SECONDS} s; see {self.log}")

    def finished(self, dag_ids: Sequence[str], within: float) -> dict[str, list[str]]:
        """The last state that each try of each DAG's task had, once all tasks have ended."""
        seen: dict[str, dict[int, str]] = {dag_id: {} for dag_id in dag_ids}
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for dag_id, number, state in self._states():
                seen[dag_id][number] = state
            if all(tries and [*tries.values()][-1] in FINAL for tries in seen.values()):
                return {dag_id: list(tries.values()) for dag_id, tries in seen.items()}
            time.sleep(0.3)  # a try that is over stays so for the seconds before the retry
        raise TimeoutError(f"after {within:.0f} s not all tasks have ended: {seen}; see {self.log}")

    def _states(self) -> list[tuple[str, int, str]]:
        """DAG, number of the try, and the state of its task now, as in the metadata database."""
        try:
            with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
                return connection.execute(
                    "SELECT dag_id, try_number, coalesce(state, 'none') FROM task_instance WHERE try_number > 0"
                ).fetchall()
        except sqlite3.OperationalError:  # not made yet, or locked
            return []

    def task_logs(self, dag_id: str) -> list[str]:
        """The log of each try."""
        return [path.read_text("utf-8") for path in sorted(self.folder.glob(f"logs/dag_id={dag_id}/**/attempt=*.log"))]

    def pushed_run(self, dag_id: str) -> dict[str, object] | None:
        """What the task pushed to XCom under ``run``."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as connection:
            found = connection.execute(
                "SELECT value FROM xcom WHERE dag_id = ? AND key IN ('run', 'return_value')", [dag_id]
            ).fetchone()
        if found is None:
            return None
        value = json.loads(found[0])
        run: dict[str, object] = json.loads(value) if isinstance(value, str) else value
        return run

    def _environment(self, scenarios: Sequence[Scenario]) -> Mapping[str, str]:
        return {
            "PATH": f"{self.programs}:{os.defpath}",
            "HOME": str(self.folder),
            "AIRFLOW_HOME": str(self.folder),
            "AIRFLOW__API__PORT": str(self._port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self._port}/execution/",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(_free_port()),
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(_free_port()),
            **{f"AIRFLOW_CONN_{each.name.upper()}": _connection(each) for each in scenarios},
        }


def _connection(scenario: Scenario) -> str:
    settings = {name.lower(): value for name, value in scenario.settings.items()}
    key = settings.pop("api_key", None)
    return json.dumps({"conn_type": "generic", "password": key, "extra": settings})


def _with_constant(text: str, name: str, value: str) -> str:
    """The text of a DAG with another value of a constant at its top, if it has that constant."""
    return re.sub(rf"^{name} = .*$", lambda _: f"{name} = {value}", text, count=1, flags=re.MULTILINE)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
