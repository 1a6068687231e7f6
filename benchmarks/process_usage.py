"""What one process took: CPU of itself and its children, time on the clock, and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

_TIMED = Path(__file__).with_name("timed.py")


class BenchError(Exception):
    """Something that is measured did not work, so there is no figure; the message says what."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to be measured."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    limit: int = 900
    """Seconds after which it is ended, and told as cut off."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a process: user and system CPU and the clock in seconds, peak memory in bytes."""

    cpu: float
    wall: float
    rss: float
    is_cut: bool = False


def clean_environment() -> dict[str, str]:
    """The environment without anybody's settings of catalog-sync or Python."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("CATALOG_SYNC_", "PYTHON"))}


def measure(command: Command, folder: Path) -> Sample:
    """Run a command and give what it took. Raises ``BenchError`` with its last words when it fails.

    A process may print ``uncounted SECONDS`` on stdout: CPU that it spent on the measuring itself.
    """
    told, said, complained = folder / "told.json", folder / "stdout", folder / "stderr"
    argv = [sys.executable, "-I", "-S", str(_TIMED), str(told), str(command.limit), *command.argv]
    with said.open("wb") as out, complained.open("wb") as err:
        subprocess.run(argv, env=dict(command.env), cwd=folder, stdout=out, stderr=err, check=True)
    found = json.loads(told.read_text())
    if found["code"] and not found["cut"]:
        words = (complained.read_text(errors="replace") or said.read_text(errors="replace"))[-2000:]
        raise BenchError(f"{' '.join(command.argv)[:200]} ended with {found['code']}:\n{words}")
    uncounted = sum(float(line.split()[1]) for line in _lines(said) if line.startswith("uncounted "))
    return Sample(round(found["cpu"] - uncounted, 4), round(found["wall"], 4), found["rss"], found["cut"])


@contextmanager
def background(argv: Sequence[str]) -> Iterator[str]:
    """A process that goes on beside; gives the first line that it prints."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


def middle(samples: Sequence[Sample]) -> Sample:
    """The medians, each for itself."""
    return Sample(
        cpu=median(sample.cpu for sample in samples),
        wall=median(sample.wall for sample in samples),
        rss=median(sample.rss for sample in samples),
        is_cut=any(sample.is_cut for sample in samples),
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines()
