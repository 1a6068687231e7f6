"""One part of a campaign on one kind of database: python -m tests.torture.worker PART KIND ...

It runs in a process of its own, tells its progress and its figures on stdout in JSON, a line each,
and exits 1 when something broke.
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

from tests.torture import calls, crowd, kills, machine, mutants
from tests.torture.database_under_test import BrokenError, Ground, ground
from tests.torture.progress import Ledger, Order

PARTS: dict[str, Callable[[Ground, Ledger], None]] = {
    "kills": kills.run,
    "calls": calls.run,
    "machine": machine.run,
    "mutants": mutants.run,
    "crowd": crowd.run,
}


def main() -> int:
    given = _arguments()
    warnings.simplefilter("ignore")  # the embedded PostgreSQL complains of the machine's set-up
    order = Order(given.seed, given.kind, given.goal, given.first)
    ledger = Ledger(order, time.monotonic() + given.minutes * 60, _tell)
    gc.freeze()  # so that forked processes share what was loaded
    began, broken = time.monotonic(), None
    try:
        with ground(given.kind) as place:
            PARTS[given.part](place, ledger)
    except BrokenError as error:
        broken = str(error)
    except Exception:  # noqa: BLE001 - a fault of the program or of this one: shown as it is
        broken = traceback.format_exc()
    where = f"{ledger.place}: " if broken and ledger.place else ""
    seconds = time.monotonic() - began
    figures = {"done": ledger.done, "seconds": seconds, "figures": ledger.figures, "place": ledger.place}
    _tell(json.dumps({**figures, "broken": f"{where}{broken}" if broken else None}))
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.worker")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("kind", choices=["sqlite", "postgresql", "mariadb"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--goal", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    return parser.parse_args()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
