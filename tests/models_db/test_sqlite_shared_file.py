"""Several engines of one process on one SQLite file do not take away each other's locks."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import make_url

from models_db.engine import open_engine

_OPEN_AND_CLOSE = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM seals').fetchall(); c.close()"
)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_second_engine_costs_the_first_nothing(migrated_url: str) -> None:
    url, path = migrated_url, make_url(migrated_url).database
    first = open_engine(url)
    with first.begin() as connection:
        connection.exec_driver_sql("UPDATE catalog_identity SET created_by_version = 'before'")
    second = open_engine(url)  # its connection is closed again, as by a thread that reads beside a run
    with second.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM seals")
    second.dispose()
    open_engine(url).dispose()
    # The last connection to leave deletes the log; this one is not the last.
    subprocess.run([sys.executable, "-c", _OPEN_AND_CLOSE, str(path)], check=True)
    with first.begin() as connection:
        connection.exec_driver_sql("UPDATE catalog_identity SET created_by_version = 'after'")
    third = open_engine(url)
    with third.connect() as connection:
        found = connection.exec_driver_sql("SELECT created_by_version FROM catalog_identity").scalar()
    third.dispose()
    first.dispose()

    assert found == "after"
