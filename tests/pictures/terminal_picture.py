"""What commands print on a terminal, with its colours, as SVG."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

_COMMANDS = ("changes --since 2026-05-15 --field credits.default_cost", "costs acme/sketch", "ask net-change")
_COLUMNS = 104
_AGE = "last successful sync"
_ROOT = Path(__file__).parents[2]

_ESCAPE = re.compile(r"\x1b\[([\d;]*)m")
_WORDS = re.compile(r"\S+(?: \S+)*")
"""Texts of a line; where two blanks or more divide them, the next begins at its own place."""
_COLOURS = {"31": "#ff8a7a", "32": "#6fd08c", "33": "#e5c07b", "36": "#6cc7d8", "2": "#8b949e"}
_INK, _GROUND = "#dde3ea", "#171b21"
_FONT = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
_SIZE, _ADVANCE, _LINE, _MARGIN = 14, 8.4, 20, 18


def terminal_picture(database: Path) -> str:
    """Runs the commands on a pseudo terminal, and returns the picture of it."""
    lines: list[str] = []
    for command in _COMMANDS:
        lines.append(f"\x1b[36m$\x1b[0m \x1b[1mcatalog-sync {command}\x1b[0m")
        lines += [*_printed(database, command.split()), ""]
    return svg(lines[:-1])


def _printed(database: Path, arguments: Sequence[str]) -> Iterator[str]:
    """The lines of a command without the path of the database, in a temporary folder, and its age beside it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("NO_COLOR", "CATALOG_SYNC"))}
    environment = {
        **inherited,
        "TERM": "xterm-256color",
        "COLUMNS": str(_COLUMNS),
        "PYTHONPATH": str(_ROOT),
        "CATALOG_SYNC_DATABASE_URL": f"sqlite:///{database}",
    }
    command = [sys.executable, "-m", "tests.pictures.program_at", *arguments]
    reader, terminal = pty.openpty()
    with subprocess.Popen(command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        text = b"".join(iter(lambda: _read(reader), b"")).decode()
    os.close(reader)
    if process.returncode:
        raise RuntimeError(f"catalog-sync {' '.join(arguments)} failed: {text}")
    return (line for line in text.splitlines() if str(database) not in line and not line.startswith(_AGE))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # Linux: the program has ended
        return b""


def svg(lines: Sequence[str]) -> str:
    """The picture of lines with the escapes of a terminal."""
    width = round(_COLUMNS * _ADVANCE) + 2 * _MARGIN
    height = len(lines) * _LINE + 2 * _MARGIN
    texts = "\n".join(text for number, line in enumerate(lines) for text in _texts(line, number))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{_FONT}" font-size="{_SIZE}" fill="{_INK}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="{_GROUND}"/>\n{texts}\n</svg>\n'
    )


def _texts(line: str, number: int) -> Iterator[str]:
    """Each text at its column, stretched to its width: a viewer may have another font."""
    column = 0
    for style, run in _runs(line):
        for found in _WORDS.finditer(run):
            x, y = _MARGIN + (column + found.start()) * _ADVANCE, _MARGIN + number * _LINE + _SIZE
            length = len(found[0]) * _ADVANCE
            yield f'<text x="{x:.1f}" y="{y}" textLength="{length:.1f}"{style}>{escape(found[0], quote=False)}</text>'
        column += len(run)


def _runs(line: str) -> Iterator[tuple[str, str]]:
    """The parts of a line of one style each, as attributes of SVG and text."""
    style, end = "", 0
    for found in _ESCAPE.finditer(line):
        yield style, line[end : found.start()]
        style, end = _style(found[1].split(";")), found.end()
    yield style, line[end:]


def _style(codes: Sequence[str]) -> str:
    colour = next((f' fill="{_COLOURS[code]}"' for code in codes if code in _COLOURS), "")
    return colour + (' font-weight="bold"' if "1" in codes else "")
