"""Files of checkpoints: where runs leave theirs, and where verify and prove read those that were kept elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sync.errors import OutputNotWritten, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sync.catalog.checkpoint import Checkpoint, ParsedCheckpoints
    from sync.catalog.verify.findings import Finding
    from sync.store.database import Connection

_MOST_BYTES = 64 * 1024 * 1024  # half a million checkpoints: a run each minute for a year


def require_appendable(path: Path | None) -> None:
    """Raises ``UsageError`` if checkpoints must not be appended to the file, since it holds something else.

    A file that cannot be written now is no reason to leave out a run: what is missing may be back after it.
    """
    from sync.catalog.checkpoint import ORIGIN_PREFIX

    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"the checkpoint file {path} is a folder; give the name of a file")
    if not path.is_file():
        return  # missing, or a pipe: opening one that nobody writes to would wait for ever
    try:
        with path.open("rb") as file:
            begin = file.read(len(ORIGIN_PREFIX))
    except OSError:
        return  # a file that only takes more
    if not ORIGIN_PREFIX.encode().startswith(begin):
        raise UsageError(f"the checkpoint file {path} holds something else; give the name of another file")


def append_checkpoint(path: Path | None, checkpoint: Checkpoint | None) -> str | None:
    """Appends the checkpoint of a run that was stored; the error line if that fails. It never raises.

    None for a checkpoint is a run that has no seal.
    """
    from sync.cli.process.appended_file import append_to_file

    if path is None or checkpoint is None:
        return None
    try:
        append_to_file(path, checkpoint.text(), "\n\n")
    except OutputNotWritten as error:
        return (
            f"the checkpoint of the run was not kept: {error}; the run is stored: make {path} writable, then run"
            f" catalog-sync checkpoint >> {path}"
        )
    return None


def read_checkpoints(path: Path) -> ParsedCheckpoints:
    """The checkpoints in a file. Raises ``UsageError`` unless there is at least one."""
    from sync.catalog.checkpoint import parse_checkpoints

    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"the checkpoints in {path} cannot be read: {error.strerror}; give the file in which you keep them"
        ) from error
    if len(data) > _MOST_BYTES:
        raise UsageError(f"the checkpoints in {path} cannot be read: the file is larger than 64 MiB; give a part of it")
    if not data.strip():
        raise UsageError(f"{path} is empty: nothing was checked; give the file in which you keep checkpoints")
    parsed = parse_checkpoints(data)
    if not parsed.checkpoints:
        raise UsageError(
            f"{path} has no whole checkpoint: {bad_lines_text(parsed)}; give a file that catalog-sync wrote"
        )
    return parsed


class KeptCheckpoints:
    """The checkpoints in a file that were kept elsewhere, for ``verify``."""

    def __init__(self, path: Path) -> None:
        """Raises as ``read_checkpoints``."""
        self.path, self.parsed = path, read_checkpoints(path)

    def findings(self, connection: Connection) -> Iterator[Finding]:
        """What they say against the stored seals."""
        from sync.store.sealed_runs import findings_of_checkpoints

        return findings_of_checkpoints(connection, self.parsed.checkpoints)

    def holding_text(self) -> str:
        """For a database against which none of them says anything."""
        number = len(self.parsed.checkpoints)
        size = max(each.checkpoint.tree_size for each in self.parsed.checkpoints)
        return f"{number} checkpoint{' holds' if number == 1 else 's hold'}, up to {size} seals"

    def document(self) -> dict[str, object]:
        bad_lines = [{"line": bad.line, "problem": bad.problem} for bad in self.parsed.bad_lines]
        return {"checked": len(self.parsed.checkpoints), "bad_lines": bad_lines}

    def require_whole(self) -> None:
        """Raises ``UsageError`` if the file has a line that makes a checkpoint unusable: it was not compared."""
        if bad_lines := bad_lines_text(self.parsed):
            raise UsageError(
                f"{self.path} is not whole: {bad_lines}; {self.holding_text()}: correct or remove what is no"
                " checkpoint, then run it again"
            )


def bad_lines_text(parsed: ParsedCheckpoints) -> str | None:
    """The first line that makes a checkpoint unusable, and the number of the others; None without any."""
    if not parsed.bad_lines:
        return None
    first, *others = parsed.bad_lines
    more = f", and {len(others)} more such lines" if others else ""
    return f"line {first.line}: {first.problem}{more}"
