"""The same sync as a call, for an Airflow whose own environment has catalog-sync. docs/airflow.md compares the two."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, Connection, task
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

CONNECTION = "catalog_sync"
"""Its password is the API key, its extra has the database URL, and the base URL if it is another one."""
SCHEDULE = "*/15 * * * *"
RETRIES = 3
RETRY_DELAY = timedelta(minutes=1)  # then 2 and 4 minutes: the last retry begins before the next scheduled run
EXECUTION_TIMEOUT = timedelta(minutes=10)

with DAG(
    dag_id="catalog_sync_library",
    description="Keeps the model catalog and its prices in a database, with every change on record",
    doc_md=__doc__,
    schedule=SCHEDULE,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["catalog-sync"],
) as dag:

    @task(
        retries=RETRIES,
        retry_delay=RETRY_DELAY,
        retry_exponential_backoff=2.0,
        execution_timeout=EXECUTION_TIMEOUT,
    )
    def sync() -> dict[str, Any]:
        """One sync; the result goes to XCom without the single changes."""
        from sync.api import Outcome, sync_once

        try:
            connection = Connection.get(CONNECTION)
        except AirflowNotFoundException as error:
            raise AirflowFailException(f"there is no connection {CONNECTION}; add it") from error
        settings = connection.extra_dejson
        if not isinstance(settings, dict) or not isinstance(settings.get("database_url"), str):
            raise AirflowFailException(f"the extra of the connection {CONNECTION} names no database_url; add it")
        result = sync_once(
            settings["database_url"],
            api_key=connection.password,
            base_url=settings.get("base_url"),
            trigger="schedule",
        )
        logging.getLogger("airflow.task").info(result.line)
        if result.ok:
            return {key: value for key, value in result.as_dict().items() if key != "changes"}
        line = f"{result.error} (exit code {int(result.outcome)}, {result.outcome.label})"
        if result.outcome is Outcome.SUPERSEDED:
            raise AirflowSkipException(line)
        raise (AirflowException if result.outcome.retry_helps else AirflowFailException)(line)

    sync()
