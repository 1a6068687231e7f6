"""First sync, unchanged sync, and one with 1 % of the costs changed; beside them floor, imports and peer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.baseline_rows import counted_rows, dump_rows
from benchmarks.bench import Bench
from benchmarks.catalogs import MODES, made_steps
from benchmarks.databases import MeasuredDatabase
from benchmarks.process_usage import BenchError, Command
from benchmarks.write_counters import written
from models_db.engine import migration_engine

SHAPES = {"child": "dlt", "json": "dlt_json"}


@dataclass(frozen=True, slots=True)
class Ready:
    """Answers that are served and databases that are kept, for one kind of database and size of catalog."""

    bench: Bench
    place: MeasuredDatabase
    size: int
    changed_models: int
    """How many models the third look has with another cost, or no more."""
    dump: Path

    @property
    def name(self) -> str:
        return f"{self.place.kind} {self.size}"


@contextmanager
def prepared(bench: Bench, place: MeasuredDatabase, size: int, *, with_peer: bool) -> Iterator[Ready]:
    """Everything that measuring syncs begins from; gone at the end."""
    steps = made_steps(size)
    for name, catalog in (("first", steps.first), ("changed", steps.changed)):
        bench.serve(name, catalog)
    bodies = [(bench.folder / "answers" / "first" / f"{mode}.json").stat().st_size for mode in MODES]
    bench.results.state(f"answers {size}", {"largest": max(bodies), "both": sum(bodies)})
    ready = Ready(bench, place, size, steps.changed_costs + steps.gone, bench.folder / "dump")
    _prepare_ours(ready)
    for shape in SHAPES:
        shutil.rmtree(bench.folder / f"kept-{shape}", ignore_errors=True)
        if with_peer and bench.programs.peer_python and shape in bench.peer_shapes:
            _prepare_peer(ready, shape)
    yield ready
    shutil.rmtree(ready.dump)
    bench.unserve()
    place.forget()


def measure_syncs(ready: Ready) -> None:
    """The three steps, each from an identical copy of a database."""
    bench, place, programs = ready.bench, ready.place, ready.bench.programs
    bench.alternate(
        f"sync {ready.name} first",
        {
            "ours": lambda: programs.sync(place.fresh("empty"), "first"),
            "floor": lambda: programs.floor("write", place.fresh("empty"), "first", ready.dump),
            **_peers(ready, lambda shape: _first_load(ready, shape)),
        },
    )
    bench.alternate(
        f"sync {ready.name} unchanged",
        {
            "ours": lambda: programs.sync(place.fresh("first"), "first"),
            "floor": lambda: programs.floor("read", place.fresh("first"), "first"),
            "imports": lambda: programs.imports(place.kind),
            **_peers(ready, lambda shape: _later_load(ready, shape, "first")),
        },
    )
    bench.alternate(
        f"sync {ready.name} changed",
        {
            "ours": lambda: programs.sync(place.fresh("first"), "changed"),
            **_peers(ready, lambda shape: _later_load(ready, shape, "changed")),
        },
    )


def measure_writes(ready: Ready) -> None:
    """What an unchanged sync writes, and one with 1 % of the costs changed."""
    bench, place = ready.bench, ready.place
    for step, served in (("unchanged", "first"), ("changed", "changed")):
        url = place.fresh("first")
        found = written(place, partial(bench.run, bench.programs.sync(url, served)))
        name = f"writes {ready.name} {step}"
        bench.results.state(name, {**found, "changed_models": ready.changed_models if step == "changed" else 0})
        bench.say(f"  {name}: rows {found['rows']}, bytes {found['bytes']}")
    bench.results.save()


def _prepare_ours(ready: Ready) -> None:
    """At head without data, and after the first sync; the floor is held to writing the same."""
    bench, place = ready.bench, ready.place
    bench.migrated(place, "empty")
    url = place.fresh("empty")
    bench.run(bench.programs.sync(url, "first"))
    dump_rows(url, ready.dump)
    stored = counted_rows(url)
    place.keep("first")
    url = place.fresh("empty")
    bench.run(bench.programs.floor("write", url, "first", ready.dump))
    if counted_rows(url) != stored or stored["models"] != ready.size:
        raise BenchError("the floor does not write the rows that catalog-sync stored")


def _prepare_peer(ready: Ready, shape: str) -> None:
    bench = ready.bench
    sample = bench.run(_first_load(ready, shape))
    if sample.is_cut:
        bench.results.put(f"sync {ready.name} first {SHAPES[shape]}", [sample])
        return
    if _peer_rows(ready.place) != ready.size:
        raise BenchError("the peer did not store every model")
    ready.place.keep(f"peer_{shape}")
    shutil.copytree(bench.folder / "peer", bench.folder / f"kept-{shape}", symlinks=True)


def _peer_rows(place: MeasuredDatabase) -> int:
    table = "models" if place.kind == "sqlite" else "bench.models"
    engine = migration_engine(place.url)
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar() or 0)


def _peers(ready: Ready, make: Callable[[str], Command]) -> dict[str, Callable[[], Command]]:
    """The peer in each shape whose first load came to an end."""
    kept = (shape for shape in SHAPES if (ready.bench.folder / f"kept-{shape}").exists())
    return {SHAPES[shape]: partial(make, shape) for shape in kept}


def _first_load(ready: Ready, shape: str) -> Command:
    folder = ready.bench.folder / "peer"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return ready.bench.programs.peer(shape, ready.place.empty(), "first", folder)


def _later_load(ready: Ready, shape: str, served: str) -> Command:
    """With what the peer remembers beside the database."""
    folder = ready.bench.folder / "peer"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ready.bench.folder / f"kept-{shape}", folder, symlinks=True)
    return ready.bench.programs.peer(shape, ready.place.fresh(f"peer_{shape}"), served, folder)
