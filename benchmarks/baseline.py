"""The baseline: the least that a process could do for the same work. Imports nothing of this project.

    python baseline.py read URL BASE_URL
    python baseline.py write URL BASE_URL FOLDER

Both import what a sync imports, fetch the same bodies over HTTP and hash them. ``read`` then reads the
fingerprint of every listed model. ``write`` inserts the rows that ``baseline_rows`` saved in FOLDER, in one
transaction: by COPY on PostgreSQL, by executemany elsewhere. Loading these rows from their files is not
counted: the CPU that it took is printed.
"""

from __future__ import annotations

import hashlib
import importlib
import marshal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click  # noqa: F401 - a sync imports it
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
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA foreign_keys = ON")  # a sync has them checked too
        cursor = driver.cursor()
        for statement, rows in _saved(folder):
            if engine.dialect.name == "postgresql":
                with cursor.copy(statement) as copy:
                    for block in rows:
                        copy.write(block)
            else:
                cursor.executemany(statement, rows)
        driver.commit()


def _saved(folder: Path) -> Iterator[tuple[str, list[Any]]]:
    for path in sorted(folder.iterdir()):
        begin = time.process_time()
        statement, rows = marshal.loads(path.read_bytes())  # noqa: S302 - written by the same run of the bench
        print(f"uncounted {time.process_time() - begin}", flush=True)
        yield statement, rows


def main(work: str, url: str, base_url: str, folder: str = "") -> None:
    importlib.import_module(_DRIVERS[sqlalchemy.make_url(url).get_backend_name()])
    fetch(base_url)
    engine = sqlalchemy.create_engine(url)
    if work == "read":
        read(engine)
    else:
        write(engine, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
