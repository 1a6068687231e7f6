"""make torture: break the program on purpose, for as long as it takes, and say what came of it."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.support import database_servers
from tests.torture import figures
from tests.torture.campaign import ROOT, WHOLE, Outcome, Outcomes, Plan, Progress, run


def main() -> int:
    plan, write = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and workers end with this
    news = _News(plan, write=write)
    outcomes = run(plan, _progress(), news.ended)
    for part, table in figures.tables(outcomes).items():
        _say(f"\n{figures.TITLES[part][0]}\n{table}")
    for task, outcome in outcomes.items():
        _say_broken(plan, task, outcome)
    return 1 if any(outcome.broken for outcome in outcomes.values()) else 0


class _News:
    """Says what each part came to as soon as it ended, and writes a part down when it went well everywhere."""

    def __init__(self, plan: Plan, *, write: bool) -> None:
        self._plan, self._write = plan, write
        self._outcomes: Outcomes = {}

    def ended(self, task: tuple[str, str], outcome: Outcome) -> None:
        part, kind = task
        self._outcomes[task] = outcome
        broken = ", and BROKEN" if outcome.broken else ""
        _say(
            f"{part} on {database_servers.NAMES[kind]}: {outcome.done:,} in {outcome.seconds / 60:.1f} minutes{broken}"
        )
        _say_broken(self._plan, task, outcome)
        of_part = {each: out for each, out in self._outcomes.items() if each[0] == part}
        if self._write and len(of_part) == len(self._plan.kinds) and not any(out.broken for out in of_part.values()):
            figures.write(figures.tables(of_part), _how(self._plan))
            _say(f"{part}: written to {figures.shown(figures.PAGE)}")


def _asked() -> tuple[Plan, bool]:
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", default=" ".join(WHOLE), help=f"some of {' '.join(WHOLE)}")
    parser.add_argument("--databases", default=" ".join(database_servers.KINDS))
    parser.add_argument(
        "--minutes", type=float, help="the most for each part on each database; nothing is written then"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--first", type=int, default=0, help="the life to begin with, to repeat a failure")
    given = parser.parse_args()
    parts, kinds = given.parts.replace(",", " ").split(), given.databases.replace(",", " ").split()
    if not parts or not kinds or set(parts) - set(WHOLE) or set(kinds) - set(database_servers.KINDS):
        parser.error(f"PARTS must be some of {' '.join(WHOLE)}, DATABASES some of {' '.join(database_servers.KINDS)}")
    for reason in filter(None, map(database_servers.missing, kinds)):
        parser.error(reason)
    whole = given.minutes is None and given.first == 0 and set(kinds) == set(database_servers.KINDS)
    return Plan(given.seed, parts, kinds, given.minutes, given.jobs, given.first), whole


def _progress() -> Progress:
    if not sys.stderr.isatty():
        return lambda _: None

    def show(at_work: Mapping[tuple[str, str], int]) -> None:
        told = ", ".join(f"{part} on {kind}: {done:,}" for (part, kind), done in at_work.items())
        sys.stderr.write(f"\r\x1b[K{told}")
        sys.stderr.flush()

    return show


def _say_broken(plan: Plan, task: tuple[str, str], outcome: Outcome) -> None:
    part, kind = task
    if outcome.broken:
        life = "".join(char for char in outcome.place.partition(",")[0] if char.isdigit()) or "0"
        again = f"make torture SEED={plan.seed} PARTS={part} DATABASES={kind} FIRST={life}"
        _say(f"\nBROKEN: {part} on {kind}: {outcome.broken}\nto repeat it: {again}")


def _how(plan: Plan) -> str:
    version = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True, text=True, check=False)
    day = datetime.now(UTC).date()
    return f"Seed {plan.seed}, {day}, at {version.stdout.strip() or 'an unknown commit'}, {os.cpu_count()} cores."


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
