"""What the tables must have of a model, read from its text without the program's code.

It knows the shapes of ``params`` and of prices, and which names can be keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]

_EXACT = Context(prec=200)
_SMALLEST = Decimal("1e-12")
_INTEGER_DIGITS, _LONGEST = 12, 80
_PARTS = {"anyOf", "oneOf", "allOf"}
_DOCUMENT = {"properties", "required", "title", "description", "additionalProperties", "definitions", "type"} | {
    *("version", "strict", "schema"),
    *_PARTS,
}


def text_of(value: Any) -> str | None:
    """A text as a column has it, without what no database stores; None for anything else."""
    if not isinstance(value, str):
        return None
    return "".join("\ufffd" if _is_lone(char) else char for char in value if char != "\0")


def params_of(value: Any) -> dict[str, Any]:
    """The definition of each parameter that has a row, by name."""
    return {name: entry for name, entry in _named(_without_nulls(value)).items() if is_key(name)}


def capabilities_of(value: Any) -> set[str]:
    """The dotted paths of the capabilities that have rows."""
    paths = _capabilities(_without_nulls(value), ()) if isinstance(value, dict) else ()
    return {name for path in paths if (name := _path(path)) is not None}


def detail_findings(credits_: Any, rows: list[dict[str, Any]]) -> Iterator[str]:
    """What is wrong with the rows of ``credit_details``, compared with the credits that were sent."""
    sent = {name: value for name, value in (credits_ or {}).items() if name not in {"default_cost", "notes"}}
    unmatched = {row["path"]: row for row in rows}
    for path, values in _details(_without_nulls(sent), ()):
        # The entries of a set have places in an order of the program's own.
        places = [unmatched.pop(name) for name in _names_of(path, values) if name in unmatched]
        for value in values if _names_of(path, values) else ():
            row = next((row for row in places if _is_detail(row, value)), None)
            if row is None:
                yield f"has no row of credit_details for {value!r} at {path}"
            else:
                places.remove(row)
        yield from (f"has {row} in credit_details, which was not sent" for row in places)
    yield from (f"has {path!r} in credit_details, which was not sent" for path in unmatched)


def number_of(value: Any) -> Decimal | None:
    """The number that a NUMERIC(24,12) column holds; None for a text, and for a number too large or too long."""
    if not isinstance(value, Decimal) or (value and value.adjusted() >= _INTEGER_DIGITS):
        return None
    _, digits, exponent = value.as_tuple()
    figures = "".join(map(str, digits))
    shortest = figures.rstrip("0")
    places = -int(exponent) - (len(figures) - len(shortest))
    if value and max(places, len(shortest.lstrip("0"))) > _LONGEST:
        return None
    rounded = Decimal(round(Fraction(value) * 10**12)).scaleb(-12, _EXACT)
    return rounded if abs(rounded) < 10**_INTEGER_DIGITS else None


def is_key(text: str) -> bool:
    return 0 < len(text) <= 255 and not any(char == "\0" or _is_lone(char) for char in text)


def _is_lone(char: str) -> bool:
    return "\ud800" <= char <= "\udfff"


def _named(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        named = ((_name(entry), entry) for entry in value)
        return {name: entry for name, entry in reversed([*named]) if name is not None}  # the first of a name stays
    if not isinstance(value, dict):
        return {}
    if _is_document(value):
        properties, inner = value.get("properties"), value.get("schema")
        return properties or (_named(inner) if properties is None and isinstance(inner, dict) else {})
    return {} if _only_schema(value) and _has_parts(value) else value


def _is_document(value: dict[str, Any]) -> bool:
    is_declared = value.get("type") == "object" or "$schema" in value
    properties = value.get("properties")
    if properties is None:
        inner = value.get("schema")
        is_inside = _is_document(inner) if isinstance(inner, dict) else is_declared and not _has_parts(value)
        return _only_schema(value) and is_inside
    is_object = isinstance(properties, dict) and all(isinstance(one, (dict, bool)) for one in properties.values())
    return is_object and (_only_schema(value) or is_declared or isinstance(value.get("required"), list))


def _only_schema(value: dict[str, Any]) -> bool:
    return all(name in _DOCUMENT or name[:1] == "$" or name[:2] == "x-" for name in value)


def _has_parts(value: dict[str, Any]) -> bool:
    return bool({*value} & (_PARTS | {"$ref"}))


def _name(entry: Any) -> str | None:
    names = [entry.get(field) for field in ("name", "id", "key")] if isinstance(entry, dict) else []
    return next((name for name in names if isinstance(name, str)), None)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _details(value: Any, path: Path) -> Iterator[tuple[Path, list[Any]]]:
    """The values below a value: one for a path, or the different ones of a set, whose places follow the path."""
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _details(one, (*path, name))
    elif isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
        for place, one in enumerate(value):
            yield from _details(one, (*path, str(place)))
    elif isinstance(value, list) and value:
        yield (*path, "*"), [*{(type(one), one): one for one in value}.values()]
    elif path:
        yield path, [value]


def _names_of(path: Path, values: list[Any]) -> list[str]:
    """The dotted paths of these values that can be keys."""
    places = range(len(values)) if path[-1:] == ("*",) else None
    paths = [path] if places is None else [(*path[:-1], str(place)) for place in places]
    return [name for one in paths if (name := _path(one)) is not None]


def _is_detail(row: dict[str, Any], value: Any) -> bool:
    number = number_of(value)
    if (row["value_number"] is None) != (number is None):
        return False
    # SQLite keeps about 15 digits.
    near = number is None or abs(Decimal(str(row["value_number"])) - number) <= max(abs(number) / 10**14, _SMALLEST)
    return near and _is_text(row["value"], value)


def _is_text(text: str, value: Any) -> bool:
    if isinstance(value, Decimal):
        return Decimal(text) == value
    return text == (text_of(value) if isinstance(value, str) else json.dumps(value))


def _capabilities(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict) and value:
        for name, one in value.items():
            yield from _capabilities(one, (*path, name))
    elif path:
        yield path


def _path(path: Path) -> str | None:
    """The dotted path; None when it cannot be a key."""
    name = ".".join(key.replace("\\", "\\\\").replace(".", "\\.") for key in path)
    return name if is_key(name) else None
