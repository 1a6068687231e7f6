"""Tables fit the terminal they are shown on, and lose nothing in a pipe."""

from __future__ import annotations

import io

from sync.show.table import print_table

COLUMNS = {"model": "MODEL", "field": "FIELD", "note": "NOTE"}
ROWS = [{"model": "acme/sketch", "field": "params.aspect_ratio.options", "note": "seen twice today"}]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(width: int) -> list[str]:
    out = Terminal()
    print_table(COLUMNS, ROWS, out, foldable=["field"], expendable=["note"], terminal_width=lambda: width)
    return out.getvalue().splitlines()


def test_a_pipe_gets_every_column_whole() -> None:
    out = io.StringIO()
    print_table(COLUMNS, ROWS, out, foldable=["field"], expendable=["note"], terminal_width=lambda: 10)

    assert out.getvalue().splitlines() == [
        "MODEL        FIELD                        NOTE",
        "acme/sketch  params.aspect_ratio.options  seen twice today",
    ]


def test_a_wide_terminal_gets_every_column() -> None:
    assert "seen twice today" in shown(80)[1]


def test_a_narrow_terminal_loses_what_can_be_done_without() -> None:
    assert not any("NOTE" in line for line in shown(36))


def test_a_column_that_may_fold_takes_several_lines_and_loses_nothing() -> None:
    folded = "".join(line[13:].strip() for line in shown(30)[1:])

    assert folded == "params.aspect_ratio.options"
