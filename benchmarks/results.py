"""The figures, kept as JSON: one file that parts of the bench add to, each replacing its own."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.process_usage import Sample, middle

LATEST = Path(__file__).with_name("results") / "latest.json"
_MIB = 1024 * 1024


@dataclass
class Results:
    """Samples of processes and plain facts, by name: ``sync sqlite 10000 unchanged ours``."""

    path: Path
    made_on: dict[str, str] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, samples: Sequence[Sample]) -> None:
        self.samples[name] = list(samples)

    def state(self, name: str, fact: object) -> None:
        """Keep a fact: a number, or an object of numbers."""
        self.facts[name] = fact

    def middle(self, *words: object) -> Sample | None:
        """The medians of what was measured under this name; None when nothing was."""
        found = self.samples.get(" ".join(map(str, words)))
        return middle(found) if found else None

    def fact(self, *words: object) -> Any:
        return self.facts.get(" ".join(map(str, words)))

    def save(self) -> None:
        """Write all of it, a line for each name, so that a change is easy to read."""
        document: dict[str, Mapping[str, object]] = {
            "made_on": self.made_on,
            "samples": {name: _told(samples) for name, samples in sorted(self.samples.items())},
            "facts": dict(sorted(self.facts.items())),
        }
        parts = (f"{json.dumps(name)}: {_lines(value)}" for name, value in document.items())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


def load(path: Path) -> Results:
    """What the file holds; nothing when there is none."""
    found = json.loads(path.read_text()) if path.exists() else {}
    samples = {name: _samples(told) for name, told in found.get("samples", {}).items()}
    return Results(path, found.get("made_on", {}), samples, found.get("facts", {}))


def this_machine(now: datetime) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "day": f"{now:%Y-%m-%d}",
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 1024**3:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _lines(value: Mapping[str, object]) -> str:
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items()) + "\n}"


def _told(samples: Sequence[Sample]) -> dict[str, object]:
    told: dict[str, object] = {
        "cpu": [sample.cpu for sample in samples],
        "wall": [sample.wall for sample in samples],
        "rss_mib": [round(sample.rss / _MIB, 1) for sample in samples],
    }
    return {**told, "cut": True} if any(sample.is_cut for sample in samples) else told


def _samples(told: Mapping[str, Any]) -> list[Sample]:
    rows = zip(told["cpu"], told["wall"], told["rss_mib"], strict=True)
    return [Sample(cpu, wall, rss * _MIB, told.get("cut", False)) for cpu, wall, rss in rows]
