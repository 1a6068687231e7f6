"""The tables of the documentation that are made from the program.

``python -m sync.cli.doc_tables`` in the project folder writes them again. Two comments mark the place of
a table: ``<!-- table: NAME (written by ...) -->`` and ``<!-- end of table -->``. NAME is ``exit codes``, ``guards``,
``options`` for those before the command, or ``options of COMMAND`` if it has any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from sync.catalog.guards import GUARDS
from sync.cli.commands import cli
from sync.errors import Outcome

PAGES = ("README.md", "docs/commands.md", "docs/reliability.md")
_TABLE = re.compile(
    r"(<!-- table: (.*?) \(written by python -m sync\.cli\.doc_tables\) -->\n).*?(<!-- end of table -->)", re.DOTALL
)


def with_tables(page: str) -> str:
    """The text of a page with each of its marked tables written anew. Raises ``KeyError`` for an unknown table."""
    tables = all_tables()
    return _TABLE.sub(lambda found: f"{found[1]}\n{tables[found[2]]}\n{found[3]}", page)


def all_tables() -> dict[str, str]:
    """Every table as Markdown, by name."""
    options = {f"options of {name}": _options_table(cli.commands[name]) for name in commands_with_options()}
    return {"exit codes": _exit_codes_table(), "guards": _guards_table(), "options": _options_table(cli), **options}


def commands_with_options() -> list[str]:
    """The commands that have options, or have commands."""
    return sorted(
        name
        for name, command in cli.commands.items()
        if isinstance(command, click.Group) or any(isinstance(each, click.Option) for each in command.params)
    )


def _exit_codes_table() -> str:
    return _table(
        ("code", "outcome", "meaning", "what to do", "retry helps", "stored"),
        (
            (
                str(int(outcome)),
                f"`{outcome.label}`",
                outcome.meaning,
                outcome.action,
                "yes" if outcome.retry_helps else "no",
                outcome.stored,
            )
            for outcome in sorted(Outcome)
        ),
    )


def _guards_table() -> str:
    held = {"the mode": "the mode as a whole: nothing of the response", "removals": "the removals of the mode"}
    rows = ((f"`{each.reason}`", each.trips, held[each.holds], f"`--accept-{each.flag} N`") for each in GUARDS)
    return _table(("`hold_reason`", "trips when", "holds back", "until"), rows)


def _options_table(command: click.Command) -> str:
    """A row for each option, and one for all options that are settings: README.md describes those."""
    if isinstance(command, click.Group) and not command.params:
        rows_of = {name: _option_rows(part) for name, part in command.commands.items()}
        return _table(
            ("command", "option", "value", "effect"), ((f"`{name}`", *row) for name in rows_of for row in rows_of[name])
        )
    return _table(("option", "value", "effect"), _option_rows(command))


def _option_rows(command: click.Command) -> list[tuple[str, str, str]]:
    context = click.Context(command, info_name=command.name)  # make_metavar requires one
    options = [option for option in command.params if isinstance(option, click.Option)]
    rows = [_option_row(option, context) for option in options if not option.envvar]
    if settings := [_flags(option) for option in options if option.envvar]:
        rows.append((", ".join(settings), "", "See [settings](../README.md#settings)."))
    return rows


def _option_row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    return _flags(option), _value(option, context), " ".join([option.help or "", *_remarks(option)])


def _flags(option: click.Option) -> str:
    return ", ".join(f"`{flag}`" for flag in option.opts)


def _value(option: click.Option, context: click.Context) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in option.type.choices)
    # A bar would end the cell of the table.
    return f"`{option.make_metavar(context)}`".replace("|", "` or `")


def _remarks(option: click.Option) -> Iterator[str]:
    if option.required:
        yield "Required."
    if option.multiple:
        yield "May be repeated."
    if option.show_default:
        yield f"Default: `{option.default}`."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _write_pages() -> None:
    for name in PAGES:
        page = Path(name)
        page.write_text(with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    _write_pages()
