"""The response for one mode after its envelope was checked."""

from __future__ import annotations

from msgspec import Struct

from sync.catalog.model.records import RawModel


class ParsedResponse(Struct, frozen=True):
    """The response for one mode with a consistent envelope. Its models are not decoded yet."""

    mode: str
    reported: int
    """``data.total``, which equals the number of models."""
    models: tuple[RawModel, ...]
    payload_bytes: int
    payload_sha256: str
    is_split: bool = False
    """Whether it is a part of a response for all modes. Then each model must name its mode."""
    unknown_keys: tuple[str, ...] = ()
    """The keys of the envelope that the API does not document."""
