"""An Airflow 3 DAG that brings the model catalog up to date. docs/airflow.md says how to install it.

catalog-sync runs as a process in an environment of its own, and only its exit code decides how the task ends. Whether
a failure is retried is what the table of outcomes of that catalog-sync says; this file has no table.

| outcome | the task |
| --- | --- |
| done | succeeds |
| superseded, or another host has this tick | is skipped: `AirflowSkipException` |
| a failure that trying again may help against | fails and is retried: `AirflowException` |
| any other | fails for good: `AirflowFailException` |
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, BaseOperator, Connection
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)
from airflow.sdk.log import mask_secret

PYTHON = "/opt/catalog-sync/bin/python"
"""The Python of the environment in which catalog-sync is installed. It needs no Airflow."""
CONNECTION = "catalog_sync"
"""Its password is the API key, its extra has other settings. The environment of the worker may have them, too."""
ARGUMENTS = ("sync", "--migrate", "--json")
SCHEDULE = "*/15 * * * *"
TICK = ""
"""The span of the schedule, such as 15m, if other hosts sync the same catalog: one of them syncs each tick."""
RETRIES = 3
RETRY_DELAY = timedelta(minutes=1)  # then 2 and 4 minutes: the last retry begins before the next scheduled run
EXECUTION_TIMEOUT = timedelta(minutes=10)  # a sync ends sooner by its own deadlines

_PREFIX = "CATALOG_SYNC_"
_GRACE_SECONDS = 10.0  # in which catalog-sync ends after SIGTERM
_TABLE_OF_OUTCOMES = (
    "import json; from sync.errors import Outcome;"
    " print(json.dumps({int(each): [each.label, each.retry_helps] for each in Outcome}))"
)
_COUNTS = ("models_received", "models_rejected", "models_added", "models_changed", "models_removed", "removals_held")

Outcomes = Mapping[int, tuple[str, bool]]
"""By exit code: the name of the outcome, and whether trying again may help."""


class CatalogSyncOperator(BaseOperator):
    """Runs one command of catalog-sync.

    What it prints as JSON is pushed to XCom under the key ``run``, without the single changes, also when the task
    fails. The API key and the database URL are in the environment of the process alone.
    """

    template_fields: Sequence[str] = ("arguments",)

    def __init__(
        self, *, python: str, arguments: Sequence[str], connection: str, tick: str = "", **options: Any
    ) -> None:
        super().__init__(**options)
        self.python = python
        self.arguments = list(arguments)
        self.connection = connection
        self.tick = tick
        self._process: subprocess.Popen[str] | None = None

    def execute(self, context: Mapping[str, Any]) -> None:
        settings = connection_settings(self.connection)
        # A run that failed keeps its tick, and its retry would be taken for that of another host.
        tick = ["--tick", self.tick] if self.tick and context["ti"].try_number == 1 else []
        command = [self.python, "-I", "-m", "sync", *self.arguments, *tick]
        code, printed, errors = self._finished(command, process_environment(os.environ, settings))
        document = parsed(printed)
        if "run_id" in document:
            self.log.info("%s", run_line(document))
            context["ti"].xcom_push(key="run", value=summary(document))
        elif printed:
            self.log.info("%s", printed.rstrip())
        if document.get("status") == "skipped":
            raise AirflowSkipException("another host syncs this tick")
        if code:
            raise error_of(code, errors.strip(), self.outcomes())

    def on_kill(self) -> None:
        """Asks the process to end; it then stores its run or nothing of it."""
        if self._process is not None:
            self._process.terminate()

    def _finished(self, command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of the command. However this ends, the process has ended."""
        with self._started(command, environment) as self._process:
            try:
                printed, errors = self._process.communicate()
            except BaseException:  # such as the execution timeout of Airflow
                self._process.terminate()
                try:
                    self._process.communicate(timeout=_GRACE_SECONDS)
                finally:
                    self._process.kill()
                raise
            return self._process.returncode, printed, errors

    def _started(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise AirflowFailException(
                f"{self.python} cannot be started: {error.strerror}; install catalog-sync there, or change PYTHON"
            ) from error
        except ValueError as error:  # such as a NUL in a setting
            raise AirflowFailException(
                f"{self.python} cannot be started: {error}; correct the settings in the connection {self.connection}"
            ) from error

    def outcomes(self) -> Outcomes:
        """The table of outcomes of the catalog-sync that runs; empty if there is none."""
        found = subprocess.run(
            [self.python, "-I", "-c", _TABLE_OF_OUTCOMES], capture_output=True, text=True, check=False
        )
        return {int(code): (label, helps) for code, (label, helps) in parsed(found.stdout).items()}


def connection_settings(name: str) -> dict[str, str]:
    """The settings of catalog-sync that an Airflow connection holds; none if there is no such connection."""
    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        return {}
    extra = connection.extra or ""
    settings = parsed(extra)
    if not settings and extra.strip("{} \r\n\t"):
        raise AirflowFailException(f"the extra of the connection {name} is not a JSON object with settings; correct it")
    if connection.password:
        settings["api_key"] = connection.password
    given = {_PREFIX + key.upper(): str(value) for key, value in settings.items() if value is not None}
    for key in ("API_KEY", "DATABASE_URL"):
        if secret := given.get(_PREFIX + key):
            mask_secret(secret)
    return given


def process_environment(worker: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """What the process gets: the environment of the worker without that of Airflow, which has its secrets."""
    return {name: value for name, value in worker.items() if not name.startswith("AIRFLOW")} | dict(settings)


def error_of(code: int, line: str, outcomes: Outcomes) -> AirflowException:
    """What the task raises for a command that ended with this exit code and this line on stderr."""
    if code < 0:  # killed, as without memory: nothing of the run is stored
        return AirflowException(f"catalog-sync was killed by signal {-code}; {line}")
    if code not in outcomes:
        return AirflowFailException(f"{line} (exit code {code}, which is none of catalog-sync)")
    label, retry_helps = outcomes[code]
    text = f"{line} (exit code {code}, {label})"
    if label == "superseded":
        return AirflowSkipException(text)
    return AirflowException(text) if retry_helps else AirflowFailException(text)


def parsed(printed: str) -> dict[str, Any]:
    """The JSON object that was printed; empty if it is none."""
    try:
        value = json.loads(printed)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of ``sync --json`` without the single changes and ids, of which a first run has thousands."""
    modes = [
        {key: value for key, value in mode.items() if key not in {"changes", "held_ids"}}
        for mode in document.get("modes", [])
    ]
    return {**document, "modes": modes} if modes else dict(document)


def run_line(document: Mapping[str, Any]) -> str:
    """A run as one line: its number, the counts of each mode that are not 0, and its checkpoint."""
    parts = [f"run {document.get('run_id')} {document.get('status')}"]
    for mode in document.get("modes", []):
        counts = [f"{mode[key]} {key.removeprefix('models_').replace('_', ' ')}" for key in _COUNTS if mode.get(key)]
        parts.append(", ".join([f"{mode['mode']} {mode['status']}", *counts]))
    if checkpoint := document.get("checkpoint"):
        parts.append("checkpoint catalog-sync/{catalog_id} {tree_size} {root}".format(**checkpoint))
    return "; ".join([*parts, *(f"note: {note}" for note in document.get("notes", []))])


with DAG(
    dag_id="catalog_sync",
    description="Keeps the model catalog and its prices in a database, with every change on record",
    doc_md=__doc__,
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,  # only what the API sends now can be stored
    max_active_runs=1,
    tags=["catalog-sync"],
) as dag:
    CatalogSyncOperator(
        task_id="sync",
        python=PYTHON,
        arguments=ARGUMENTS,
        connection=CONNECTION,
        tick=TICK,
        retries=RETRIES,
        retry_delay=RETRY_DELAY,
        retry_exponential_backoff=2.0,
        execution_timeout=EXECUTION_TIMEOUT,
    )
