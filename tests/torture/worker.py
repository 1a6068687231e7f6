"""Runs one part of a campaign on one kind of database: ``python -m tests.torture.worker PART KIND ...``.

It has its own process, because it forks. Each line on stdout is a JSON object: the progress from time
to time, and the result at the end. The exit code is 1 if something failed.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
import traceback
import warnings
from collections.abc import Callable

from tests.torture import calls, crowd, kills, machine, mutants, tamper, years
from tests.torture.database_under_test import EmptyDatabases, InvariantError, empty_databases
from tests.torture.progress import PartOptions, Progress

PARTS: dict[str, Callable[[EmptyDatabases, Progress], None]] = {
    "kills": kills.run,
    "calls": calls.run,
    "machine": machine.run,
    "mutants": mutants.run,
    "crowd": crowd.run,
    "tamper": tamper.run,
    "years": years.run,
}


def main() -> int:
    arguments = _arguments()
    warnings.simplefilter("ignore")  # the embedded PostgreSQL warns about the setup of the machine
    options = PartOptions(arguments.seed, arguments.kind, arguments.goal, arguments.first)
    began = time.monotonic()
    progress = Progress(options, began + arguments.minutes * 60, _print_line)
    gc.freeze()  # a collection in a forked process would copy every page that holds an object
    failure = _run_part(arguments.part, progress)
    result = {
        "done": progress.done,
        "seconds": time.monotonic() - began,
        "figures": progress.figures,
        "position": progress.position,
        "failure": failure,
    }
    _print_line(json.dumps(result))
    return 1 if failure else 0


def _run_part(part: str, progress: Progress) -> str | None:
    """The failure that ended the part, with its position; None if the part ended as planned."""
    try:
        with empty_databases(progress.options.kind) as databases:
            PARTS[part](databases, progress)
    except InvariantError as error:
        failure = str(error)
    except Exception:  # noqa: BLE001 - an unexpected error of the program is what this part looks for
        failure = traceback.format_exc()
    else:
        return None
    return f"{progress.position}: {failure}" if progress.position else failure


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.worker")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("kind", choices=["sqlite", "postgresql", "mariadb"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--goal", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    return parser.parse_args()


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
