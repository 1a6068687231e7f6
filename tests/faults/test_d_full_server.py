"""D6: the disk of a database server fills up in the middle of a run."""

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
    """A text that no database makes shorter."""
    return random.Random(seed).randbytes(1500).hex()


MANY = [model(f"acme/many-{number}", number, description=noise(number)) for number in range(1500)]

RAISED = image([model("acme/image-0", 77), *LISTED[1:]])
SMALL = {"postgresql": 15, "mariadb": 9}  # megabytes: an empty database takes half of it
OTHERS = 1024 * 1024  # bytes of somebody else's, which are deleted when the disk has filled up


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, of this size."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=777", "none", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def put_on(disk: Path, server: Server) -> str:
    """A database whose tables lie on that disk; its name."""
    if user := server.user():
        shutil.chown(disk, user)
    if server.url.get_backend_name() == "postgresql":
        server.execute(f"CREATE TABLESPACE small LOCATION '{disk}'", "CREATE DATABASE on_small TABLESPACE small")
    else:
        server.execute("CREATE DATABASE on_small")
        (server.folder / "data/on_small/db.opt").unlink()
        (server.folder / "data/on_small").rmdir()
        (disk / "tables").mkdir()
        (server.folder / "data/on_small").symlink_to(disk / "tables")
    return "on_small"


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="a small disk can be mounted by root on Linux alone"
)
@on_servers
def test_d6_a_full_disk_of_a_server_is_exit_6_and_changes_nothing(
    shell: Shell, own_server: Server, tmp_path: Path
) -> None:
    with small_disk(Path(f"{own_server.folder}-disk"), SMALL[own_server.url.get_backend_name()]) as disk:
        url = own_server.url.set(database=put_on(disk, own_server))
        upgrade(url)
        synced = SyncedDatabase(shell, url.render_as_string(hide_password=False), tmp_path)
        before = synced.catalog()
        (disk / "others").write_bytes(bytes(OTHERS))
        line = error_line(synced.sync(image=image([*LISTED, *MANY])), 6)
        assert line.startswith("catalog-sync: the database failed: ")
        synced.require_unchanged(before)
        (disk / "others").unlink()  # the rows that were taken back fill the disk until the server cleans up
        synced.succeeds(image=RAISED)
        shell.set(DATABASE_URL=None)
        forced = " WITH (FORCE)" if url.get_backend_name() == "postgresql" else ""
        own_server.execute(f"DROP DATABASE on_small{forced}")
        if forced:
            own_server.execute("DROP TABLESPACE small")
