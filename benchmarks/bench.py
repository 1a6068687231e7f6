"""What every part of the bench works with, and how processes are measured side by side."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.api_server import save
from benchmarks.catalogs import Catalog
from benchmarks.commands import Programs
from benchmarks.databases import MeasuredDatabase
from benchmarks.process_usage import Command, Sample, measure
from benchmarks.results import Results


@dataclass(frozen=True)
class Bench:
    """One run of the bench."""

    folder: Path
    """A new folder for all that is made here."""
    programs: Programs
    results: Results
    rounds: int
    say: Callable[[str], None]
    peer_shapes: Sequence[str] = ("child", "json")
    """In which shapes the peer is measured."""

    def serve(self, name: str, catalog: Catalog) -> str:
        """Make a catalog servable; gives the name back."""
        save(self.folder / "answers", name, catalog)
        return name

    def unserve(self) -> None:
        shutil.rmtree(self.folder / "answers", ignore_errors=True)

    def run(self, command: Command) -> Sample:
        return measure(command, self.folder)

    def migrated(self, place: MeasuredDatabase, name: str) -> None:
        """Keep a database at head without any data."""
        self.run(self.programs.ours(place.empty(), "migrate"))
        place.keep(name)

    def alternate(
        self, name: str, contenders: Mapping[str, Callable[[], Command]], *, rounds: int | None = None
    ) -> None:
        """Measure all of them in turn, again and again: A B C, A B C.

        Making a command sets up what it needs, an identical copy of a database each time. One that
        was cut off once is not tried again.
        """
        found: dict[str, list[Sample]] = {contender: [] for contender in contenders}
        for _ in range(rounds or self.rounds):
            for contender, make in contenders.items():
                if not any(sample.is_cut for sample in found[contender]):
                    found[contender].append(self.run(make()))
        for contender, samples in found.items():
            self.results.put(f"{name} {contender}", samples)
            self.say(f"  {name} {contender}: {_told(self.results, f'{name} {contender}')}")
        self.results.save()


def _told(results: Results, name: str) -> str:
    found = results.middle(name)
    if found is None:
        return "not measured"
    cut = " (cut off)" if found.is_cut else ""
    return f"CPU {found.cpu:.3f} s, clock {found.wall:.3f} s, memory {found.rss / 2**20:.0f} MiB{cut}"
