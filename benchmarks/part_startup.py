"""What a command costs before it does anything."""

from __future__ import annotations

from benchmarks.bench import Bench

_RUNS_EACH_ROUND = 2  # short processes: more of them, for steadier medians


def measure_startup(bench: Bench) -> None:
    programs = bench.programs
    bench.alternate(
        "startup",
        {
            "help": lambda: programs.ours("sqlite:////nowhere.db", "--help"),
            "version": lambda: programs.ours("sqlite:////nowhere.db", "--version"),
            "click": lambda: programs.code("import click"),
            "python": lambda: programs.code("pass"),
        },
        rounds=_RUNS_EACH_ROUND * bench.rounds,
    )
