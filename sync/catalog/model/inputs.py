"""The inputs of a model and the rules between them, read from the shapes in which catalogs send them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from sync.catalog.json.paths import strings
from sync.catalog.json.tree import MAX_KEY_CHARACTERS, Tree
from sync.catalog.model.entries import Entry, name_of, named_entries

REQUIREMENTS = ("required", "optional")

Pair = tuple[str, str]

_KIND = re.compile(r"[A-Za-z_]\w+", re.ASCII)
# A name begins like a word, which a time and a port do not, and has no separator, which an address has.
_NAME = re.compile(r"""(?![\d.\-+'"(){}<>\[\]!*])[^\s/\\:,;@?#&=%]+""")
# Words that precede a colon in other texts: addresses without a slash, and patterns of times.
_NO_KINDS = frozenset(
    (
        *("about", "blob", "cid", "data", "file", "ftp", "git", "gs", "http", "https", "ipfs", "javascript", "mailto"),
        *("rtmp", "rtsp", "s3", "sftp", "sip", "sms", "ssh", "tel", "urn", "ws", "wss", "hh", "mm", "ss"),
    )
)
# Lists of lists under these keys hold values, not names.
_VALUES = frozenset(("choices", "default", "defaults", "enum", "example", "examples", "options", "samples", "values"))
_RULE_BEFORE_0_2 = re.compile(r"[a-z_]+:")


class Inputs(Struct, frozen=True):
    """What is recognised in ``inputs``."""

    names: tuple[Pair, ...]
    """Requirement and name of each input, required ones first, by name."""
    rules: tuple[str, ...]
    """Each rule once, in the order of their texts."""
    is_complete: bool
    """Whether everything that may be an input was recognised."""


def read_inputs(inputs: Tree) -> Inputs:
    """The inputs under ``required`` and ``optional``, or by name with a flag each, and the rules.

    An input without a flag is optional, as in JSON Schema. A rule is a string anywhere in ``inputs``,
    or a list of names in a list under a key such as ``required_one_of``, which gives
    ``required_one_of:image,prompt``.
    """
    rules = {*filter(is_rule, strings(inputs)), *_structured_rules(inputs)}
    pairs, is_complete = _listed(inputs) if _has_lists(inputs) else _flagged(inputs, has_rules=bool(rules))
    names = {(requirement, name) for requirement, name in pairs if not is_rule(name)}
    ordered = sorted(names, key=lambda pair: (REQUIREMENTS.index(pair[0]), pair[1]))
    return Inputs(tuple(ordered), tuple(sorted(rules)), is_complete)


def is_rule(text: Tree | None, event_rules: int = 2) -> bool:
    """Whether a string in ``inputs`` is a rule: a word, a colon, and names with commas between.

    By ``event_rules`` 1 any string with lower-case letters before a colon was one, addresses included.
    """
    if not isinstance(text, str) or ":" not in text:
        return False
    if event_rules == 1:
        return _RULE_BEFORE_0_2.match(text) is not None
    kind, _, names = text.partition(":")
    if _KIND.fullmatch(kind.strip()) is None or kind.strip().lower() in _NO_KINDS:
        return False
    return all(_NAME.fullmatch(name.strip()) for name in names.split(","))


def _has_lists(inputs: Tree) -> bool:
    """Whether inputs are under ``required`` and ``optional``, and not by name with a flag each."""
    return isinstance(inputs, dict) and "properties" not in inputs and any(name in inputs for name in REQUIREMENTS)


def _listed(inputs: Tree) -> tuple[list[Pair], bool]:
    pairs: list[Pair] = []
    is_complete = True
    for requirement in REQUIREMENTS:
        names, is_known = _names(inputs.get(requirement, []) if isinstance(inputs, dict) else [])
        pairs += [(requirement, name) for name in names]
        is_complete = is_complete and is_known
    return pairs, is_complete


def _names(entries: Tree) -> tuple[Iterable[str], bool]:
    """Names come as a string, as strings, as objects with a name, or as the keys of an object; a null gives none.

    A key whose value is ``false`` is no name: ``{"prompt": true, "image": false}``.
    """
    if isinstance(entries, str):
        return [entries], True
    if isinstance(entries, dict):
        found = named_entries(entries)
        return [name for name, entry in found.by_name.items() if entry.value is not False], found.is_complete
    if not isinstance(entries, list):
        return [], False
    names = [entry if isinstance(entry, str) else name_of(entry) for entry in entries if entry is not None]
    return [name for name in names if name is not None], None not in names


def _flagged(inputs: Tree, *, has_rules: bool) -> tuple[list[Pair], bool]:
    if isinstance(inputs, list):
        entries = named_entries([entry for entry in inputs if not isinstance(entry, str)])
        pairs = [(REQUIREMENTS[1], entry) for entry in inputs if isinstance(entry, str)]
        return pairs + _pairs(entries.by_name.items()), entries.is_complete
    entries = named_entries(inputs)
    pairs = _pairs(entries.by_name.items())
    # An object without a single input has its inputs in a shape of its own.
    return pairs, entries.is_complete and bool(pairs or has_rules or not entries.by_name)


def _pairs(entries: Iterable[tuple[str, Entry]]) -> list[Pair]:
    """Requirement and name of the entries that are inputs. Others are keys for something else, such as rules."""
    pairs = []
    for name, entry in entries:
        if isinstance(entry.value, dict) or entry.is_property:
            pairs.append((REQUIREMENTS[0] if entry.is_required else REQUIREMENTS[1], name))
        elif isinstance(entry.value, str) and entry.value in REQUIREMENTS:
            pairs.append((entry.value, name))
    return pairs


def _structured_rules(inputs: Tree) -> Iterator[str]:
    if not isinstance(inputs, dict):
        return
    for key, value in inputs.items():
        # A longer key would be repeated by each of its rules, which may be a million.
        if isinstance(value, list) and len(key) <= MAX_KEY_CHARACTERS and key not in (*REQUIREMENTS, *_VALUES):
            yield from filter(is_rule, (f"{key}:{','.join(names)}" for names in _name_lists(value)))
        elif isinstance(value, dict) and key not in REQUIREMENTS and _has_lists(inputs):
            yield from _structured_rules(value)  # beside required and optional, such as under rules


def _name_lists(groups: list[Tree | None]) -> Iterator[list[str]]:
    for group in groups:
        names = [name for name in group if isinstance(name, str)] if isinstance(group, list) else []
        if names and isinstance(group, list) and len(names) == len(group):
            yield names
