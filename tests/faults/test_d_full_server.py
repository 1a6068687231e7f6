"""Fault D6: the disk of a database server fills up during a run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models_db.migrate import upgrade
from tests.cli.conftest import Shell
from tests.faults.conftest import on_servers
from tests.support.api_catalogs import model
from tests.support.commands import error_line
from tests.support.own_database_server import Server
from tests.support.synced_database import LISTED, SyncedDatabase, image


def noise(seed: int) -> str:
    """A text that a database cannot compress."""
    return random.Random(seed).randbytes(1500).hex()


MANY = [model(f"acme/many-{number}", number, description=noise(number)) for number in range(1500)]

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])
DISK_MEGABYTES = {"postgresql": 15, "mariadb": 9}  # an empty database takes half of it
OTHER_BYTES = 1024 * 1024  # of another file, which is deleted when the disk is full


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "none", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def create_database_on(disk: Path, server: Server) -> str:
    """Creates a database whose tables are on that disk; its name."""
    if user := server.user():
        shutil.chown(disk, user)
    if server.url.get_backend_name() == "postgresql":
        server.execute(f"CREATE TABLESPACE small LOCATION '{disk}'", "CREATE DATABASE on_small TABLESPACE small")
    else:
        server.execute("CREATE DATABASE on_small")
        # MariaDB has no tablespace for a whole database, so its folder becomes a link to the disk.
        (server.folder / "data/on_small/db.opt").unlink()
        (server.folder / "data/on_small").rmdir()
        (disk / "tables").mkdir()
        (server.folder / "data/on_small").symlink_to(disk / "tables")
    return "on_small"


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="a small disk can be mounted by root on Linux alone"
)
@on_servers
def test_d6_a_full_disk_of_a_server_is_exit_6_and_nothing_changes(
    shell: Shell, own_server: Server, tmp_path: Path
) -> None:
    with small_disk(Path(f"{own_server.folder}-disk"), DISK_MEGABYTES[own_server.url.get_backend_name()]) as disk:
        url = own_server.url.set(database=create_database_on(disk, own_server))
        upgrade(url)
        synced = SyncedDatabase(shell, url.render_as_string(hide_password=False), tmp_path)
        before = synced.catalog()
        (disk / "others").write_bytes(bytes(OTHER_BYTES))
        line = error_line(synced.sync(image=image([*LISTED, *MANY])), 6)
        assert line.startswith("catalog-sync: the database failed: ")
        synced.require_unchanged(before)
        (disk / "others").unlink()  # the rows of the failed run fill the disk until the server removes them
        synced.succeeds(image=RAISED)
        shell.set(DATABASE_URL=None)
        forced = " WITH (FORCE)" if url.get_backend_name() == "postgresql" else ""
        own_server.execute(f"DROP DATABASE on_small{forced}")
        if forced:
            own_server.execute("DROP TABLESPACE small")
