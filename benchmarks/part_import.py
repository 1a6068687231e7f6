"""Saved answers imported, against as many syncs of the same; and whether memory grows with the file."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.catalogs import MODES, SEED, Model, as_sent, envelope, made_catalog
from benchmarks.databases import MeasuredDatabase
from benchmarks.process_usage import Sample, middle

_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
_CHANGED_EACH_TIME = 0.01
_TIMES_LONGER = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is imported."""

    models: int
    lines: int
    syncs: int
    """How many of the lines are synced one by one, to compare."""


FULL = (Size(100, 200, 40), Size(1_000, 200, 40))
QUICK = (Size(100, 40, 10),)


def measure_import(bench: Bench, place: MeasuredDatabase, size: Size) -> None:
    name = f"import {place.kind} {size.models}"
    bench.migrated(place, "empty")
    file = bench.folder / "answers.jsonl.gz"
    for times in _TIMES_LONGER if place.kind == "sqlite" else _TIMES_LONGER[:1]:
        lines = size.lines * times
        _write(file, size.models, lines)
        samples = [
            bench.run(bench.programs.ours(place.fresh("empty"), "import", str(file)))
            for _ in range(_rounds(bench, times))
        ]
        bench.results.put(f"{name} lines {lines}", samples)
        _say(bench, f"{name} lines {lines}", middle(samples), lines)
    bench.results.state(name, {"lines": size.lines, "syncs": size.syncs})
    url = place.fresh("empty")
    synced: list[Sample] = []
    for number, catalog in zip(range(size.syncs), snapshots(size.models), strict=False):
        bench.serve("now", as_sent(catalog))
        sample = bench.run(bench.programs.sync(url, "now"))
        synced += [sample] if number else []  # the first one fills the database
    bench.results.put(f"{name} syncs", synced)
    _say(bench, f"{name} syncs", middle(synced), 1)
    bench.results.save()
    file.unlink()
    bench.unserve()
    place.forget()


def snapshots(models: int) -> Iterator[dict[str, list[Model]]]:
    """One catalog after the other, without end; each time 1 % of the costs is another."""
    chance = random.Random(f"{SEED} snapshots")
    catalog = made_catalog(models)
    while True:
        yield catalog
        catalog = {mode: [_moved(chance, model) for model in listed] for mode, listed in catalog.items()}


def _moved(chance: random.Random, model: Model) -> Model:
    if chance.random() >= _CHANGED_EACH_TIME:
        return model
    return {**model, "credits": {**model["credits"], "default_cost": round(chance.uniform(0.5, 50), 3)}}


def _write(path: Path, models: int, lines: int) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        for number, catalog in zip(range(lines), snapshots(models), strict=False):
            sent = as_sent(catalog)
            head = json.dumps({"at": (_BEGIN + number * timedelta(minutes=15)).isoformat()})[:-1]
            parts = (f', "{mode}": '.encode() + envelope(mode, sent[mode]) for mode in MODES)
            file.write(head.encode() + b"".join(parts) + b"}\n")


def _rounds(bench: Bench, times: int) -> int:
    return bench.rounds if times == 1 else 1


def _say(bench: Bench, name: str, sample: Sample, lines: int) -> None:
    each = replace(sample, cpu=sample.cpu / lines, wall=sample.wall / lines)
    memory = sample.rss / 2**20
    bench.say(f"  {name}: CPU {each.cpu:.4f} s, clock {each.wall:.4f} s a snapshot, memory {memory:.0f} MiB")
