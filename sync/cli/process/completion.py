"""What a shell asks while its user types a command line: the possible next words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sync.cli.process.messages import PROGRAM

if TYPE_CHECKING:
    import click

VARIABLE = "_CATALOG_SYNC_COMPLETE"
"""Set by the completion scripts when they call the program, to what they want."""


def completion_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the program was called by a completion script."""
    return bool(environ.get(VARIABLE))


def print_completions(command: click.Command, environ: Mapping[str, str]) -> int:
    """Prints what the completion script wants; the exit code."""
    from click.shell_completion import shell_complete

    return shell_complete(command, {}, PROGRAM, VARIABLE, environ[VARIABLE])


def completion_script(command: click.Command, shell: str) -> str:
    """The completion script for a shell, from click."""
    from click.shell_completion import ShellComplete, get_completion_class

    shell_class = get_completion_class(shell)
    assert shell_class is not None  # noqa: S101  # the shells are those of click
    # Not the method of the class: for bash it runs the bash of this host to warn about an old one.
    return ShellComplete.source(shell_class(command, {}, PROGRAM, VARIABLE))
