"""Connections to an SQLite file: checks of the file, its locks, and the limits of network drives."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from models_db.engine.timeouts import lock_seconds
from models_db.errors import DatabaseSettingError

# An execution option. A transaction with it takes the write lock when it begins. A transaction that
# reads first and writes later fails at once when another writer has committed in between.
WRITES = "catalog_sync_writes"

# Linux lists the mounted file systems here. On other systems network drives are not detected.
MOUNTS = Path("/proc/self/mounts")

# File systems that several hosts can mount at once. 9p and virtiofs are missing on purpose: containers
# use them for their local disk.
_NETWORK_KINDS = {
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "davfs", "vboxsf", "prl_fs", "vmhgfs"),
    *("ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "beegfs", "gpfs", "orangefs"),
}
# The same for FUSE: the part after the dot in fuse.sshfs.
_NETWORK_FUSE_PROGRAMS = {
    *("sshfs", "s3fs", "rclone", "gcsfuse", "blobfuse", "blobfuse2", "goofys", "mount-s3", "glusterfs", "ceph"),
    *("ceph-fuse", "curlftpfs", "davfs2", "smbnetfs", "vmhgfs-fuse", "moosefs", "mfs", "juicefs", "seaweedfs"),
}
_OCTAL = re.compile(r"\\([0-7]{3})")
_HEADER_BYTES, _READ_VERSION, _WAL = 100, 19, 2  # https://www.sqlite.org/fileformat.html, the database header


def make_engine(url: URL, *, create: bool, timeout: float | None, options: dict[str, Any]) -> Engine:
    """Return an engine; a ``timeout`` of None is for migrations, which must not enforce foreign keys."""
    path = Path(url.database or "")
    check_file(path, create=create)

    def connect() -> sqlite3.Connection:
        connection = open_file(path, create=create, lock_timeout=lock_seconds(timeout))
        connection.execute("PRAGMA synchronous = FULL")  # a committed run survives a power failure
        connection.execute(f"PRAGMA foreign_keys = {'OFF' if timeout is None else 'ON'}")
        return connection

    engine = create_engine(url, hide_parameters=True, creator=connect, **options)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def check_file(path: Path, *, create: bool) -> None:
    """Check that the file can be opened, before SQLite creates or damages anything.

    Raises ``DatabaseSettingError`` if the file or its folder is missing, if the path is something else
    than a file, and for a write-ahead log on a network drive.
    """
    is_file = _is_regular_file(path)
    # This line says nothing of the folder: migrate makes the folder of the default database and reports any other.
    if not create and not is_file:
        raise DatabaseSettingError(
            f"there is no database at {path}; run catalog-sync migrate once to make one, or correct the URL"
        )
    if not path.parent.is_dir():
        raise DatabaseSettingError(f"the folder of the database does not exist; make {path.parent}, or correct the URL")
    # The file is read only where it must be: closing it takes away the locks that this process has on it, those of
    # other connections included, and the next process to leave would delete a log that they still write to.
    if (kind := network_drive(path)) and _has_write_ahead_log(path):
        raise DatabaseSettingError(
            f"the database at {path} keeps a write-ahead log, which loses data on a network drive ({kind});"
            " move the file to a disk of this host, or use a database server"
        )


def open_file(path: Path, *, create: bool, lock_timeout: int) -> sqlite3.Connection:
    """Return a connection that waits ``lock_timeout`` seconds for a lock and begins no transaction by itself.

    A new file gets a write-ahead log, so that readers and the writer do not block each other. On a
    network drive a write-ahead log would lose data, and the file keeps SQLite's default.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'rwc' if create else 'rw'}",
        uri=True,
        timeout=lock_timeout,
        isolation_level=None,  # else the driver begins transactions late, and commits before DDL
        check_same_thread=False,
    )
    if create and network_drive(path) is None:
        _use_write_ahead_log(connection, lock_timeout)
    return connection


def network_drive(path: Path) -> str | None:
    """Return the kind of file system, such as nfs4, if the file is on a network drive; else None."""
    try:
        mounts = MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    mount_point, kind = "", ""
    file = os.path.realpath(path)
    for _, escaped, mounted_kind, *_ in (line.split(" ") for line in mounts if line.count(" ") >= 3):
        folder = _OCTAL.sub(lambda match: chr(int(match[1], 8)), escaped)
        # Of several mounts on one folder the last is visible, hence >=.
        if len(folder) >= len(mount_point) and (file == folder or file.startswith(folder.rstrip("/") + "/")):
            mount_point, kind = folder, mounted_kind
    name, _, program = kind.partition(".")
    is_network = program in _NETWORK_FUSE_PROGRAMS if name == "fuse" else name in _NETWORK_KINDS
    return kind if is_network else None


def _is_regular_file(path: Path) -> bool:
    """Return False if nothing is at ``path``. Raises ``DatabaseSettingError`` if it is not a file.

    SQLite would wait forever when it opens a named pipe.
    """
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatabaseSettingError(f"the database at {path} cannot be opened: {reason}; correct the URL") from error
    if not is_file:
        raise DatabaseSettingError(f"the database at {path} cannot be opened: it is not a file; correct the URL")
    return True


def _has_write_ahead_log(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return False  # SQLite reports the reason when it opens the file
    return len(header) == _HEADER_BYTES and header[_READ_VERSION] == _WAL


def _use_write_ahead_log(connection: sqlite3.Connection, lock_timeout: int) -> None:
    """Switch an empty database to a write-ahead log. One with tables keeps its owner's setting."""
    deadline = time.monotonic() + lock_timeout
    while connection.execute("PRAGMA page_count").fetchone() == (0,):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Several processes may create the file at once. One gets this lock, and SQLite applies no timeout to it.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return  # on a full disk the pragma may change nothing; the next statement reports the error
