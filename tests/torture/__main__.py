"""make torture: break the program on purpose, for as long as it takes, and say what came of it."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from tests import databases
from tests.torture import page
from tests.torture.campaign import ROOT, WHOLE, Outcomes, Plan, Progress, run


def main() -> int:
    plan, write = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and workers end with this
    outcomes = run(plan, _progress())
    tables = page.tables(outcomes)
    for part, table in tables.items():
        _say(f"\n{page.TITLES[part][0]}\n{table}")
    if not _told_broken(plan, outcomes) and write:
        page.write(tables, _how(plan))
        _say(f"written to {page.shown(page.PAGE)}")
    return 1 if any(outcome.broken for outcome in outcomes.values()) else 0


def _asked() -> tuple[Plan, bool]:
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", default=" ".join(WHOLE), help=f"some of {' '.join(WHOLE)}")
    parser.add_argument("--databases", default=" ".join(databases.KINDS))
    parser.add_argument(
        "--minutes", type=float, help="the most for each part on each database; nothing is written then"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, default=0, help="the life to begin with, to repeat a failure")
    given = parser.parse_args()
    parts, kinds = given.parts.replace(",", " ").split(), given.databases.replace(",", " ").split()
    if not parts or not kinds or set(parts) - set(WHOLE) or set(kinds) - set(databases.KINDS):
        parser.error(f"PARTS must be some of {' '.join(WHOLE)}, DATABASES some of {' '.join(databases.KINDS)}")
    for reason in filter(None, map(databases.missing, kinds)):
        parser.error(reason)
    whole = given.minutes is None and given.first == 0 and set(kinds) == set(databases.KINDS)
    return Plan(given.seed, parts, kinds, given.minutes, given.jobs, given.first), whole


def _progress() -> Progress:
    if not sys.stderr.isatty():
        return lambda _: None

    def show(at_work: Mapping[tuple[str, str], int]) -> None:
        told = ", ".join(f"{part} on {kind}: {done:,}" for (part, kind), done in at_work.items())
        sys.stderr.write(f"\r\x1b[K{told}")
        sys.stderr.flush()

    return show


def _told_broken(plan: Plan, outcomes: Outcomes) -> bool:
    broken = {task: outcome for task, outcome in outcomes.items() if outcome.broken}
    for (part, kind), outcome in broken.items():
        life = "".join(char for char in outcome.place.partition(",")[0] if char.isdigit()) or "0"
        again = f"make torture SEED={plan.seed} PARTS={part} DATABASES={kind} FIRST={life}"
        _say(f"\nBROKEN: {part} on {kind}: {outcome.broken}\nto repeat it: {shlex.quote(again)[1:-1]}")
    return bool(broken)


def _how(plan: Plan) -> str:
    version = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True, text=True, check=False)
    day = datetime.now(UTC).date()
    return f"Seed {plan.seed}, {day}, at {version.stdout.strip() or 'an unknown commit'}, {os.cpu_count()} cores."


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
