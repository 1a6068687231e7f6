"""The measured figures, kept in one JSON file. Each part of the bench replaces its own."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.process_usage import Usage, medians

LATEST = Path(__file__).with_name("results") / "latest.json"


@dataclass
class Results:
    """Runs of processes and counts, by name: ``sync sqlite 10000 unchanged catalog-sync``."""

    made_on: dict[str, str] = field(default_factory=dict)
    runs: dict[str, list[Usage]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def median(self, name: str) -> Usage | None:
        """The medians of what was measured under this name; None when nothing was."""
        return medians(self.runs[name]) if name in self.runs else None

    def save(self, path: Path) -> None:
        """Write a line for each name, so that a difference is easy to read."""
        runs = {
            name: {one.name: [getattr(run, one.name) for run in some] for one in fields(Usage)}
            for name, some in self.runs.items()
        }
        parts = {**asdict(self), "runs": runs}
        text = ",\n".join(f"{json.dumps(name)}: {_lines(part)}" for name, part in parts.items())
        path.write_text(f"{{\n{text}\n}}\n")


def load(path: Path) -> Results:
    """What the file holds; nothing when it does not exist."""
    if not path.exists():
        return Results()
    document = json.loads(path.read_text())
    runs = {
        name: [Usage(*run) for run in zip(*(columns[one.name] for one in fields(Usage)), strict=True)]
        for name, columns in document["runs"].items()
    }
    return Results(document["made_on"], runs, document["facts"])


def this_machine(now: datetime) -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "day": f"{now:%Y-%m-%d}",
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _lines(part: Mapping[str, object]) -> str:
    return "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(part[name])}" for name in sorted(part)) + "\n}"
