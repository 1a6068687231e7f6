"""The records of a response, in bounded memory: those of a large response are made again whenever they are used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from sync.catalog.model.records import RawModel, Record, Unread

# A record takes about seven times the memory of its text, so kept records take at most 170 MiB. Making a
# record again costs as much CPU time as making it the first time.
KEPT_BYTES = 24 * 1024 * 1024


class LazyRecords(Mapping[str, Record]):
    """Records by id. ``make`` returns the record of a text; ``size`` is the number of bytes of all texts.

    A record depends on its text alone, so a kept record and one that is made again are equal.
    """

    def __init__(self, make: Callable[[RawModel], Record], size: int) -> None:
        self.cleaned = 0
        """The number of records with ``is_cleaned``."""
        self.unread: dict[Unread, list[str]] = defaultdict(list)
        """The ids of the records with an unread part, by the part."""
        self.costs: dict[str, str | None] = {}
        """The cost of each record: guards need no more of a record, and made again it would cost time."""
        self._make = make
        self._keeps = size <= KEPT_BYTES
        self._texts: dict[str, RawModel] = {}
        self._kept: dict[str, Record] = {}

    def put(self, record: Record, text: RawModel) -> None:
        self.cleaned += record.is_cleaned
        for part in record.unread:
            self.unread[part].append(record.model_id)
        self.costs[record.model_id] = record.cost
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
