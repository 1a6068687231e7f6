"""The parts of a model that gave no rows although they were sent, and the notes of a run about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sync.catalog.json.tree import MAX_KEY_CHARACTERS
from sync.catalog.model.parts import KeyedValue, ModelParts, is_key
from sync.catalog.model.records import Unread
from sync.catalog.text import one_line

_SHAPE = "have a shape that is not recognised and gave no rows"
_ENTRIES = "have entries of a shape that is not recognised and that gave no rows"
_KEYS = (
    f"have names that cannot be keys (empty, longer than {MAX_KEY_CHARACTERS} characters, or with NUL or a lone"
    " surrogate) and that gave no rows"
)
_NO_TEXT = "is not a text and gave no value"
_NAMED_MODELS = 3
_ID_LIMIT = 80  # characters of an id in a note


def unread_parts(parts: ModelParts) -> Iterator[Unread]:
    """The parts of an accepted model that its rows lack. Its version has their text."""
    tree, params, inputs = parts.tree, parts.param_entries, parts.inputs
    for name in ("name", "provider", "description"):
        if not isinstance(tree.get(name, ""), str):
            yield Unread(name, _NO_TEXT)
    if not isinstance(parts.credits.get("notes", ""), str):
        yield Unread("credits.notes", _NO_TEXT)
    yield from _unkeyed("credits", parts.credit_details)
    yield from _unread_entries("params", params.by_name, is_complete=params.is_complete)
    yield from _unread_entries("inputs", [name for _, name in inputs.names], is_complete=inputs.is_complete)
    if not isinstance(tree.get("capabilities", {}), dict):
        yield Unread("capabilities", _SHAPE)
    yield from _unkeyed("capabilities", parts.capabilities)


def unread_notes(models: Mapping[Unread, Iterable[str]], mode: str) -> Iterator[str]:
    """A clause for each part that the models with these ids have unread: their number, and some of the ids."""
    for unread, ids in sorted(models.items()):
        ordered = sorted(ids)
        named = ", ".join(one_line(model_id, _ID_LIMIT) for model_id in ordered[:_NAMED_MODELS])
        more = len(ordered) - _NAMED_MODELS
        noun = "model" if len(ordered) == 1 else "models"
        rest = f" and {more} more" if more > 0 else ""
        yield f"{unread.part} of {len(ordered)} {mode} {noun} {unread.problem}: {named}{rest}"


def _unkeyed(part: str, values: Iterable[KeyedValue]) -> Iterator[Unread]:
    if any(name is None for name, _ in values):
        yield Unread(part, _KEYS)


def _unread_entries(part: str, names: Iterable[str], *, is_complete: bool) -> Iterator[Unread]:
    if not is_complete:
        yield Unread(part, _ENTRIES if [*names] else _SHAPE)
    if not all(map(is_key, names)):
        yield Unread(part, _KEYS)
