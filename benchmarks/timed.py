"""Runs one command and tells what it took, as JSON: a small process between the bench and what it measures.

    python -I -S timed.py RESULT LIMIT COMMAND...

A process inherits the peak memory of the one that started it, so the starter must be small. Imports
nothing but what it needs, and nothing of ours.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main() -> None:
    result, limit, *command = sys.argv[1:]
    begun = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, setpgroup=0)
    cut = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal cut
        cut = True
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(int(limit))
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - begun
    told = {
        "cpu": usage.ru_utime + usage.ru_stime,
        "wall": wall,
        "rss": usage.ru_maxrss * 1024,
        "code": os.waitstatus_to_exitcode(status),
        "cut": cut,
    }
    with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be most of this process
        json.dump(told, file)


main()
