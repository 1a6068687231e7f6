"""Measures catalog-sync beside a baseline and dlt. A missed target is shown, and fails nothing.

python -m benchmarks --quick --parts sync import --databases sqlite --dlt-python PYTHON
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import Bench, say
from benchmarks.databases import started
from benchmarks.part_sync import SIZES
from benchmarks.process_usage import background
from benchmarks.report import PARTS, all_rows, publish
from benchmarks.result_table import as_text
from benchmarks.results import LATEST, Results, load, this_machine
from tests.support.database_servers import KINDS, missing

_ROUNDS, _QUICK_ROUNDS = 5, 3
_QUICK_SIZES = SIZES[:2]
_QUICK_PARTS = [name for name in PARTS if name != "stress"]


def main(arguments: Sequence[str], now: datetime) -> None:
    options = _parser().parse_args(arguments)
    # The figures of a quick run are printed, and replace nothing.
    results = Results() if options.quick else load(LATEST)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="catalog-sync-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)  # a PostgreSQL that may not run as root reaches its data in here
        (folder / "served").mkdir()
        port = stack.enter_context(background([sys.executable, "-m", "benchmarks.api_server", str(folder / "served")]))
        bench = Bench(
            folder=folder,
            api=f"http://127.0.0.1:{port}",
            dlt_python=str(Path(options.dlt_python).absolute()),  # not resolved: a venv is known by its link
            databases=[stack.enter_context(started(kind, folder / kind)) for kind in _available(options.databases)],
            sizes=options.sizes or (_QUICK_SIZES if options.quick else SIZES),
            rounds=_QUICK_ROUNDS if options.quick else _ROUNDS,
            is_quick=options.quick,
            results=results,
        )
        results.made_on |= {**this_machine(now), **{one.kind: one.version() for one in bench.databases}}
        for name in options.parts or (_QUICK_PARTS if options.quick else PARTS):
            PARTS[name].measure(bench)
            if not options.quick:
                results.save(LATEST)
    if options.quick:
        say(as_text(all_rows(results)))
    else:
        publish()


def _available(kinds: Sequence[str]) -> list[str]:
    for kind in kinds:
        if reason := missing(kind):
            say(f"left out: {reason}")
    return [kind for kind in kinds if not missing(kind)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, help="all by default; with --quick all but stress")
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS, help="all by default")
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, help="numbers of models; all by default")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: some minutes")
    parser.add_argument("--dlt-python", required=True, help="the Python of a venv with benchmarks/requirements.txt")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped
    main(sys.argv[1:], datetime.now(UTC))
