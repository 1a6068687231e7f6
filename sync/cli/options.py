"""Options that several commands share, and the checks that belong to them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from sync import settings
from sync.catalog.modes import MODES
from sync.cli.param_types import Moment
from sync.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def _no_password_in_arguments(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    given = context.get_parameter_source(parameter.name or "")
    if value and given is ParameterSource.COMMANDLINE and settings.has_password(value):
        raise UsageError(
            "a password in --database-url can be read in the process list: set CATALOG_SYNC_DATABASE_URL instead"
        )
    return value or settings.default_database_url()


class Text(click.ParamType[str]):
    """A text that is looked for in the catalog. A locale without UTF-8 hands over its bytes one by one."""

    name = "TEXT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return os.fsencode(value).decode()
        except UnicodeError:
            return self.fail("it is not UTF-8", param, ctx)


database_url = click.option(
    "--database-url",
    envvar=settings.PREFIX + "DATABASE_URL",
    callback=_no_password_in_arguments,
    metavar="URL",
    help="Where the catalog is kept: sqlite:///FILE, postgresql://..., mariadb://...; with a password only as"
    " CATALOG_SYNC_DATABASE_URL. Default: an SQLite file in your data directory.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
as_csv = click.option("--csv", "as_csv", is_flag=True, help="CSV with a header on stdout.")
mode = click.option("--mode", type=click.Choice(MODES), help="Only this mode.")
provider = click.option("--provider", type=Text(), metavar="NAME", help="Only this provider.")
quiet = click.option("--quiet", is_flag=True, help="Print nothing unless something is wrong.")


class Finite(click.FloatRange):
    """A number within a range; ``nan``, which is within every range, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return float(number)


def _setting(name: str, default: object, kind: click.ParamType[Any], text: str) -> Callable[[F], F]:
    return click.option(
        "--" + name.lower().replace("_", "-"),
        envvar=settings.PREFIX + name,
        default=default,
        show_default=True,
        show_envvar=True,
        type=kind,
        metavar="URL" if kind is click.STRING else "NUMBER",
        help=text,
    )


_API = (
    _setting("BASE_URL", settings.DEFAULT_BASE_URL, click.STRING, "The API's address."),
    _setting("DEADLINE", 60.0, Finite(min=0, min_open=True), "Seconds for all requests of a run."),
    _setting("ATTEMPTS", 4, click.IntRange(min=1), "Tries for each mode."),
    _setting("MAX_BYTES", 32 * 1024 * 1024, click.IntRange(min=1), "Largest decoded answer taken."),
)
_CATALOG = (
    _setting("MAX_MODELS", 200_000, click.IntRange(min=1), "Most models taken in one answer."),
    _setting("MAX_REMOVAL_PERCENT", 20.0, Finite(0, 100), "Removals are held beyond this share of a mode."),
    _setting("MAX_REMOVAL_COUNT", 3, click.IntRange(min=1), "Fewer removals than this are never held."),
)
_DATABASE = (
    _setting("DATABASE_TIMEOUT", 60.0, Finite(min=1), "Seconds after which a silent database counts as lost."),
)


class Accepted(click.ParamType[int | str]):
    """A number of removals, or ``all``."""

    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if value == "all" or (str(value).isdecimal() and len(str(value)) < 10):
            return value if value == "all" else int(value)
        return self.fail(f"{value!r} is neither a number nor all", param, ctx)


accept_removals = click.option(
    "--accept-removals",
    type=Accepted(),
    metavar="N|all",
    help="Let so many missing models be marked removed: the number printed.",
)


def api_settings(command: F) -> F:
    """Everything about asking the API."""
    return _all(_API + _CATALOG + _DATABASE, command)


def catalog_settings(command: F) -> F:
    """The bounds on a catalog, wherever it comes from, and on its database."""
    return _all(_CATALOG + _DATABASE, command)


def moment(flag: str, text: str, *, required: bool = False) -> Callable[[F], F]:
    examples = " Like 7d, 12h, 2026-03-01 or 2026-03-01T10:00Z."
    return click.option(flag, type=Moment(), required=required, help=text + examples)


def now() -> datetime:
    return datetime.now(UTC)


def _all(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for option in reversed(options):
        command = option(command)
    return command
