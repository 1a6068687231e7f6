"""The floor: the least that a process could do for the same work. Imports nothing of ours.

    python baseline.py read URL BASE_URL
    python baseline.py write URL BASE_URL FOLDER

Both import what the job imports, read the same bodies over HTTP and hash them. ``read`` then reads the
fingerprint of every listed model; ``write`` writes the rows that the job stored, dumped beforehand into
FOLDER, in one transaction: by COPY on PostgreSQL, by executemany elsewhere. Loading the dump is not
counted: the time it took is printed.
"""

from __future__ import annotations

import hashlib
import importlib
import marshal
import sys
import time
from pathlib import Path
from typing import Any

import click  # noqa: F401 - the job imports it, so the floor does
import requests
import sqlalchemy

_DRIVERS = {"sqlite": "sqlite3", "postgresql": "psycopg", "mariadb": "pymysql"}
_FINGERPRINTS = "SELECT model_id, fingerprint FROM models WHERE removed_at IS NULL"


def fetch(base_url: str) -> None:
    for mode in ("image", "video"):
        body = requests.get(f"{base_url}/studio/models", params={"mode": mode}, timeout=60).content
        hashlib.sha256(body).hexdigest()


def read(engine: sqlalchemy.Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(_FINGERPRINTS).fetchall()


def write(engine: sqlalchemy.Engine, folder: Path) -> None:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "postgresql":
            _copy(driver, folder)
            return
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA foreign_keys = ON")  # as the job has it: the references are checked
        _insert(driver, folder)


def _copy(driver: Any, folder: Path) -> None:
    with driver.cursor() as cursor:
        for statement, blocks in _dumped(folder):
            with cursor.copy(statement) as copy:
                for block in blocks:
                    copy.write(block)
    driver.commit()


def _insert(driver: Any, folder: Path) -> None:
    cursor = driver.cursor()
    for statement, rows in _dumped(folder):
        cursor.executemany(statement, rows)
    driver.commit()


def _dumped(folder: Path) -> Any:
    for path in sorted(folder.iterdir()):
        begun = time.process_time()
        statement, rows = marshal.loads(path.read_bytes())  # noqa: S302 - our own file of this very bench
        print(f"uncounted {time.process_time() - begun}", flush=True)
        yield statement, rows


def main(what: str, url: str, base_url: str, folder: str = "") -> None:
    importlib.import_module(_DRIVERS[sqlalchemy.make_url(url).get_backend_name()])
    fetch(base_url)
    engine = sqlalchemy.create_engine(url)
    if what == "read":
        read(engine)
    else:
        write(engine, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
