"""Printing what a job came to: to a reader that may have left, and what went wrong on stderr."""

from __future__ import annotations

import os
import sys

import click

PROGRAM = "catalog-sync"
_LONGEST = 4000  # characters of a complaint


def say(text: str) -> None:
    """Prints a line. That nobody reads it must not hide how the job ended."""
    try:
        click.echo(text)
    except BrokenPipeError:
        drop_output()


def complain(words: str) -> None:
    """One line on stderr, whatever the text is made of."""
    from sync.catalog.refusal import one_line

    click.echo(f"{PROGRAM}: {one_line(words, _LONGEST)}", err=True)


def drop_output() -> None:
    """From now on stdout goes nowhere: a buffer flushed at exit would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
