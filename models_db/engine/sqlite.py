"""An SQLite file: that it is there, how it is opened, and what must not be done on a network drive."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import time
from pathlib import Path

from models_db.errors import DatabaseSettingError

# Linux says here what is mounted where; elsewhere nothing is known, and nothing is said.
MOUNTS = Path("/proc/self/mounts")

# Drives that another host may have open too. Not 9p and virtiofs: they are the own disk of many a container.
_SHARED = {
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "davfs", "vboxsf", "prl_fs", "vmhgfs"),
    *("ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "beegfs", "gpfs", "orangefs"),
}
# The same by programs: the word behind the dot in fuse.sshfs.
_SHARED_BY_PROGRAM = {
    *("sshfs", "s3fs", "rclone", "gcsfuse", "blobfuse", "blobfuse2", "goofys", "mount-s3", "glusterfs", "ceph"),
    *("ceph-fuse", "curlftpfs", "davfs2", "smbnetfs", "vmhgfs-fuse", "moosefs", "mfs", "juicefs", "seaweedfs"),
}
_OCTAL = re.compile(r"\\([0-7]{3})")
_HEADER_BYTES, _READ_VERSION, _WAL = 100, 19, 2  # https://www.sqlite.org/fileformat.html, the database header


def check_file(path: Path, *, create: bool) -> None:
    """Raises ``DatabaseSettingError`` where there is no file, no folder, or a log that its drive cannot bear."""
    found = _is_there(path)
    # Without a word on the folder: migrate makes that of the default database, and names any other.
    if not create and not found:
        raise DatabaseSettingError(f"there is no database at {path}: run catalog-sync migrate, or mend the URL")
    if not path.parent.is_dir():
        raise DatabaseSettingError(f"the folder of the database does not exist: make {path.parent}, or mend the URL")
    if _is_wal(path) and (kind := network_drive(path)):
        raise DatabaseSettingError(
            f"the database at {path} keeps a write-ahead log, which loses data on a network drive ({kind}):"
            " move the file to a disk of this host, or use a database server"
        )


def open_file(path: Path, *, create: bool, wait: int) -> sqlite3.Connection:
    """A connection that begins no transaction by itself, and waits so many seconds for a lock.

    A new file gets a write-ahead log, so that readers and the writer do not wait for each other;
    not on a network drive.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'rwc' if create else 'rw'}",
        uri=True,
        timeout=wait,
        isolation_level=None,  # the driver would begin transactions late and DDL outside of them
        check_same_thread=False,
    )
    if create and network_drive(path) is None:
        _use_wal(connection, wait)
    return connection


def network_drive(path: Path) -> str | None:
    """The kind of drive, such as nfs4, where the file lies on one that other hosts may have open too."""
    try:
        mounts = MOUNTS.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    place, kind = "", ""
    file = os.path.realpath(path)
    for _, escaped, found, *_ in (line.split(" ") for line in mounts if line.count(" ") >= 3):
        folder = _OCTAL.sub(lambda match: chr(int(match[1], 8)), escaped)
        # The last of several mounted on one folder is the one that is seen.
        if len(folder) >= len(place) and (file == folder or file.startswith(folder.rstrip("/") + "/")):
            place, kind = folder, found
    first, _, program = kind.partition(".")
    is_shared = program in _SHARED_BY_PROGRAM if first == "fuse" else first in _SHARED
    return kind if is_shared else None


def _is_there(path: Path) -> bool:
    """Whether there is a file. Raises ``DatabaseSettingError`` for anything else: opening a pipe would never end."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DatabaseSettingError(f"the database at {path} cannot be reached: {reason}; mend the URL") from error
    if not is_file:
        raise DatabaseSettingError(f"what is at {path} is no file, and so no database: mend the URL")
    return True


def _is_wal(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_BYTES)
    except OSError:
        return False  # opening it will say what is wrong
    return len(header) == _HEADER_BYTES and header[_READ_VERSION] == _WAL


def _use_wal(connection: sqlite3.Connection, wait: int) -> None:
    """Switch a database that is still empty to write-ahead logging; one that is not stays as its owner set it."""
    deadline = time.monotonic() + wait
    while connection.execute("PRAGMA page_count").fetchone() == (0,):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # Of several processes that make the file at once only one gets the lock, and SQLite does
            # not wait for this one.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return  # on a full disk it may fail without an error: the next statement will tell
