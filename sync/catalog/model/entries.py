"""Named entries of ``params`` and ``inputs``, in the shapes in which catalogs of AI models send them.

The API documents no shape. Those read here are the ones of public catalogs: an object by name, a list of
objects with a name, and a JSON Schema document. Nothing is guessed: what has another shape gives no entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from sync.catalog.json.tree import Number, Tree

Fields: TypeAlias = Mapping[str, Tree]

BRANCHES = ("anyOf", "oneOf", "allOf")
_NAMES = ("name", "id", "key")
_FLAGS = ("required", "is_required", "isRequired")
_FLAG_TEXTS = {"true": 1, "1": 1, "false": 0, "0": 0}
# An object with nothing but these fields is a JSON Schema document, or one in its envelope, and not an object
# of entries by name: nobody has parameters called additionalProperties and properties.
_SCHEMA_FIELDS = frozenset(
    ("$schema", "$id", "$defs", "$comment", "definitions", "title", "description", "type", "version", "strict")
) | {"properties", "required", "additionalProperties", "schema", *BRANCHES}


class Entry(Struct, frozen=True):
    """What a section has under one name."""

    value: Tree
    is_required: int | None = None
    """1 or 0 as the entry or the JSON Schema document around it says; None when neither says anything."""
    is_property: bool = False
    """Whether the entry is a property of a JSON Schema document, where ``true`` is a schema and no value."""


class Entries(Struct, frozen=True):
    """The entries of a section by name."""

    by_name: dict[str, Entry]
    is_complete: bool = True
    """Whether the whole section was recognised."""


def named_entries(section: Tree) -> Entries:
    """The entries of a section. Of several entries in a list with one name the first is taken."""
    if isinstance(section, list):
        return _entries_of_list(section)
    if not isinstance(section, dict):
        return Entries({}, is_complete=False)
    document = _schema_document(section)
    if document is not None:
        return _entries_of_document(document)
    if _is_schema(section) and _is_in_parts(section):
        return Entries({}, is_complete=False)  # its parts are not put together here
    return Entries({name: Entry(value, required_flag(value)) for name, value in section.items()})


def name_of(item: Tree | None) -> str | None:
    """The name of an object in a list: the first of name, id and key that is a string."""
    names = (item.get(field) for field in _NAMES) if isinstance(item, dict) else ()
    return next((name for name in names if isinstance(name, str)), None)


def required_flag(entry: Tree) -> int | None:
    """1 or 0 where an entry, or its ``schema``, says whether it is required: as a boolean, or as the text of one."""
    if not isinstance(entry, dict):
        return None
    flags = (_flag(entry[field]) for field in _FLAGS if field in entry)
    own = next((flag for flag in flags if flag is not None), None)
    return required_flag(entry.get("schema", "")) if own is None else own


def _entries_of_list(section: list[Tree | None]) -> Entries:
    entries: dict[str, Entry] = {}
    is_complete = True
    for value in section:
        name = name_of(value)
        if name is None or value is None:
            is_complete = is_complete and value is None
        elif entries.setdefault(name, Entry(value, required_flag(value))).value != value:
            is_complete = False  # which of the two is meant cannot be known
    return Entries(entries, is_complete)


def _schema_document(section: Fields) -> Fields | None:
    """The JSON Schema document that a section is or has under ``schema``; None for an object of entries by name."""
    inner, properties = section.get("schema"), section.get("properties")
    is_declared = section.get("type") == "object" or "$schema" in section
    if properties is None:
        if isinstance(inner, dict) and _is_schema(section):
            return _schema_document(inner)
        return section if is_declared and _is_schema(section) and not _is_in_parts(section) else None
    if not isinstance(properties, dict) or not all(isinstance(value, (dict, bool)) for value in properties.values()):
        return None  # a parameter that happens to be called properties
    return section if is_declared or isinstance(section.get("required"), list) or _is_schema(section) else None


def _is_schema(section: Fields) -> bool:
    return all(name in _SCHEMA_FIELDS or name.startswith(("$", "x-")) for name in section)


def _is_in_parts(section: Fields) -> bool:
    return any(name in section for name in (*BRANCHES, "$ref"))


def _entries_of_document(document: Fields) -> Entries:
    properties, required = document.get("properties", {}), document.get("required", [])
    listed: Tree = [required] if isinstance(required, str) else required
    names = {name for name in listed if isinstance(name, str)} if isinstance(listed, list) else None
    entries = {
        name: Entry(value, _required(name, value, names), is_property=True)
        for name, value in (properties.items() if isinstance(properties, dict) else ())
    }
    return Entries(entries, is_complete=names is not None)


def _required(name: str, value: Tree, required: set[str] | None) -> int | None:
    """Whether a property is required. One that the document does not list is not, unless it says so itself."""
    if required is None:
        return required_flag(value)
    return 1 if name in required else required_flag(value) or 0


def _flag(value: Tree) -> int | None:
    text = value.text if isinstance(value, Number) else str(value) if isinstance(value, (bool, str)) else ""
    return _FLAG_TEXTS.get(text.lower())
