"""The resources that one process used: CPU with that of its children, elapsed time, and peak memory."""

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

_TIMEOUT = 900  # dlt takes minutes for 10,000 models on MariaDB
# The kernel counts the memory of the starting process in the peak of the one it starts, so a small one starts it.
_STARTER = """
import json, resource, subprocess, sys, time
begin = time.perf_counter()
done = subprocess.run(sys.argv[2:], capture_output=True, text=True, timeout=float(sys.argv[1]))
elapsed = time.perf_counter() - begin
used = resource.getrusage(resource.RUSAGE_CHILDREN)
usage = {"cpu": used.ru_utime + used.ru_stime, "wall": elapsed, "rss_mib": used.ru_maxrss / 1024}
print(json.dumps({"usage": usage, "code": done.returncode, "out": done.stdout, "err": done.stderr}))
"""


class BenchError(Exception):
    """A measured process failed, so that there is no figure. The message has the end of its output."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One run of a process: user and system CPU and elapsed time in seconds, peak resident set in MiB."""

    cpu: float
    wall: float
    rss_mib: float


def measure(argv: Sequence[str], environment: Mapping[str, str], folder: Path) -> Usage:
    """Run a command in a folder. Raises ``BenchError`` when it fails or takes longer than 15 minutes.

    The command may print ``uncounted SECONDS``: CPU that it spent on what is not to be measured.
    """
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, str(_TIMEOUT), *argv]
    started = subprocess.run(
        starter, env={**clean_environment(), **environment}, cwd=folder, capture_output=True, text=True, check=False
    )
    if started.returncode:
        raise BenchError(f"{' '.join(argv)[:200]} was not measured: {started.stderr[-2000:]}")
    done = json.loads(started.stdout)
    if done["code"]:
        raise BenchError(f"{' '.join(argv)[:200]} exited with {done['code']}:\n{(done['err'] or done['out'])[-2000:]}")
    uncounted = sum(float(line.split()[1]) for line in done["out"].splitlines() if line.startswith("uncounted "))
    usage = done["usage"]
    return Usage(round(usage["cpu"] - uncounted, 4), round(usage["wall"], 4), round(usage["rss_mib"], 1))


def medians(runs: Sequence[Usage]) -> Usage:
    """The median of each figure."""
    return Usage(median(run.cpu for run in runs), median(run.wall for run in runs), median(run.rss_mib for run in runs))


@contextmanager
def background(argv: Sequence[str]) -> Iterator[str]:
    """A process that runs meanwhile; gives the first line that it prints."""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=clean_environment()) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


def clean_environment() -> dict[str, str]:
    """The environment without settings of catalog-sync or Python."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("CATALOG_SYNC_", "PYTHON"))}
