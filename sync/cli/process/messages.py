"""Printing what a job came to: to a reader that may have left, and what went wrong on stderr."""

from __future__ import annotations

import click

from sync.cli.process.signals import Terminated
from sync.cli.process.stdio import drop_output
from sync.errors import CatalogSyncError, Outcome

PROGRAM = "catalog-sync"
_LONGEST = 4000  # characters of a complaint


def print_line(text: str) -> None:
    """Prints a line. That nobody reads it must not hide how the job ended."""
    try:
        click.echo(text)
    except BrokenPipeError:
        drop_output()


def print_error(words: str) -> None:
    """One line on stderr, whatever the text is made of."""
    from sync.catalog.text import one_line

    click.echo(f"{PROGRAM}: {one_line(words, _LONGEST)}", err=True)


def told(error: BaseException) -> tuple[int, str]:
    """The exit code that an error stands for, and what to say of it; secrets are not masked here."""
    if isinstance(error, CatalogSyncError):
        return error.outcome, str(error)
    if isinstance(error, click.ClickException):
        return Outcome.USAGE, f"{error.format_message().rstrip('.')}; see {PROGRAM} --help"
    if isinstance(error, Terminated):
        return Outcome.TERMINATED, "told to stop; run it again"
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return Outcome.INTERRUPTED, "interrupted; nothing of a run in progress was stored"
    return Outcome.UNEXPECTED, (
        f"unforeseen: {type(error).__name__}: {error}; run the same with --debug and report what it prints"
    )
