"""The models of a response compared with the listed ones: unchanged ones are recognised, the others decoded.

A model whose text is stored already costs one hash. A model is rejected alone, but a response that cannot
be trusted as a whole is rejected as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from sync.catalog.changes.lazy_records import LazyRecords
from sync.catalog.changes.stored import Listed
from sync.catalog.model.normalise import WrongModeError, fingerprint, normalise
from sync.catalog.model.records import RawModel, Record, Rejected
from sync.catalog.response.api_errors import response_rejected
from sync.catalog.response.parsed import ParsedResponse
from sync.errors import ResponseRejected

# 100 for each of the 200,000 models that MAX_MODELS allows.
MAX_VALUES = 20_000_000


class ClassifiedResponse(Struct, frozen=True):
    """A response with each of its models as unchanged, new or different, or rejected."""

    response: ParsedResponse
    unchanged: frozenset[str]
    """Ids of models whose text is already stored."""
    records: LazyRecords
    """The new models, and those whose text differs, by id. The meaning may still be the same."""
    rejected: tuple[Rejected, ...]

    def missing_from(self, listed: Iterable[str]) -> list[str]:
        """The listed ids that the response lacks, in order. A rejected model with a readable id is not missing."""
        rejected = {model.model_id for model in self.rejected}
        return sorted(
            model_id
            for model_id in listed
            if model_id not in self.unchanged and model_id not in self.records and model_id not in rejected
        )

    @property
    def has_unreadable(self) -> bool:
        """Whether the id of a rejected model could not be read. Then it is unknown which models are missing."""
        return any(model.model_id is None for model in self.rejected)


def classify(response: ParsedResponse, listed: Mapping[str, Listed]) -> ClassifiedResponse:
    """Decodes only the models whose text is not stored yet. Copies of a model that mean the same are one model.

    Raises ``ResponseRejected`` when two models with one id differ, when a model names another mode, and
    when the models to decode have more than ``MAX_VALUES`` values.
    """
    listed_ids = {known.fingerprint: model_id for model_id, known in listed.items()}
    # Copies with the same text are one entry here; copies with other texts are compared below.
    raws = {fingerprint(raw): raw for raw in response.models}
    unchanged = {listed_ids[key]: raw for key, raw in raws.items() if key in listed_ids}
    others = [raw for key, raw in raws.items() if key not in listed_ids]
    _require_few_values(others, response.mode)
    records = LazyRecords(partial(_make_record, response=response), sum(memoryview(raw).nbytes for raw in others))
    rejected: list[Rejected] = []
    for raw in others:
        model = _normalise(raw, response)
        if isinstance(model, Rejected):
            rejected.append(replace(model, raw=raw))  # the part of the response in place of a copy
        elif model.model_id in unchanged:  # a second copy of a model, beside the one whose text is stored
            _require_equal(model, _normalise(unchanged[model.model_id], response), response.mode)
        elif model.model_id in records:
            _require_equal(model, records[model.model_id], response.mode)
        else:
            records.put(model, raw)
    _require_no_rejected_copy(records.keys() | unchanged.keys(), rejected, response.mode)
    return ClassifiedResponse(response, frozenset(unchanged), records, tuple(rejected))


def _require_few_values(raws: Iterable[RawModel], mode: str) -> None:
    """Bounds the memory for decoding: a value of two bytes, such as ``1,``, becomes an object of many bytes.

    Each value but the model itself follows a bracket, a brace or a comma. Those inside strings are
    counted too, which makes no difference at this limit.
    """
    # Counting bytes takes a small part of the time that decoding takes.
    values = sum(raw.count(b",") + raw.count(b"[") + raw.count(b"{") for raw in map(bytes, raws))
    if values > MAX_VALUES:
        raise response_rejected(mode, f"its new and changed models have about {values} values, more than {MAX_VALUES}")


def _normalise(raw: RawModel, response: ParsedResponse) -> Record | Rejected:
    try:
        return normalise(bytes(raw), response.mode, needs_mode=response.is_split)
    except WrongModeError as error:
        raise response_rejected(response.mode, str(error)) from None


def _make_record(raw: RawModel, response: ParsedResponse) -> Record:
    model = _normalise(raw, response)
    assert isinstance(model, Record)  # noqa: S101  # a text that gave a record gives it again
    return model


# Which of two different copies is right cannot be known, so the mode keeps what it has.
def _require_equal(model: Record, other: Record | Rejected, mode: str) -> None:
    if isinstance(other, Rejected) or other.tree != model.tree:
        raise _differing_copies(model.model_id, mode)


def _require_no_rejected_copy(accepted: AbstractSet[str], rejected: Sequence[Rejected], mode: str) -> None:
    # A rejected copy beside an accepted one differs from it, although it cannot be compared.
    for model in rejected:
        if model.model_id is not None and model.model_id in accepted:
            raise _differing_copies(model.model_id, mode)


def _differing_copies(model_id: str, mode: str) -> ResponseRejected:
    return response_rejected(mode, f"it has different models with the id {model_id[:80]!r}")
