"""Runs commands as a user would, in an environment that the test makes.

The output of every command is searched for the tests' secrets.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from tests.support.secrets_search import require_hidden
from tests.support.warm_process import WarmProcess
from tests.support.warm_program import WARM_PROGRAM, can_imitate

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "CATALOG_SYNC_"
TIMEOUT_SECONDS = 60.0
NO_AUTHORITIES = {"SSL_CERT_FILE": os.devnull}
"""The driver of MariaDB reads the certificate authorities of the machine for each connection, which takes 30 ms."""

Process: TypeAlias = "subprocess.Popen[str] | WarmProcess"


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the output of a finished command."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        require_hidden(self.out + self.err)


def error_line(ended: CommandResult, code: int) -> str:
    """The one line on stderr of a command that failed with this exit code."""
    assert ended.code == code, ended
    assert ended.err.count("\n") == 1, ended
    assert ended.err.startswith("catalog-sync: "), ended
    assert ended.err.endswith("\n"), ended
    assert ended.err.strip().isprintable(), ended
    assert "Traceback" not in ended.out + ended.err, ended
    return ended.err.strip()


def without_time(line: str) -> str:
    """A line that a schedule printed, without the time that each of them has."""
    return re.sub(r"^(catalog-sync: )?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", lambda match: match[1] or "", line)


def without_seal(line: str) -> str:
    """The line of a run without the number and root of the seals, which is another one in each catalog."""
    return re.sub(r"; \d+ seals?, root [A-Za-z0-9+/]{43}=", "", line)


def output(ended: CommandResult) -> str:
    """The output of a command that succeeded."""
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out


def environment(home: Path, **settings: str) -> dict[str, str]:
    """An environment as under cron: a home, and these settings of catalog-sync, without the developer's variables."""
    bare = {"PATH": os.defpath, "HOME": str(home), "TZ": "America/New_York", **NO_AUTHORITIES}
    return bare | {PREFIX + name: value for name, value in settings.items()}


def run_process(*arguments: str, environ: Mapping[str, str], **options: Any) -> CommandResult:
    with started(*arguments, environ=environ, **options) as process:
        return finished(process)


@contextmanager
def started(
    *arguments: str,
    environ: Mapping[str, str],
    program: Sequence[str] = ("-m", "sync"),
    new_interpreter: bool = False,
    **options: Any,
) -> Iterator[Process]:
    """A running command; killed at the end if it has not finished.

    ``program`` is ``-m`` and a module or ``-c`` and a text; ``options`` are those of Popen. The command is a
    child of the warm program if that can imitate the options, and a new interpreter otherwise or if the test
    requires one.
    """
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    process: Process
    if new_interpreter or not can_imitate(environ, streams):
        command = [sys.executable, *program, *arguments]
        process = subprocess.Popen(command, **{"cwd": ROOT, "env": dict(environ), **streams}, text=True)
    else:
        process = WARM_PROGRAM.start([*program, *arguments], environ, **streams)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished(process: Process, within: float = TIMEOUT_SECONDS) -> CommandResult:
    out, err = process.communicate(timeout=within)
    return CommandResult(process.wait(), out or "", err or "")


def eventually(condition: Callable[[], object], within: float = TIMEOUT_SECONDS) -> None:
    """Waits until the condition is true."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"the condition was still false after {within} s"
        time.sleep(0.02)
