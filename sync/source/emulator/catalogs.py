"""The catalogs an emulator serves, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from sync.catalog.modes import MODES
from sync.catalog.response.envelope import BOM, Envelope, EnvelopeData, read_envelope
from sync.catalog.text import one_line
from sync.errors import UsageError
from sync.source.files.jsonl import GZIP_ERRORS, is_saved_responses, open_file, read_saved_responses

_T = TypeVar("_T")

_FORM = "it must be a list of models, an envelope, a list of either, or saved answers in JSON Lines"


@dataclass(frozen=True)
class Catalog:
    """The models of each mode, each as its bytes stood in the file."""

    image: tuple[bytes, ...] = ()
    video: tuple[bytes, ...] = ()


class _Model(msgspec.Struct):
    mode: str | None = None


def load_catalogs(path: Path) -> tuple[Catalog, ...]:
    """The catalogs of a file, at least one.

    The file is one catalog or a list of them: a catalog is a list of models, or an envelope as the
    API sends it. Or it is JSON Lines as ``import`` reads them, a line being a step; a mode that a
    line does not have stays as it was. A model without a mode is an image model. Gzip is unpacked.

    Raises ``UsageError`` for anything else; ``ResponseRejected`` naming a line of a JSON Lines file.
    """
    catalogs = _shared(_from_answers(path) if is_saved_responses(path) else _from_document(path))
    if not catalogs:
        raise UsageError(f"{path} holds no catalog: {_FORM}")
    return catalogs


def _from_answers(path: Path) -> Iterator[Catalog]:
    image: Sequence[bytes] = ()
    video: Sequence[bytes] = ()
    for answer in read_saved_responses(path):
        where = f"{path} line {answer.line}"
        if "all" in answer.payloads:
            both = _by_mode(_models(answer.payloads["all"], where), where)
            image, video = both.image, both.video
        if "image" in answer.payloads:
            image = _models(answer.payloads["image"], where)
        if "video" in answer.payloads:
            video = _models(answer.payloads["video"], where)
        yield Catalog(tuple(image), tuple(video))


def _from_document(path: Path) -> Iterator[Catalog]:
    try:
        with open_file(path) as file:
            document = file.read().removeprefix(BOM).strip()
    except GZIP_ERRORS as error:
        raise UsageError(f"{path} cannot be read: its gzip data is cut or damaged; get the file anew") from error
    if document.startswith(b"{"):
        yield _by_mode(_models(document, str(path)), str(path))
        return
    items = [bytes(item) for item in _decoded(document, list[msgspec.Raw], str(path))]
    if items and all(item.startswith(b"[") or _is_envelope(item) for item in items):
        for item in items:
            yield _by_mode(_models(item, str(path)), str(path))
    else:
        yield _by_mode(items, str(path))


def _is_envelope(item: bytes) -> bool:
    try:
        return bytes(read_envelope(item).read_data().models).startswith(b"[")
    except msgspec.DecodeError:
        return False


def _models(catalog: bytes, where: str) -> list[bytes]:
    models: bytes | msgspec.Raw = catalog
    if not catalog.startswith(b"["):
        data = _decoded(catalog, Envelope, where).data or b"null"
        models = _decoded(data, EnvelopeData, where).models or b"null"
    return [bytes(raw) for raw in _decoded(models, list[msgspec.Raw], where)]


def _by_mode(models: Iterable[bytes], where: str) -> Catalog:
    sorted_out: dict[str, list[bytes]] = {mode: [] for mode in MODES}
    for model in models:
        mode = _decoded(model, _Model, where).mode or "image"
        if mode not in sorted_out:
            raise UsageError(f"{where} has a model of mode {one_line(mode)}: it must be image or video")
        sorted_out[mode].append(model)
    return Catalog(*(tuple(sorted_out[mode]) for mode in MODES))


def _decoded(text: bytes | msgspec.Raw, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{where} cannot be served ({one_line(str(error))}): {_FORM}") from error


def _shared(catalogs: Iterable[Catalog]) -> tuple[Catalog, ...]:
    """The same catalogs, in which equal models are one object: most change little from step to step."""
    known: dict[bytes, bytes] = {}

    def once(models: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(known.setdefault(model, model) for model in models)

    return tuple(Catalog(once(catalog.image), once(catalog.video)) for catalog in catalogs)
