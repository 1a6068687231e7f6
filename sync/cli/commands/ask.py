"""The command ``ask``: the questions of docs/questions.md, each as a command with its parameters as options."""

from __future__ import annotations

from dataclasses import make_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from sync.catalog.text import one_line
from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_rows
from sync.cli.param_types import Moment, Utf8Text, WholeNumber
from sync.cli.which_catalog import read_catalog
from sync.errors import UsageError

if TYPE_CHECKING:
    from sync.cli.which_catalog import WhichCatalog
    from sync.store.answers import Answer
    from sync.store.database import Connection
    from sync.store.questions import Parameter, Question

_TYPES = {"moment": (Moment(), "TIME"), "day": (Moment(), "DAY"), "text": (Utf8Text(), "TEXT")}
_NUMBER = (WholeNumber(min=0, max=10**9), "NUMBER")


class _Questions(click.Group):
    """A group whose commands are the questions. Their file is read only when one is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from sync.store.questions import questions

        return list(questions())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from sync.store.questions import questions

        question = questions().get(cmd_name)
        return None if question is None else _command(question)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from sync.catalog.similar import did_you_mean, similar

        name, names = args[0], self.list_commands(ctx)
        if name in names or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        found = similar(name, names)
        hint = did_you_mean(found) if found else "see catalog-sync ask --help"
        raise UsageError(f"there is no question {one_line(name)!r}; {hint}")


@click.group(
    cls=_Questions,
    invoke_without_command=True,
    subcommand_metavar="[NAME [--PARAMETER VALUE]...]",
    epilog="Example: catalog-sync ask cost-changes --since 7d",
)
@options.as_json
@options.as_csv
@click.pass_context
def ask(context: click.Context, *, as_json: bool, as_csv: bool) -> None:
    """Answer a question about costs, changes or runs; without NAME, list the questions.

    catalog-sync ask NAME --help describes a question and its parameters. These options are for the
    list; each question has its own, behind its name.
    """
    from sync.store.questions import questions

    if context.invoked_subcommand is not None:
        if as_json or as_csv:
            raise UsageError("--json and --csv belong behind the name of the question; write ask NAME --json")
        return
    listed = [
        {"name": each.name, "question": each.text, "parameters": " ".join(f"--{name}" for name in each.parameters)}
        for each in questions().values()
    ]
    headings = {"name": "NAME", "question": "QUESTION", "parameters": "PARAMETERS"}
    print_rows(
        listed,
        _row_class(list(headings)),
        headings,
        as_json=as_json,
        as_csv=as_csv,
        foldable=("question", "parameters"),
        expendable=(),
    )


def _command(question: Question) -> click.Command:
    """The command that answers a question. Its example has the first parameter, if there is one."""

    def answer(**given: Any) -> None:
        _answer(question, **given)

    command = click.command(
        question.name,
        short_help=question.text,
        help=f"{question.text}\n\n{question.explanation}",
        epilog=f"Example: catalog-sync ask {question.name}" + _example(question),
    )
    shared = (
        click.option("--sql", "as_sql", is_flag=True, help="Print the SQL with these values instead of running it."),
        options.as_json,
        options.as_csv,
        options.database_url,
    )
    own = (_option(name, parameter) for name, parameter in question.parameters.items())
    function: Any = answer
    for option in reversed((*own, *shared)):
        function = option(function)
    result: click.Command = command(function)
    return result


def _option(name: str, parameter: Parameter) -> Any:
    kind, metavar = _TYPES.get(parameter.kind, _NUMBER)
    text = f"{parameter.help} Default: {_default_text(parameter)}."
    return click.option(f"--{name}", type=kind, metavar=metavar, help=text)


def _default_text(parameter: Parameter) -> str:
    if parameter.kind not in ("moment", "day"):
        return str(parameter.default)
    days = int(parameter.default)
    return "the end of today" if days == 1 else f"the day {-days} days ago"


def _example(question: Question) -> str:
    for name, parameter in question.parameters.items():
        return f" --{name} {'7d' if parameter.kind in ('moment', 'day') else parameter.default}"
    return ""


def _answer(question: Question, *, as_sql: bool, as_json: bool, as_csv: bool, database_url: str, **given: Any) -> None:
    values = question.values(given, options.now())
    if as_sql:
        if as_json or as_csv:
            raise UsageError("--sql prints the text of the query; leave out --json and --csv")
        is_mariadb = database_url.startswith(("mariadb", "mysql"))
        click.echo(question.statement(values, escapes_backslash=is_mariadb))
        return
    from sync.store.answers import answer

    def work(connection: Connection, which: WhichCatalog) -> tuple[Answer, str]:
        found = answer(connection, question, values)
        if found.rows:
            return found, ""
        from sync.cli.empty_result import why_no_answer

        return found, why_no_answer(connection, which, values)

    which, (found, why_empty) = read_catalog(database(database_url), work)
    rows = [
        {column: _json_number(cell) if as_json else cell for column, cell in zip(found.columns, row, strict=True)}
        for row in found.rows
    ]
    headings = {column: column.upper() for column in found.columns}
    is_table = not as_json and not as_csv
    if is_table:
        which.print_before()
    print_rows(
        rows,
        _row_class(found.columns),
        headings,
        as_json=as_json,
        as_csv=as_csv,
        why_empty=why_empty,
        foldable=[column for column in found.columns if any(_has_letters(row[column]) for row in rows)],
        expendable=(),  # every column is a part of the answer
    )
    if is_table:
        which.print_after()


def _has_letters(cell: object) -> bool:
    """Whether a cell is a text that may take several lines: a day is not."""
    return isinstance(cell, str) and any(map(str.isalpha, cell))


def _json_number(cell: object) -> object:
    """The numbers of an answer are for arithmetic; the columns that end with exact have decimals as texts."""
    return float(cell) if isinstance(cell, Decimal) else cell


def _row_class(columns: Any) -> type:
    return make_dataclass("Row", [(column, object) for column in columns])
