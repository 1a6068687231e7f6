"""The fact lines and the listed models that stored versions give, collected model by model. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from hashlib import sha256

from sync.catalog.seal import closed_line, lines_root, listed_line, opened_line
from sync.catalog.verify.findings import StoredRow


class SealedFacts:
    """What versions say about the runs that opened and closed them. A value that cannot be read gives no line."""

    def __init__(self) -> None:
        self._facts: dict[int, list[str]] = defaultdict(list)
        self._listed: dict[str, list[str]] = defaultdict(list)

    def add(self, model: StoredRow, versions: Iterable[StoredRow]) -> None:
        """Adds a row of ``models`` and all its versions."""
        mode, model_id = model["mode"], model["model_id"]
        if isinstance(mode, str) and isinstance(model_id, str):
            for version in versions:
                self._add_version(mode, model_id, version, is_listed=model["removed_at"] is None)

    def _add_version(self, mode: str, model_id: str, version: StoredRow, *, is_listed: bool) -> None:
        raw, valid_from, valid_to = version["raw"], version["valid_from"], version["valid_to"]
        opened_by, closed_by = version["opened_run_id"], version["closed_run_id"]
        if not isinstance(raw, str) or not isinstance(valid_from, datetime):
            return
        digest = sha256(raw.encode(errors="surrogatepass")).hexdigest()
        if isinstance(opened_by, int):
            self._facts[opened_by].append(opened_line(mode, model_id, valid_from, digest))
        if isinstance(closed_by, int) and isinstance(valid_to, datetime):
            self._facts[closed_by].append(closed_line(mode, model_id, valid_from, valid_to))
        if valid_to is None and is_listed:
            self._listed[mode].append(listed_line(mode, model_id, digest))

    def of_run(self, run_id: int) -> Sequence[str]:
        """The fact lines of a run, in no order."""
        return self._facts.get(run_id, ())

    def of_older_runs(self, sealed: Container[int]) -> tuple[int, list[str]]:
        """The last run that is not among these and opened or closed a version, 0 without one; and all such facts."""
        older = [run_id for run_id in self._facts if run_id not in sealed]
        return max(older, default=0), [line for run_id in older for line in self._facts[run_id]]

    def listed_root(self, mode: str) -> str:
        """The root over the models that are listed now."""
        return lines_root(self._listed[mode])
