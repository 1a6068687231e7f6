"""The lines of ``schedule``: for people, or a JSON object per line. docs/monitoring.md documents the objects."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import click

from sync.cli import run_report
from sync.cli.options import now
from sync.cli.process.messages import describe_error, error_line, print_error, print_line, print_raw_error
from sync.composition.masking import masker
from sync.errors import CatalogSyncError, Interrupted, Outcome

if TYPE_CHECKING:
    from sync.run import RunResult


def timed(text: str) -> str:
    """The text with the time before it: a schedule prints for months, and its lines must say when."""
    return f"{now():%Y-%m-%dT%H:%M:%SZ} {text}"


class ScheduleLog(ABC):
    """Where a schedule prints. Nothing of a run that succeeds with ``quiet``."""

    tick: str | None = None
    """The tick of the run that is active, or was the last one."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.mask = quiet, masker(os.environ)

    @abstractmethod
    def ended(self, result: RunResult, mask: Callable[[str], str], not_kept: str | None) -> None:
        """A run that ended with a result; ``not_kept`` is the error line about its checkpoint."""

    @abstractmethod
    def failed(self, outcome: Outcome, message: str, run_id: int | None) -> None:
        """A run that ended with an error and no result; ``run_id`` is None if it has no row."""

    @abstractmethod
    def notice(self, message: str) -> None:
        """Something that is not the end of a run."""

    @abstractmethod
    def last(self, message: str) -> str:
        """The whole line, without its end, of a command that ends by itself."""

    @abstractmethod
    def ending(self) -> AbstractContextManager[None]:
        """Gives the line of an error that ends the command its form."""


class TextLog(ScheduleLog):
    """Lines for people: the line of each run on stdout, and errors on stderr."""

    def ended(self, result: RunResult, mask: Callable[[str], str], not_kept: str | None) -> None:
        if not self.quiet:
            print_line(timed(mask(run_report.run_text(result))))
        for error in filter(None, [result.message and mask(result.message), not_kept]):
            self.notice(error)

    def failed(self, outcome: Outcome, message: str, run_id: int | None) -> None:
        self.notice(message)

    def notice(self, message: str) -> None:
        print_error(timed(message))

    def last(self, message: str) -> str:
        return error_line(timed(message))

    @contextmanager
    def ending(self) -> Iterator[None]:
        try:
            yield
        except Interrupted:
            raise
        except CatalogSyncError as error:
            error.args = (timed(str(error)),)
            raise


class JsonLog(ScheduleLog):
    """A JSON object per line: a run with exit code 0 on stdout, and all else on stderr."""

    def ended(self, result: RunResult, mask: Callable[[str], str], not_kept: str | None) -> None:
        outcome = run_report.exit_code(result, not_kept)
        errors = "; also: ".join(filter(None, [result.message and mask(result.message), not_kept]))
        message = mask(run_report.run_text(result, shows_seal=False))
        checkpoint = run_report.checkpoint_object(result.checkpoint)
        self._print_run(outcome, message, errors or None, result.run_id, result.status, checkpoint)

    def failed(self, outcome: Outcome, message: str, run_id: int | None) -> None:
        self._print_run(outcome, "the run failed", message, run_id, "failed", None)

    def notice(self, message: str) -> None:
        print_raw_error(_line("warning", "notice", message))

    def last(self, message: str) -> str:
        return _line("error", "end", message)

    @contextmanager
    def ending(self) -> Iterator[None]:
        try:
            yield
        except (Interrupted, click.exceptions.Exit):
            raise
        except Exception as error:
            outcome, text = describe_error(error)
            print_raw_error(self.last(self.mask(text)))
            raise click.exceptions.Exit(int(outcome)) from error

    def _print_run(
        self,
        outcome: Outcome,
        message: str,
        error: str | None,
        run_id: int | None,
        status: str,
        checkpoint: dict[str, object] | None,
    ) -> None:
        line = _line(
            _level(outcome),
            "run",
            message,
            run_id=run_id,
            tick=self.tick,
            status=status,
            outcome=outcome.label,
            exit_code=int(outcome),
            error=error,
            checkpoint=checkpoint,
        )
        if outcome is not Outcome.DONE:
            print_raw_error(line)
        elif not self.quiet:
            print_line(line)


def _level(outcome: Outcome) -> str:
    if outcome is Outcome.DONE:
        return "info"
    return "warning" if outcome.retry_helps or outcome is Outcome.SUPERSEDED else "error"


def _line(level: str, event: str, message: str, **more: object) -> str:
    # In ASCII, so that no text can control a terminal or break the line.
    time = f"{now():%Y-%m-%dT%H:%M:%S.%fZ}"
    return json.dumps({"time": time, "level": level, "event": event, "message": message, **more})
