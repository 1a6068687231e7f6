"""An answer held against what is listed: the unchanged set aside, the rest decoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from msgspec import Struct

from sync.catalog.changes.lazy_records import LazyRecords
from sync.catalog.changes.stored import Listed
from sync.catalog.model.normalise import WrongModeError, fingerprint, normalise
from sync.catalog.model.records import RawModel, Record, Rejected
from sync.catalog.response.api_errors import response_rejected
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import ResponseRejected

# A hundred for each of MAX_MODELS models.
MAX_VALUES = 20_000_000


class ClassifiedResponse(Struct, frozen=True):
    """A whole response, each model looked at as far as it needs to be."""

    response: ParsedResponse
    unchanged: frozenset[str]
    """Ids of models whose text is the one already stored."""
    records: LazyRecords
    """Models that are new or whose text differs."""
    rejected: tuple[Rejected, ...]

    def missing_from(self, listed: Mapping[str, Listed]) -> list[str]:
        """Listed ids that the answer lacks, in order. A rejected model with a readable id was seen."""
        seen = {rejected.model_id for rejected in self.rejected}
        return sorted(
            id_ for id_ in listed if id_ not in self.unchanged and id_ not in self.records and id_ not in seen
        )

    @property
    def has_unreadable(self) -> bool:
        """Whether some model's id could not be read, so that nobody can say what is missing."""
        return any(rejected.model_id is None for rejected in self.rejected)


def all_unchanged(response: ParsedResponse) -> ClassifiedResponse:
    """An answer that was applied before: what is listed is what it holds."""
    return ClassifiedResponse(response, frozenset(), LazyRecords(partial(_record, response=response), 0), ())


def classify(response: ParsedResponse, listed: Mapping[str, Listed]) -> ClassifiedResponse:
    """Decodes only what is not stored already; equal copies of a model are one.

    Raises ``ResponseRejected`` when differing models share an id, one names another mode, or those
    to be decoded hold more than ``MAX_VALUES`` values.
    """
    ids = {known.fingerprint: model_id for model_id, known in listed.items()}
    texts = {fingerprint(raw): raw for raw in response.models}
    unchanged = {ids[key]: raw for key, raw in texts.items() if key in ids}
    others = [raw for key, raw in texts.items() if key not in ids]
    _require_few_values(others, response.mode)
    records = LazyRecords(partial(_record, response=response), sum(memoryview(raw).nbytes for raw in others))
    rejected: list[Rejected] = []
    for raw in others:
        model = _normalise(raw, response)
        if isinstance(model, Rejected):
            rejected.append(model)
        elif model.model_id in unchanged:
            _require_equal(model, _normalise(unchanged[model.model_id], response), response.mode)
        elif model.model_id in records:
            _require_equal(model, records[model.model_id], response.mode)
        else:
            records.put(model, raw)
    _require_no_rejected_copy(records.keys() | unchanged.keys(), rejected, response.mode)
    return ClassifiedResponse(response, frozenset(unchanged), records, tuple(rejected))


def _require_few_values(raws: Iterable[RawModel], mode: str) -> None:
    """Bounds what decoding can cost: in a dense text each byte would become many.

    Each value but a model itself follows a bracket, a brace or a comma; those within texts are few.
    """
    values = sum(raw.count(b",") + raw.count(b"[") + raw.count(b"{") for raw in map(bytes, raws))
    if values > MAX_VALUES:
        raise response_rejected(mode, f"its new and changed models have about {values} values, more than {MAX_VALUES}")


def _normalise(raw: RawModel, response: ParsedResponse) -> Record | Rejected:
    try:
        return normalise(bytes(raw), response.mode, needs_mode=response.is_split)
    except WrongModeError as error:
        raise response_rejected(response.mode, str(error)) from None


def _record(raw: RawModel, response: ParsedResponse) -> Record:
    model = _normalise(raw, response)
    assert isinstance(model, Record)  # noqa: S101  # a text that made a record makes it again
    return model


def _require_equal(model: Record, other: Record | Rejected, mode: str) -> None:
    if isinstance(other, Rejected) or other.tree != model.tree:
        raise _differing_copies(model.model_id, mode)


def _require_no_rejected_copy(taken: AbstractSet[str], rejected: Sequence[Rejected], mode: str) -> None:
    for model in rejected:
        if model.model_id is not None and model.model_id in taken:
            raise _differing_copies(model.model_id, mode)


def _differing_copies(model_id: str, mode: str) -> ResponseRejected:
    return response_rejected(mode, f"it has different models with the id {model_id[:80]!r}")
