"""The parameters of a model: their types, defaults, bounds and options.

What has none of the known shapes stays in ``definition``. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from operator import itemgetter

from msgspec import Struct

from sync.catalog.json.tree import Number, Tree, canonical_json, is_scalar, scalar_text, storable
from sync.catalog.model.entries import BRANCHES, Entries, Entry, Fields

# Of several names for the same thing the first one that is present is used, of those of options the first that has any.
_OPTIONS = ("options", "enum", "values", "choices", "allowed_values", "allowedValues")
_TYPES = ("type", "data_type", "dataType")
_DEFAULTS = ("default", "default_value", "defaultValue")
_MINIMA = ("min", "minimum", "min_value", "minValue", "minimum_value", "minimumValue")
_MAXIMA = ("max", "maximum", "max_value", "maxValue", "maximum_value", "maximumValue")
# The fields of an entry in which the same value may be described again.
_LAYERS = ("schema", *BRANCHES)
# The fields of an option that may hold what a caller sends.
_SENT = ("value", "id", "key", "name")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,18})?", re.ASCII)  # a longer exponent is none for Decimal


class Param(Struct, frozen=True):
    """One parameter. Texts are as columns hold them: strings bare, all else canonical JSON."""

    name: str
    definition: str
    """The whole entry as canonical JSON."""
    data_type: str | None = None
    default: str | None = None
    minimum: str | None = None
    maximum: str | None = None
    is_required: int | None = None
    options: tuple[str, ...] = ()
    """What may be sent, each text once: in numeric order if all are numbers, else in the order of the texts."""


def read_params(entries: Entries) -> Iterator[Param]:
    """The parameters by name. A bare scalar is the default of a parameter, a bare list its options."""
    return (_param(name, entry) for name, entry in sorted(entries.by_name.items(), key=itemgetter(0)))


def _param(name: str, entry: Entry) -> Param:
    value, definition = entry.value, canonical_json(entry.value)
    if isinstance(value, list):
        return Param(name, definition, options=_ordered(_option_texts(value)), is_required=entry.is_required)
    if not isinstance(value, dict):
        default = None if entry.is_property else scalar_text(value)
        return Param(name, definition, default=default, is_required=entry.is_required)
    layers = [value, *_layers_below(value)]
    low, high = _range(layers)
    return Param(
        name,
        definition,
        data_type=_type(layers),
        default=_one_text(layers, _DEFAULTS),
        minimum=_one_text(layers, _MINIMA, scalar_only=True) or low,
        maximum=_one_text(layers, _MAXIMA, scalar_only=True) or high,
        is_required=entry.is_required,
        options=_options(layers),
    )


def _layers_below(entry: Fields) -> Iterator[Fields]:
    """The objects inside an entry that describe the same value: its ``schema``, and branches that are not null."""
    for name in _LAYERS:
        if name in entry:
            inside = entry[name]
            for layer in [inside] if name == "schema" else inside if isinstance(inside, list) else ():
                if isinstance(layer, dict) and layer.get("type") != "null":
                    yield layer
                    yield from _layers_below(layer)


def _field(fields: Fields, names: tuple[str, ...]) -> Tree | None:
    # A plain loop: it runs several times for every parameter of a catalog.
    for name in names:
        if name in fields:
            return fields[name]
    return None


def _one_text(layers: list[Fields], names: tuple[str, ...], *, scalar_only: bool = False) -> str | None:
    """The text that an entry has under these names, else the one on which the layers below it agree."""
    texts = set()
    for layer in layers:
        value = _field(layer, names)
        if value is not None and not (scalar_only and isinstance(value, (list, dict))):
            if layer is layers[0]:
                return scalar_text(value)
            texts.add(scalar_text(value))
    return texts.pop() if len(texts) == 1 else None


def _type(layers: list[Fields]) -> str | None:
    """The one type that is not null; None where there is none, or more than one."""
    for level in (layers[:1], layers[1:]):
        types = {name for layer in level for name in _type_names(_field(layer, _TYPES))}
        if types:
            return storable(types.pop()) if len(types) == 1 else None
    return None


def _type_names(value: Tree | None) -> list[str]:
    names = value if isinstance(value, list) else [value]
    return [name for name in names if isinstance(name, str) and name != "null"]


def _range(layers: list[Fields]) -> tuple[str | None, str | None]:
    """The two ends under ``range``: numbers in a list, or an object with a minimum and a maximum."""
    value = next((layer["range"] for layer in layers if "range" in layer), None)
    if isinstance(value, dict):
        return _one_text([value], _MINIMA, scalar_only=True), _one_text([value], _MAXIMA, scalar_only=True)
    # The tree has the list as a set in the order of texts: equal ends are one entry, and 10 comes before 5.
    ends = [end.text for end in value if isinstance(end, Number)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(ends) != len(value) or len(ends) not in (1, 2):
        return None, None
    return min(ends, key=Decimal), max(ends, key=Decimal)


def _options(layers: list[Fields]) -> tuple[str, ...]:
    """The options of an entry with those of the layers below it: each branch may have some."""
    texts: set[str] = set()
    for layer in layers:
        texts.update(next(filter(None, (_option_texts(layer[name]) for name in _OPTIONS if name in layer)), ()))
        if "const" in layer:
            texts.update(_option_texts([layer["const"]]))
    return _ordered(texts)


def _option_texts(options: Tree) -> set[str]:
    """The options in a list of scalars or of option objects, or the keys of an object; none of any other list."""
    if isinstance(options, dict):
        return {storable(key) for key in options}  # {"small": "512 px", ...}: the keys are what a caller may send
    if not isinstance(options, list):
        return set()
    texts = [_option_text(option) for option in options]
    known = {text for text in texts if text is not None}
    return set() if None in texts else known


def _option_text(option: Tree | None) -> str | None:
    """What a caller sends for one option; None when it does not say."""
    if isinstance(option, list):
        return None
    if isinstance(option, dict):
        option = _field(option, _SENT)
        return None if option is None or not is_scalar(option) else scalar_text(option)
    return scalar_text(option)


def _ordered(texts: set[str]) -> tuple[str, ...]:
    if all(map(_NUMBER.fullmatch, texts)):
        return tuple(sorted(texts, key=lambda text: (Decimal(text), text)))
    return tuple(sorted(texts))
