"""Runs one command line: every error ends here, as one line on stderr and an exit code.

This module is not called ``main``: the entry point is the function ``sync.cli.main``, and importing a
submodule of that name would replace the function.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence

import click

from sync import settings
from sync.cli.commands import cli
from sync.cli.process.completion import completion_wanted, print_completions
from sync.cli.process.environment import require_known_names
from sync.cli.process.messages import PROGRAM, command_path, describe_error, print_error
from sync.cli.process.stdio import drop_output, flush_at_exit, install_safe_streams, require_written
from sync.composition.masking import masker
from sync.errors import Outcome, UsageError

_DEBUG = "--debug"
_NEEDS_NO_SETTING = {"--help", "-h", "--version"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line, by default that of this process, and exit with its code."""
    install_safe_streams()
    code = run(sys.argv[1:] if arguments is None else arguments, os.environ)
    flush_at_exit()
    sys.exit(code)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """The exit code of a command line. Errors are printed as one line on stderr, secrets masked."""
    mask = masker(environ)
    debug = _DEBUG in arguments
    if completion_wanted(environ):
        return print_completions(cli, environ)
    _set_up_logging(mask, debug=debug)
    try:
        if arguments and not _NEEDS_NO_SETTING.intersection(arguments):
            require_known_names(environ, setting_names())
        # Accepted anywhere: users append it to the command that has just failed.
        return _invoke([argument for argument in arguments if argument != _DEBUG])
    except BrokenPipeError:  # the reader has enough, as in "| head"
        drop_output()
        return int(Outcome.DONE)
    except BaseException as error:  # noqa: BLE001  # every error ends as one line and an exit code
        if debug:
            _print_traceback(mask)
        outcome, text = describe_error(error, command_path(cli, arguments))
        print_error(mask(text))
        return int(outcome)


def setting_names() -> set[str]:
    """The names of all environment variables that the program reads as its settings."""
    return {settings.PREFIX + name for name in settings.NOT_OPTIONS} | set(_bound_names(cli))


def _bound_names(command: click.Command) -> Iterator[str]:
    yield from (str(option.envvar) for option in command.params if option.envvar)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _bound_names(each)


def _invoke(arguments: Sequence[str]) -> int:
    # click's own main would print and exit by itself on a broken pipe and on Ctrl-C.
    try:
        with cli.make_context(PROGRAM, list(arguments)) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as end:  # --help, --version
        code = end.exit_code
    except click.exceptions.NoArgsIsHelpError as no_command:
        click.echo(no_command.format_message())
        raise UsageError("no command was given; stdout lists the commands") from no_command
    if code in (None, Outcome.DONE):  # with any other code there is a line on stderr already
        require_written()
    return int(code) if isinstance(code, int) else int(Outcome.DONE)


def _print_traceback(mask: Callable[[str], str]) -> None:
    import traceback

    click.echo(mask(traceback.format_exc()), err=True)


def _set_up_logging(mask: Callable[[str], str], *, debug: bool) -> None:
    """Sends the logs of libraries to stderr with ``debug``, and drops them otherwise. Secrets are masked.

    The logs contain SQL statements, but neither their values nor the rows that they return.
    """

    class MaskingFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return mask(super().format(record))

    handler: logging.Handler = logging.StreamHandler() if debug else logging.NullHandler()
    handler.setFormatter(MaskingFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG if debug else logging.WARNING, force=True)
    # SQLAlchemy sets its own level on import unless one is set before.
    logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO if debug else logging.NOTSET)
