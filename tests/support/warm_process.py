"""A child of the warm program, for the process that started it."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO, Any


class WarmProcess:
    """A running child, with the part of the interface of ``subprocess.Popen`` that the tests use."""

    def __init__(self, pid: int, status: int, stdout: IO[str] | None, stderr: IO[str] | None) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout, self.stderr = stdout, stderr
        self._status = status
        self._read: dict[IO[str], bytes] = {}

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._status, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            status = os.read(self._status, 16)
            os.close(self._status)
            self.returncode = int(status or -signal.SIGKILL)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What the child writes until it ends. Text that was read from ``stdout`` before is not repeated."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            for stream in (self.stdout, self.stderr):
                if stream and not stream.closed:
                    selector.register(stream, selectors.EVENT_READ)
            while selector.get_map():
                self._read_what_is_there(selector, deadline)
        self.wait(None if deadline is None else max(0, deadline - time.monotonic()))
        return self._text(self.stdout), self._text(self.stderr)

    def _read_what_is_there(self, selector: selectors.BaseSelector, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        ready = selector.select(left)
        if not ready and left is not None and left <= 0:
            raise subprocess.TimeoutExpired(f"process {self.pid}", left)
        for key, _ in ready:
            stream: Any = key.fileobj
            data = os.read(key.fd, 1 << 16)
            self._read[stream] = self._read.get(stream, b"") + data
            if not data:
                selector.unregister(stream)
                stream.close()

    def _text(self, stream: IO[str] | None) -> str:
        return self._read.get(stream, b"").decode().replace("\r\n", "\n") if stream else ""
