"""Whether a sync, and what people ask, cost the same after years of history as after none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from benchmarks.bench import Bench
from benchmarks.catalogs import made_steps
from benchmarks.databases import MeasuredDatabase
from benchmarks.lives import Shape, last_catalog
from benchmarks.process_usage import Command
from benchmarks.questions import touched_by_question
from benchmarks.seed_history import fill

_ROUNDS_EACH = 2  # a difference of a tenth is to be seen


@dataclass(frozen=True, slots=True)
class Size:
    """How much history there is to be."""

    models: int
    intervals: int
    runs: int


FULL = Size(1_000, 1_000_000, 1_000_000)
QUICK = Size(1_000, 30_000, 30_000)


def _sync(bench: Bench, place: MeasuredDatabase, history: str, served: str) -> Command:
    return bench.programs.sync(place.fresh(history), served)


def measure_growth(bench: Bench, place: MeasuredDatabase, size: Size) -> None:
    """The same syncs and questions with a long history and with none, on copies of the two in turn."""
    name = f"growth {place.kind}"
    steps = made_steps(size.models)
    bench.serve("first", last_catalog(size.models))
    bench.serve("changed", steps.changed)
    bench.migrated(place, "empty")
    bench.run(bench.programs.sync(place.fresh("empty"), "first"))
    place.keep("none")
    url = place.fresh("empty")
    shape = Shape(size.models, size.intervals, size.runs, raw_bytes=300, end=datetime.now(UTC))
    bench.say(f"  {name}: {fill(url, shape)}")
    # From here on both have been synced by the program itself, and have the same days.
    bench.run(bench.programs.sync(url, "first"))
    place.keep("grown")
    bench.results.state(name, {"models": size.models, "intervals": size.intervals, "runs": size.runs})
    for step, served in (("unchanged", "first"), ("changed", "changed")):
        bench.alternate(
            f"{name} {step}",
            {history: partial(_sync, bench, place, history, served) for history in ("none", "grown")},
            rounds=_ROUNDS_EACH * bench.rounds,
        )
    found = touched_by_question(place.fresh("grown"), shape)
    bench.results.state(f"{name} questions", found)
    bench.say(f"  {name} questions: {found}")
    bench.results.save()
    bench.unserve()
    place.forget()
