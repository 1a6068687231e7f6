"""Delivers messages to one destination, within a time, by a process that is killed at its end."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from sync.notify.messages import Message

_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from sync.notify.sender import main; main()"
_ROOT = Path(__file__).resolve().parents[2]
_TICK_SECONDS = 0.2  # how soon a signal ends the wait
_START_SECONDS = 60.0  # to load Python and Apprise, which takes one on an idle machine
_MOST_ANSWER = 64 * 1024


class DeliveryFailed(Exception):
    """A message was not confirmed; the text is a clause without any secret."""


class DeliveryStopped(Exception):
    """The command is ending; whether the message arrived is unknown."""


class SenderProcess:
    """The process that delivers to a URL. Messages are confirmed one by one."""

    def __init__(self, url: str, seconds: float, stop: threading.Event, environ: Mapping[str, str]) -> None:
        """All messages together have this number of seconds; ``environ`` is that of the process.

        Raises as ``send``.
        """
        self._ends_at, self._stop = time.monotonic() + _START_SECONDS, stop
        # -P: a file in the current folder that is called like a library must not be imported for it. The URL goes
        # through a pipe, since others can read the arguments of a process.
        self._process = subprocess.Popen(  # noqa: S603  # this program's own module
            [sys.executable, "-P", "-c", _PROGRAM, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environ),
        )
        self._unread = b""
        try:
            self._write(json.dumps({"url": url, "seconds": seconds}).encode())
            self._line()
        except BaseException:
            self.close()
            raise
        self._ends_at = time.monotonic() + seconds

    def send(self, message: Message) -> None:
        """Returns when the message is delivered. Raises ``DeliveryFailed`` or ``DeliveryStopped``."""
        self._write(msgspec.json.encode(message))
        error = self._answer()
        if error is not None:
            raise DeliveryFailed(error)

    def close(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()

    def _write(self, line: bytes) -> None:
        stdin = self._process.stdin
        try:
            if stdin:
                # Less than a pipe holds, or the process reads it: it waits for nothing else.
                stdin.write(line + b"\n")
                stdin.flush()
        except OSError as error:
            raise DeliveryFailed("the process that sends has ended") from error

    def _answer(self) -> str | None:
        line = self._line()
        try:
            answer = json.loads(line)
            return None if answer["error"] is None else str(answer["error"])
        except (ValueError, KeyError, TypeError) as error:
            raise DeliveryFailed("the process that sends has ended") from error

    def _line(self) -> bytes:
        stdout = self._process.stdout
        if stdout is None:
            return b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if self._stop.is_set():
                    raise DeliveryStopped
                left = self._ends_at - time.monotonic()
                if left <= 0:
                    raise DeliveryFailed("it did not respond in time")
                if selector.select(min(left, _TICK_SECONDS)):
                    part = os.read(stdout.fileno(), _MOST_ANSWER)
                    if not part:
                        return b""
                    self._unread += part
        line, _, self._unread = self._unread.partition(b"\n")
        return line
