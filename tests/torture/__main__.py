"""``make torture``: makes the program fail in random ways for hours and prints what was found."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.support import database_servers
from tests.torture import figures
from tests.torture.campaign import PARTS, ROOT, OnProgress, PartResult, Plan, Results, Task, run


def main() -> int:
    plan, is_complete = _parse_arguments()
    # SystemExit runs the clean-up, which stops the servers and kills the workers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    reporter = _Reporter(plan, writes_page=is_complete)
    results = run(plan, _progress_printer(), reporter.on_finished)
    for part, table in figures.tables(results).items():
        _print_line(f"\n{figures.TITLES[part][0]}\n{table}")
    for task, result in results.items():
        _print_failure(plan, task, result)
    return 1 if any(result.failure for result in results.values()) else 0


class _Reporter:
    """Prints each result at once, and writes a part to the page when it has succeeded on all databases."""

    def __init__(self, plan: Plan, *, writes_page: bool) -> None:
        self._plan, self._writes_page = plan, writes_page
        self._results: Results = {}

    def on_finished(self, task: Task, result: PartResult) -> None:
        part, kind = task
        self._results[task] = result
        failed = ", FAILED" if result.failure else ""
        minutes = f"{result.seconds / 60:.1f} minutes"
        _print_line(f"{part} on {database_servers.NAMES[kind]}: {result.done:,} in {minutes}{failed}")
        _print_failure(self._plan, task, result)
        of_part = {each: other for each, other in self._results.items() if each[0] == part}
        has_succeeded = len(of_part) == len(self._plan.kinds) and not any(each.failure for each in of_part.values())
        if self._writes_page and has_succeeded:
            figures.write(figures.tables(of_part), _conditions(self._plan))
            _print_line(f"{part}: written to {figures.PAGE.relative_to(ROOT).as_posix()}")


def _parse_arguments() -> tuple[Plan, bool]:
    """The plan, and whether its parts have their full size on all databases, as the page requires."""
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", default=" ".join(PARTS), help=f"some of {' '.join(PARTS)}")
    parser.add_argument("--databases", default=" ".join(database_servers.KINDS))
    parser.add_argument("--minutes", type=float, help="limit for each part on each database; nothing is written then")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, default=0, help="the scenario to start with, to repeat a failure")
    arguments = parser.parse_args()
    parts, kinds = arguments.parts.replace(",", " ").split(), arguments.databases.replace(",", " ").split()
    if not parts or not kinds or set(parts) - set(PARTS) or set(kinds) - set(database_servers.KINDS):
        parser.error(f"PARTS must be some of {' '.join(PARTS)}, DATABASES some of {' '.join(database_servers.KINDS)}")
    for reason in filter(None, map(database_servers.missing, kinds)):
        parser.error(reason)
    # The figures on the page can be compared with earlier ones only if each part had its full size.
    is_complete = arguments.minutes is None and arguments.first == 0 and set(kinds) == set(database_servers.KINDS)
    return Plan(arguments.seed, parts, kinds, arguments.minutes, arguments.jobs, arguments.first), is_complete


def _progress_printer() -> OnProgress:
    # A log file would get a line of progress every half second.
    if not sys.stderr.isatty():
        return lambda _: None

    def print_progress(running: Mapping[Task, int]) -> None:
        counts = ", ".join(f"{part} on {kind}: {done:,}" for (part, kind), done in running.items())
        sys.stderr.write(f"\r\x1b[K{counts}")
        sys.stderr.flush()

    return print_progress


def _print_failure(plan: Plan, task: Task, result: PartResult) -> None:
    part, kind = task
    if result.failure:
        number = re.search(r"\d+", result.position)
        first = number.group() if number else "0"
        command = f"make torture SEED={plan.seed} PARTS={part} DATABASES={kind} FIRST={first}"
        _print_line(f"\nFAILED: {part} on {kind}: {result.failure}\nto repeat it: {command}")


def _conditions(plan: Plan) -> str:
    """The line below each table of the page: seed, date, commit and cores."""
    version = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True, text=True, check=False)
    day = datetime.now(UTC).date()
    return f"Seed {plan.seed}, {day}, at {version.stdout.strip() or 'an unknown commit'}, {os.cpu_count()} cores."


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
