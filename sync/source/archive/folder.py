"""The folder of an archive: whether it can be used, its names, and the errors of the file system as lines."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from sync.catalog.text import one_line
from sync.errors import ArchiveNotWritten, CatalogSyncError, UsageError

_SETTING = "--archive or CATALOG_SYNC_ARCHIVE"
_LONGEST_PATH = 300
# What a person changes in the folder or the setting; anything else is a fault of the disk.
_ADVICE = {
    errno.ENOENT: f"the folder does not exist; make it, mount its volume, or correct {_SETTING}",
    errno.ENOTDIR: f"it is not a folder; give the path of a folder with {_SETTING}",
    errno.EROFS: f"the file system is read-only; mount it writable, or give another folder with {_SETTING}",
    errno.ENAMETOOLONG: f"the name is too long; give another folder with {_SETTING}",
    errno.ELOOP: f"too many symbolic links; give another folder with {_SETTING}",
}
_DENIED = (errno.EACCES, errno.EPERM)


def require_readable(folder: Path) -> None:
    """Raises ``UsageError`` unless it is a folder whose names can be read."""
    names_in(folder)


def require_writable(folder: Path) -> None:
    """Raises ``UsageError`` unless files can be made in the folder. Writes nothing."""
    require_readable(folder)
    # A mount may be read-only where the permissions allow to write.
    if _is_read_only(folder):
        raise folder_error(folder, OSError(errno.EROFS, ""))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise folder_error(folder, OSError(errno.EACCES, ""))


def names_in(folder: Path) -> list[str]:
    """The names in the folder, in order, without hidden ones and without what a file system keeps for itself.

    Hidden are the files that are being written. Raises ``UsageError`` when the folder cannot be read.
    """
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise folder_error(folder, error) from error
    return sorted(name for name in names if not name.startswith(".") and name != "lost+found")


def folder_error(folder: Path, error: OSError) -> CatalogSyncError:
    """The line for a person: exit code 2 for what the folder or the setting is, 6 for a fault of the disk."""
    where = f"the archive {one_line(str(folder), _LONGEST_PATH)} cannot be used"
    if error.errno in _ADVICE:
        return UsageError(f"{where}: {_ADVICE[error.errno]}")
    if error.errno in _DENIED:
        return UsageError(
            f"{where}: this account may not {'write' if _is_listable(folder) else 'read'} there, and the folder belongs"
            f" to {_owner(folder)}; give it to the account that runs catalog-sync (chown), or correct {_SETTING}"
        )
    return ArchiveNotWritten(
        f"the archive {one_line(str(folder), _LONGEST_PATH)} could not be written: {error.strerror or error}; nothing"
        " of the responses was stored, make room there or check the disk, and run it again"
    )


def _is_read_only(folder: Path) -> bool:
    try:
        return hasattr(os, "statvfs") and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False  # the first write reports it


def _is_listable(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _owner(folder: Path) -> str:
    """The name of the owner; the number of an account without a name."""
    try:
        return folder.owner()
    except KeyError:
        return f"the account with the number {folder.stat().st_uid}"
    except (OSError, NotImplementedError):
        return "another account"
