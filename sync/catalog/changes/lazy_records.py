"""The records of an answer, however many: what does not fit into memory is made again when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from sync.catalog.model.records import RawModel, Record

# A record takes some seven times its text. Making one again costs what making it did.
KEPT_BYTES = 24 * 1024 * 1024


class LazyRecords(Mapping[str, Record]):
    """Records by id. ``make`` gives the record of a text; ``size`` is how many bytes all texts have together.

    A record is a function of its text alone: whether one was kept or is made again, it is the same.
    """

    def __init__(self, make: Callable[[RawModel], Record], size: int) -> None:
        self.cleaned = 0
        """How many of them are cleaned."""
        self._make = make
        self._keeps = size <= KEPT_BYTES
        self._texts: dict[str, RawModel] = {}
        self._kept: dict[str, Record] = {}

    def put(self, record: Record, text: RawModel) -> None:
        self.cleaned += record.is_cleaned
        self._texts[record.model_id] = text
        if self._keeps:
            self._kept[record.model_id] = record

    def __getitem__(self, model_id: str) -> Record:
        text = self._texts[model_id]
        return self._kept.get(model_id) or self._make(text)

    def __contains__(self, model_id: object) -> bool:
        return model_id in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
