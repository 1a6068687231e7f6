"""Printing what a job came to, to a reader that may have left."""

from __future__ import annotations

import os
import sys

import click


def say(text: str) -> None:
    """Prints a line. That nobody reads it must not hide how the job ended."""
    try:
        click.echo(text)
    except BrokenPipeError:
        drop_output()


def drop_output() -> None:
    """From now on stdout goes nowhere: a buffer flushed at exit would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
