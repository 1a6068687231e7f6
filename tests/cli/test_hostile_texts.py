"""Texts of a server that would control a terminal or run in a spreadsheet are printed harmless."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.support.api_address import emulator
from tests.support.api_catalogs import catalog, model
from tests.support.commands import environment, error_line, output, started

HOSTILE = (
    "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u2066 [red]markup[/red] [link=http://x]y[/link]\r\nnew line\t\x9b1m"
)
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture
def hostile(shell: Shell, sqlite_url: str) -> Shell:
    shell.set(DATABASE_URL=sqlite_url)
    first = (
        model("acme/a", 3, name=HOSTILE, provider=FORMULA),
        model("\t@SUM(1)", 4, name="+1+1", provider="-2+3"),
        model(HOSTILE, 5, mode="video", params={HOSTILE: {"default": HOSTILE}}),
    )
    second = (model("acme/a", 2, name=HOSTILE * 9, provider=FORMULA), *first[1:])
    with emulator([catalog(*first), catalog(*second)]) as api:
        output(shell("sync", "--base-url", api.base_url))
        assert all(line.isprintable() for line in output(shell("sync", "--base-url", api.base_url)).splitlines())
    return shell


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


def test_hostile_texts_are_harmless_in_a_table(hostile: Shell) -> None:
    for command in ("models", "changes", "status"):
        assert is_harmless(output(hostile(command)))
    assert "[red]markup[/red]" in output(hostile("models"))


def test_hostile_texts_are_harmless_in_csv(hostile: Shell) -> None:
    for command in ("models", "changes"):
        printed = output(hostile(command, "--csv"))
        assert is_harmless(printed)
        for row in csv.reader(io.StringIO(printed)):
            assert all(not cell.lstrip().startswith(tuple("=+-@")) or is_number(cell) for cell in row), row
    assert f"'{FORMULA}" in printed


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def test_hostile_texts_are_exact_in_json_and_escaped(hostile: Shell) -> None:
    printed = output(hostile("models", "--json"))
    assert printed.isascii()
    assert is_harmless(printed)
    models = {each["model_id"]: each for each in json.loads(printed)}
    assert models["acme/a"]["model_name"] == HOSTILE * 9
    assert models["acme/a"]["provider"] == FORMULA
    assert models[HOSTILE]["mode"] == "video"
    assert "\t@SUM(1)" in models


def test_hostile_texts_are_harmless_on_a_terminal(hostile: Shell, sqlite_url: str, tmp_path: Path) -> None:
    reader, terminal = pty.openpty()
    environ = environment(tmp_path, DATABASE_URL=sqlite_url) | {"TERM": "xterm-256color", "COLUMNS": "300"}
    with started("models", environ=environ, stdout=terminal) as process:
        process.wait(30)
    os.close(terminal)
    printed = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert process.returncode == 0
    assert "[red]markup[/red]" in printed
    assert is_harmless(re.sub(r"\x1b\[[0-9;]*m|\r", "", printed.replace("\x1b[1m", "")))
    assert "\x1b[31m" not in printed


def test_the_dry_run_of_hostile_texts_is_harmless(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    one = [catalog(model(HOSTILE, 1)), catalog(model(HOSTILE, 1, **{HOSTILE: HOSTILE}))]
    with emulator(one) as api:
        assert is_harmless(output(shell("sync", "--dry-run", "--base-url", api.base_url)))
        output(shell("sync", "--base-url", api.base_url))
        assert is_harmless(output(shell("sync", "--dry-run", "--base-url", api.base_url)))


def test_the_error_line_about_hostile_texts_is_harmless(shell: Shell, sqlite_url: str) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    with emulator([catalog(model(HOSTILE, "x"), model("b", 1, credits={HOSTILE: 1, "default_cost": HOSTILE}))]) as api:
        error_line(shell("sync", "--base-url", api.base_url), 5)
    assert is_harmless(output(shell("status")))


def test_the_table_fits_a_narrow_terminal(hostile: Shell, sqlite_url: str, tmp_path: Path) -> None:
    environ = environment(tmp_path, DATABASE_URL=sqlite_url) | {"TERM": "xterm", "COLUMNS": "60"}
    reader, terminal = pty.openpty()
    with started("models", environ=environ, stdout=terminal) as process:
        process.wait(30)
    os.close(terminal)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", os.read(reader, 1 << 16).decode()).splitlines()
    os.close(reader)
    ids = " ".join(line[7:37].strip() for line in lines)
    assert "[red]markup[/red] [link=http://x]y[/link] new line 1m" in ids  # folded, not cut
    assert max(map(len, lines)) <= 60
