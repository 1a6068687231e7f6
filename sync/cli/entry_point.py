"""The one way in and out: every error leaves here as one line on stderr and a documented exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence

import click

from sync.cli.commands import cli
from sync.cli.process.masking import masker
from sync.cli.process.messages import PROGRAM, print_error, told
from sync.cli.process.stdio import drop_output, flush_at_exit, install_safe_streams, require_written
from sync.errors import Outcome

_DEBUG = "--debug"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    install_safe_streams()
    code = run(sys.argv[1:] if arguments is None else arguments, os.environ)
    flush_at_exit()
    sys.exit(code)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The exit code of a command line; what went wrong is one line on stderr, without any secret."""
    mask = masker(environ)
    debug = _DEBUG in arguments
    _set_up_logging(mask, debug=debug)
    try:
        # Anywhere on the line: it is asked for when a command has just failed, and put at its end.
        return _invoke([argument for argument in arguments if argument != _DEBUG])
    except BrokenPipeError:  # the reader has what it wanted, as with "| head"
        drop_output()
        return int(Outcome.DONE)
    except BaseException as error:  # noqa: BLE001  # whatever it is, it leaves as one line and a code
        if debug:
            _print_traceback(mask)
        code, words = told(error)
        print_error(mask(words))
        return int(code)


def _invoke(arguments: Sequence[str]) -> int:
    """Not through click's own main, which prints and exits by itself when a pipe breaks or Ctrl-C comes."""
    try:
        with cli.make_context(PROGRAM, list(arguments)) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as end:  # --help, --version
        code = end.exit_code
    if code in (None, Outcome.DONE):  # else there is a line on stderr already
        require_written()
    return int(code) if isinstance(code, int) else int(Outcome.DONE)


def _print_traceback(mask: Callable[[str], str]) -> None:
    import traceback

    click.echo(mask(traceback.format_exc()), err=True)


def _set_up_logging(mask: Callable[[str], str], *, debug: bool) -> None:
    """Libraries log to nowhere unless asked; what they do log passes the same mask.

    Statements without their values are part of that; the rows that come back are not.
    """

    class Masked(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return mask(super().format(record))

    handler: logging.Handler = logging.StreamHandler() if debug else logging.NullHandler()
    handler.setFormatter(Masked("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if debug else logging.WARNING, force=True)
    # SQLAlchemy turns itself down as it is imported, unless a level was set before.
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO if debug else logging.NOTSET)
