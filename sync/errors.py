"""What can go wrong, and the exit code that says so.

Every error a user can meet is one of these classes. The message is one line: what happened, where,
and what to do next. The exit codes are a contract with crontabs and service units (README).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What a finished command tells the shell."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    REJECTED = 5
    DATABASE = 6
    HELD = 7
    SUPERSEDED = 8
    CHECK_FAILED = 9
    INTERRUPTED = 130
    TERMINATED = 143


# A run can end in several ways at once; the first of these that applies is the one it exits with.
_PRECEDENCE = (
    ExitCode.DATABASE,
    ExitCode.REFUSED,
    ExitCode.UNREACHABLE,
    ExitCode.REJECTED,
    ExitCode.HELD,
    ExitCode.SUPERSEDED,
    ExitCode.USAGE,
    ExitCode.UNEXPECTED,
)


class CatalogSyncError(Exception):
    """Anything unforeseen."""

    exit_code = ExitCode.UNEXPECTED


class OutputLost(CatalogSyncError):
    """What a command prints did not reach the file that it was to go to."""


class UsageError(CatalogSyncError):
    """A setting, an argument or the schema is not as the program needs it."""

    exit_code = ExitCode.USAGE


class ApiRefused(CatalogSyncError):
    """The API answered and said no; asking again will not help."""

    exit_code = ExitCode.REFUSED


class ApiUnreachable(CatalogSyncError):
    """The API gave no complete answer in the attempts and the time allowed."""

    exit_code = ExitCode.UNREACHABLE


class ResponseRejected(CatalogSyncError):
    """The API answered with something that is not a catalog that can be trusted."""

    exit_code = ExitCode.REJECTED
    reported: int | None = None
    """How many models the answer said it holds, where that is what is wrong."""
    received: int | None = None
    """How many it held."""


class DatabaseError(CatalogSyncError):
    """The database could not be reached, or refused a statement."""

    exit_code = ExitCode.DATABASE


class RemovalsHeld(CatalogSyncError):
    """More models vanished at once than the removal guard lets pass."""

    exit_code = ExitCode.HELD


class Superseded(CatalogSyncError):
    """Another run applied its answer while this one was asking."""

    exit_code = ExitCode.SUPERSEDED


class CheckFailed(CatalogSyncError):
    """A check found what it looks for."""

    exit_code = ExitCode.CHECK_FAILED


class Interrupted(CatalogSyncError):
    """The user, or the service manager, asked the program to stop."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.INTERRUPTED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The one exit code that stands for several; ``DONE`` only when none of them is anything else."""
    present = set(codes) - {ExitCode.DONE}
    return next((code for code in (*_PRECEDENCE, *sorted(present)) if code in present), ExitCode.DONE)
