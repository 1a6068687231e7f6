"""Schedules of the same ticks on one database, of which some are killed."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.commands import Process, environment, finished, started
from tests.support.secrets_search import KEY

_STOP_SECONDS = 60
# Of SIGTERM before the schedule waits for it, as for every other command.
_ENDED_WHILE_STARTING = (-signal.SIGTERM, 128 + signal.SIGTERM)


class Schedules:
    """As many schedules as there are URLs, each for its URL. All that still run are stopped at the end."""

    def __init__(self, urls: Sequence[str], home: Path, base_url: str, span: str, **settings: str) -> None:
        self.lines: list[str] = []
        """What those that have ended wrote on stderr."""
        self.killed, self.codes = 0, set[int]()
        """The number of those that were killed, and the exit codes of the others."""
        self._urls, self._span, self._alive = urls, span, dict[int, Process]()
        self._environ = environment(home, BASE_URL=base_url, API_KEY=KEY, ATTEMPTS="1", **settings)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for number in range(len(self._urls)):
            self.start(number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            for process in self._alive.values():
                process.send_signal(signal.SIGTERM)
            for number in list(self._alive):
                self._collect(number)

    @property
    def alive(self) -> list[int]:
        return sorted(self._alive)

    @property
    def dead(self) -> list[int]:
        return sorted(set(range(len(self._urls))) - set(self._alive))

    def start(self, number: int) -> None:
        environ = self._environ | {"CATALOG_SYNC_DATABASE_URL": self._urls[number]}
        arguments = ("schedule", "--every", self._span, "--quiet")
        self._alive[number] = self._stack.enter_context(started(*arguments, environ=environ))

    def end(self, number: int, how: signal.Signals) -> None:
        """Sends a signal, after which the schedule must end."""
        self._alive[number].send_signal(how)
        self._collect(number)

    def _collect(self, number: int) -> None:
        ended = finished(self._alive.pop(number), within=_STOP_SECONDS)
        if ended.code == -signal.SIGKILL:
            self.killed += 1
        elif ended.code in _ENDED_WHILE_STARTING:
            return
        else:
            self.codes.add(ended.code)
        self.lines += ended.err.splitlines()
