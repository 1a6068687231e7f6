"""Measures catalog-sync, and prints the targets with what was reached. Fails nothing.

python -m benchmarks --quick --parts startup sync --databases sqlite --sizes 100 1000
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import part_history, part_import
from benchmarks.bench import Bench
from benchmarks.commands import Programs
from benchmarks.databases import KINDS, MeasuredDatabase, missing, place_of
from benchmarks.part_startup import measure_startup
from benchmarks.part_sync import SHAPES, measure_syncs, measure_writes, prepared
from benchmarks.process_usage import background
from benchmarks.report import printed, publish
from benchmarks.results import LATEST, load, this_machine

PARTS = ("startup", "sync", "writes", "growth", "import")
SIZES = (100, 1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be measured."""

    parts: Sequence[str]
    databases: Sequence[str]
    sizes: Sequence[int]
    is_quick: bool


def main(arguments: Sequence[str], now: datetime) -> None:
    options = _parser().parse_args(arguments)
    choice = Choice(options.parts, options.databases, options.sizes or _sizes(options.quick), options.quick)
    folder = Path(tempfile.mkdtemp(prefix="catalog-sync-bench-"))
    folder.chmod(0o755)  # a server that may not run as root reaches its own folder in here
    # What a quick run found is printed and forgotten.
    results = load(folder / "quick.json" if options.quick else LATEST)
    results.made_on |= this_machine(now)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        port = stack.enter_context(background([sys.executable, "-m", "benchmarks.api_server", str(folder / "answers")]))
        programs = Programs(
            _absolute(options.python), _absolute(options.peer_python), f"http://127.0.0.1:{port}", options.peer_limit
        )
        rounds = options.rounds or (3 if options.quick else 5)
        bench = Bench(folder, programs, results, rounds, _say, options.peer_shapes)
        measure_all(bench, choice)
    if options.quick:
        _say(printed(results))
    else:
        publish()


def measure_all(bench: Bench, choice: Choice) -> None:
    if "startup" in choice.parts:
        measure_startup(bench)
    for kind in choice.databases:
        reason = missing(kind)
        if reason:
            bench.say(f"{kind} is left out: {reason}")
            continue
        with place_of(kind, bench.folder) as place:
            bench.results.made_on[kind] = place.version
            _measure_in(bench, place, choice)


def _measure_in(bench: Bench, place: MeasuredDatabase, choice: Choice) -> None:
    if {"sync", "writes"} & {*choice.parts}:
        for size in choice.sizes:
            with prepared(bench, place, size, with_peer="sync" in choice.parts) as ready:
                if "writes" in choice.parts:
                    measure_writes(ready)
                if "sync" in choice.parts:
                    measure_syncs(ready)
    if "growth" in choice.parts:
        part_history.measure_growth(bench, place, part_history.QUICK if choice.is_quick else part_history.FULL)
    if "import" in choice.parts:
        for load in part_import.QUICK if choice.is_quick else part_import.FULL:
            part_import.measure_import(bench, place, load)


def _sizes(is_quick: bool) -> Sequence[int]:  # noqa: FBT001 - one switch of the command line
    return SIZES[:2] if is_quick else SIZES


def _say(line: str) -> None:
    print(line, flush=True)


def _absolute(program: str) -> str:
    """Measured programs run in another folder. A link is not followed: a venv is known by its path."""
    return str(Path(program).absolute()) if program else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--databases", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--sizes", nargs="+", type=int, help="models; 100, 1,000, 10,000 and 100,000 unless given")
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds: some minutes")
    parser.add_argument("--rounds", type=int, help="runs of each process, in alternation; 5 unless given, 3 if quick")
    parser.add_argument("--python", default=sys.executable, help="that of the venv with the catalog-sync under test")
    parser.add_argument("--peer-python", default="", help="that of a venv with dlt; the peer is left out without")
    parser.add_argument(
        "--peer-shapes", nargs="+", choices=tuple(SHAPES), default=tuple(SHAPES), help="both unless given"
    )
    parser.add_argument("--peer-limit", type=int, default=600, help="seconds after which a run of the peer is cut off")
    return parser


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped all the same
    main(sys.argv[1:], datetime.now(UTC))
