"""The lines that a command prints: results on stdout, errors on stderr."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import click

from sync.cli.process.signals import Terminated
from sync.cli.process.stdio import drop_output
from sync.errors import CatalogSyncError, Outcome

PROGRAM = "catalog-sync"
ERROR_LIMIT = 4000  # characters


def print_line(text: str) -> None:
    """Prints a line on stdout. A closed pipe is not an error here, so that it cannot hide the outcome of a run."""
    try:
        click.echo(text)
    except BrokenPipeError:
        drop_output()


def print_error(text: str) -> None:
    """Prints one line on stderr; line breaks and control characters in the text become blanks."""
    click.echo(error_line(text), err=True)


def error_line(text: str) -> str:
    """The line that ``print_error`` prints, without its end."""
    from sync.catalog.text import one_line  # not at the top: --help prints no error

    return f"{PROGRAM}: {one_line(text, ERROR_LIMIT)}"


def print_raw_error(line: str) -> None:
    """Prints a whole line, in ASCII, on stderr."""
    click.echo(line, err=True)


def command_path(group: click.Group, arguments: Sequence[str]) -> str:
    """The command that a command line names, such as ``catalog-sync ignore add``, as far as it can be read."""
    path, command = PROGRAM, cast("click.Command", group)
    for argument in arguments:
        if argument.startswith("-"):
            continue
        named = command.get_command(click.Context(command), argument) if isinstance(command, click.Group) else None
        if named is None:
            break
        path, command = f"{path} {argument}", named
    return path


def describe_error(error: BaseException, command: str = PROGRAM) -> tuple[Outcome, str]:
    """The outcome of a ``command`` that ended with the error, and the text for stderr. Secrets are not masked yet."""
    if isinstance(error, CatalogSyncError):
        return error.outcome, str(error)
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)  # an error about a missing value has none
        path = context.command_path if context else command
        return Outcome.USAGE, f"{error.format_message().rstrip('.')}; see {path} --help"
    if isinstance(error, Terminated):
        return Outcome.TERMINATED, "stopped by SIGTERM; run it again"
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return Outcome.INTERRUPTED, "interrupted; nothing of a run in progress was stored, run it again"
    return Outcome.UNEXPECTED, (
        f"unexpected error: {type(error).__name__}: {error}; run the same command with --debug and report what it"
        " prints"
    )
