"""The response of one mode after its envelope was checked."""

from __future__ import annotations

from msgspec import Struct

from sync.catalog.model.records import RawModel


class ParsedResponse(Struct, frozen=True):
    """One mode's answer whose envelope is sound; its models are not looked into yet."""

    mode: str
    reported: int
    """The total that the answer states; equal to the number of models."""
    models: tuple[RawModel, ...]
    payload_bytes: int
    payload_sha256: str
    is_split: bool = False
    """Whether it came out of an answer for all modes, where only a model itself can say its mode."""
    is_same: bool = False
    """Whether it is byte by byte the answer that was applied last: then its models are not even cut out."""


class LastAppliedPayload(Struct, frozen=True):
    """The answer that was applied last to a mode; it was taken as a whole, by this version of the normaliser."""

    payload_sha256: str
    models: int
