"""Checkpoints: the size and root of a catalog's tree as a short text to keep elsewhere. Pure.

The text is that of a C2SP tlog checkpoint (https://c2sp.org/tlog-checkpoint) without signature::

    catalog-sync/3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d
    42
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

The last line is empty. Whoever signs a checkpoint adds lines ``— name base64`` after it.
"""

from __future__ import annotations

import codecs
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator

from msgspec import Struct

from sync.catalog.merkle import HASH_BYTES
from sync.catalog.text import one_line

ORIGIN_PREFIX = "catalog-sync/"

_ORIGIN_FORM = f"{ORIGIN_PREFIX}<catalog_id>"
_ORIGIN = re.compile(rf"{ORIGIN_PREFIX}(\S+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")  # 19 digits hold every BIGINT
_SIGNATURE = re.compile("\u2014 \\S+ [A-Za-z0-9+/]+={0,2}")
_QUOTE_CHARACTERS = 60
# Windows shells write UTF-16 when output is redirected to a file.
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Checkpoint(Struct, frozen=True):
    """The state of the tree at one moment."""

    catalog_id: str
    tree_size: int
    root: bytes

    @property
    def root_text(self) -> str:
        """The root in base64, as in the text."""
        return b64encode(self.root).decode()

    def text(self) -> str:
        """The checkpoint as a text that ends with an empty line."""
        return f"{ORIGIN_PREFIX}{self.catalog_id}\n{self.tree_size}\n{self.root_text}\n\n"


class FoundCheckpoint(Struct, frozen=True):
    """A checkpoint of a file, and the number of its first line there, from 1."""

    line: int
    checkpoint: Checkpoint


class BadLine(Struct, frozen=True):
    """A line that makes a checkpoint unusable, by its number from 1."""

    line: int
    problem: str
    """A clause for people, in one line."""


class ParsedCheckpoints(Struct, frozen=True):
    """What a file of checkpoints holds. The checkpoints beside a bad line can be used."""

    checkpoints: tuple[FoundCheckpoint, ...]
    bad_lines: tuple[BadLine, ...]


def parse_checkpoints(data: bytes) -> ParsedCheckpoints:
    """Reads any number of checkpoints, with or without signature lines, which are not checked.

    Lines may end in CRLF and have blanks at their end, and empty lines may be missing or added between checkpoints.
    A checkpoint that lacks a line or has a bad one, such as a last one that was cut, gives a ``BadLine``.
    """
    checkpoints: list[FoundCheckpoint] = []
    bad_lines: list[BadLine] = []
    for found in _parse([line.rstrip() for line in _decoded(data).split("\n")]):
        if isinstance(found, BadLine):
            bad_lines.append(found)
        else:
            checkpoints.append(found)
    return ParsedCheckpoints(tuple(checkpoints), tuple(bad_lines))


def _decoded(data: bytes) -> str:
    encoding = "utf-16" if data.startswith(_UTF16_MARKS) else "utf-8-sig"
    return data.decode(encoding, errors="replace")


def _parse(lines: list[str]) -> Iterator[FoundCheckpoint | BadLine]:
    index = 0
    while index < len(lines):
        line = lines[index]
        if line.startswith(ORIGIN_PREFIX):
            yield (found := _checkpoint_at(lines, index))
            # After a bad line, what follows up to the next checkpoint belongs to the broken one.
            index = index + 3 if isinstance(found, FoundCheckpoint) else _next_origin(lines, index + 1)
            continue
        if line and not _SIGNATURE.fullmatch(line):
            yield _bad(index, line, f"{_ORIGIN_FORM}, and no signature")
            index = _next_origin(lines, index + 1)
            continue
        index += 1


def _checkpoint_at(lines: list[str], index: int) -> FoundCheckpoint | BadLine:
    origin = _ORIGIN.fullmatch(lines[index])
    if origin is None:
        return _bad(index, lines[index], _ORIGIN_FORM)
    size = _line(lines, index + 1)
    if not _SIZE.fullmatch(size):
        return _bad(index + 1, size, "the size of a tree")
    text = _line(lines, index + 2)
    root = _root(text)
    if root is None:
        return _bad(index + 2, text, "a root, 32 bytes in base64")
    return FoundCheckpoint(index + 1, Checkpoint(origin[1], int(size), root))


def _root(text: str) -> bytes | None:
    try:
        root = b64decode(text, validate=True)
    except ValueError:
        return None
    # The base64 of 32 bytes has bits that decode to nothing: only one spelling is right.
    return root if len(root) == HASH_BYTES and b64encode(root).decode() == text else None


def _next_origin(lines: list[str], start: int) -> int:
    return next((i for i in range(start, len(lines)) if lines[i].startswith(ORIGIN_PREFIX)), len(lines))


def _line(lines: list[str], index: int) -> str:
    return lines[index] if index < len(lines) else ""


def _bad(index: int, line: str, expected: str) -> BadLine:
    shown = one_line(line, _QUOTE_CHARACTERS)
    return BadLine(index + 1, f'"{shown}" is not {expected}' if shown else f"{expected} is missing")
