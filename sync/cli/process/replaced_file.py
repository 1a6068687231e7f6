"""A file that other programs read at any time, and that is replaced as a whole."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from sync.errors import OutputNotWritten

# Readable for all, whatever the umask: the reader is another account, such as that of node_exporter.
_MODE = 0o644
_SUFFIX = ".part"
_OLD_SECONDS = 3600.0


def replace_file(path: Path, content: bytes, begin: bytes) -> None:
    """Puts the content in place of the file, or makes it. Readers see the old one or the new one, never a part.

    The new file is made in the same folder under a hidden name. A symbolic link stays, and its target is replaced.
    Raises ``OutputNotWritten`` if that fails, and leaves the old file then; also where the path is no regular file, or
    is a file that does not begin with ``begin``: a mistyped path must not replace a database.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = _mode_of(target, begin)
        descriptor, beside = tempfile.mkstemp(_SUFFIX, f".{target.name}.", target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            os.replace(beside, target)  # noqa: PTH105  # a text, from mkstemp
        except BaseException:
            with suppress(OSError):
                Path(beside).unlink()
            raise
        _remove_leftovers(target)
    except (OSError, ValueError) as error:  # a ValueError is a NUL in the path
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputNotWritten(f"{path} could not be written: {reason}") from error


def _mode_of(target: Path, begin: bytes) -> int:
    """The mode of the file to be replaced, or that of a new one."""
    try:
        status = target.lstat()  # the target of all links, so one is a link in a loop
    except FileNotFoundError:
        return _MODE
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    # Opening a pipe would wait for a reader, and a device would be replaced by a file.
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if status.st_size:
        with target.open("rb") as file:
            if file.read(len(begin)) != begin:
                raise OSError(errno.EEXIST, "there is another file with this name")
    return stat.S_IMODE(status.st_mode)


def _remove_leftovers(target: Path) -> None:
    """Removes what processes left that were killed while they wrote."""
    with suppress(OSError):
        for left in target.parent.glob(f".{_escaped(target.name)}.*{_SUFFIX}"):
            with suppress(OSError):
                if left.lstat().st_mtime < time.time() - _OLD_SECONDS:
                    left.unlink()


def _escaped(name: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
