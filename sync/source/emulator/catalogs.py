"""The catalogs that an emulator serves, one after the other."""

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
from sync.source.files.input_file import GZIP_ERRORS, open_file
from sync.source.files.jsonl import is_saved_responses, read_saved_responses

_T = TypeVar("_T")

_FORM = "give a list of models, an envelope, a list of either, or saved responses in JSON Lines"


@dataclass(frozen=True)
class Catalog:
    """The models of each mode, each with its bytes as they are in the file."""

    image: tuple[bytes, ...] = ()
    video: tuple[bytes, ...] = ()


class _Model(msgspec.Struct):
    mode: str | None = None


def load_catalogs(path: Path) -> tuple[Catalog, ...]:
    """The catalogs of a file, at least one.

    The file has one catalog or a list of them. A catalog is a list of models, or an envelope as the API sends
    it. The file may also be JSON Lines as ``import`` reads them: each line is a step, and a mode that is
    missing in a line stays unchanged. A model without a mode is an image model. Gzip is decompressed.

    Raises ``UsageError`` for any other file, and ``ResponseRejected`` with the number of an invalid line.
    """
    catalogs = _with_shared_models(_from_saved(path) if is_saved_responses(path) else _from_document(path))
    if not catalogs:
        raise UsageError(f"{path} cannot be served: it has no catalog; {_FORM}")
    return catalogs


def _from_saved(path: Path) -> Iterator[Catalog]:
    image: Sequence[bytes] = ()
    video: Sequence[bytes] = ()
    for saved in read_saved_responses(path):
        where = f"{path} line {saved.line}"
        if "all" in saved.payloads:
            both = _by_mode(_models(saved.payloads["all"], where), where)
            image, video = both.image, both.video
        if "image" in saved.payloads:
            image = _models(saved.payloads["image"], where)
        if "video" in saved.payloads:
            video = _models(saved.payloads["video"], where)
        yield Catalog(tuple(image), tuple(video))


def _from_document(path: Path) -> Iterator[Catalog]:
    try:
        with open_file(path) as file:
            document = file.read().removeprefix(BOM).strip()
    except GZIP_ERRORS as error:
        raise UsageError(f"{path} cannot be read: the gzip data is truncated or damaged; get the file again") from error
    if document.startswith(b"{"):
        yield _by_mode(_models(document, str(path)), str(path))
        return
    items = [bytes(item) for item in _decode(document, list[msgspec.Raw], str(path))]
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
        data = _decode(catalog, Envelope, where).data or b"null"
        models = _decode(data, EnvelopeData, where).models or b"null"
    return [bytes(raw) for raw in _decode(models, list[msgspec.Raw], where)]


def _by_mode(models: Iterable[bytes], where: str) -> Catalog:
    by_mode: dict[str, list[bytes]] = {mode: [] for mode in MODES}
    for model in models:
        mode = _decode(model, _Model, where).mode or "image"
        if mode not in by_mode:
            raise UsageError(f"{where} cannot be served: it has a model of mode {one_line(mode)}; use image or video")
        by_mode[mode].append(model)
    return Catalog(*(tuple(by_mode[mode]) for mode in MODES))


def _decode(text: bytes | msgspec.Raw, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{where} cannot be served: {one_line(str(error))}; {_FORM}") from error


def _with_shared_models(catalogs: Iterable[Catalog]) -> tuple[Catalog, ...]:
    """The same catalogs with equal models as one object, since few models change from one step to the next."""
    known: dict[bytes, bytes] = {}

    def shared(models: tuple[bytes, ...]) -> tuple[bytes, ...]:
        return tuple(known.setdefault(model, model) for model in models)

    return tuple(Catalog(shared(catalog.image), shared(catalog.video)) for catalog in catalogs)
