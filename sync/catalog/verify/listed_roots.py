"""The root over the listed models after every run, in the order of the seals: recomputed, or compared. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from sync.catalog.seal import SEALED_STATUSES, lines_root, listed_line
from sync.catalog.verify.findings import StoredRow, format_value


class RepeatedRoots:
    """Whether runs that changed nothing in a mode left its root as it was. Runs are passed in the order of their seals.

    It follows no models, and so costs little: the root of a run that changed something is taken as it is.
    """

    def __init__(self) -> None:
        self._last: dict[str, object] = {}

    def problems(self, facts: Iterable[str], modes: Sequence[StoredRow]) -> Iterator[str]:
        """What is wrong with the ``listed_root`` of a run in each mode; ``facts`` are its fact lines."""
        for mode in {line.split('"', 4)[3] for line in facts}:
            self._last.pop(mode, None)
        for row in modes:
            mode, stored = str(row["mode"]), row["listed_root"]
            if row["status"] not in SEALED_STATUSES:
                continue  # it may repeat an older one than the last
            if stored != (last := self._last.setdefault(mode, stored)):
                yield (
                    f"listed_root of mode {mode} is {format_value(stored)}, but the run changed nothing in it, and the"
                    f" one before left {format_value(last)}"
                )


class ListedRoots:
    """Follows which models are listed in each mode. Runs are passed in the order of their seals."""

    def __init__(self) -> None:
        self._listed: dict[str, dict[str, str]] = defaultdict(dict)
        self._roots: dict[str, str] = {}
        self._earlier: dict[str, set[object]] = defaultdict(lambda: {None})

    def problems(self, facts: Iterable[str], modes: Sequence[StoredRow]) -> Iterator[str]:
        """What is wrong with the ``listed_root`` of a run in each mode; ``facts`` are its fact lines."""
        for mode in self._follow(facts):
            self._roots.pop(mode, None)
        for row in modes:
            mode, stored = str(row["mode"]), row["listed_root"]
            # A mode that was not applied repeats what an earlier run left, or one that was committed in between.
            if row["status"] not in SEALED_STATUSES:
                if stored not in self._earlier[mode]:
                    yield f"listed_root of mode {mode} is {format_value(stored)}, which no run before it left"
                continue
            if stored != (expected := self._root(mode)):
                yield f"listed_root of mode {mode} is {format_value(stored)}, but the versions give {expected}"
            # An imported run of an older version counted no listed models.
            if row["models_listed"] not in (None, number := len(self._listed[mode])):
                yield f"models_listed of mode {mode} is {format_value(row['models_listed'])}, but {number} were listed"
            self._earlier[mode].add(expected)

    def _follow(self, facts: Iterable[str]) -> set[str]:
        """Applies the facts of a run, or of all older ones; returns the modes that they are of."""
        versions = [json.loads(line) for line in facts]
        opened = {
            (mode, model_id, start): digest for kind, mode, model_id, start, digest in versions if kind == "opened"
        }
        for kind, mode, model_id, start, _ in versions:
            # In older history a version may be opened and closed. Else the run before opened what this one closes.
            if kind == "closed" and opened.pop((mode, model_id, start), None) is None:
                self._listed[mode].pop(model_id, None)
        for (mode, model_id, _), digest in opened.items():
            self._listed[mode][model_id] = digest
        return {mode for _, mode, *_ in versions}

    def _root(self, mode: str) -> str:
        if mode not in self._roots:
            lines = (listed_line(mode, model_id, digest) for model_id, digest in self._listed[mode].items())
            self._roots[mode] = lines_root(lines)
        return self._roots[mode]
