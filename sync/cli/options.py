"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from sync import settings
from sync.catalog.modes import MODES
from sync.catalog.ticks import require_span
from sync.cli.param_types import AcceptedNumber, Duration, FiniteFloat, Moment, Utf8Text, WholeNumber
from sync.errors import UsageError
from sync.source import DEFAULT_MAX_BYTES

F = TypeVar("F", bound=Callable[..., Any])


def now() -> datetime:
    """The clock of this host, in UTC."""
    return datetime.now(UTC)


def _refuse_password_in_arguments(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    source = context.get_parameter_source(parameter.name or "")
    if value and source is ParameterSource.COMMANDLINE and settings.has_password(value):
        raise UsageError(
            "--database-url refused: its password can be read in the process list; set CATALOG_SYNC_DATABASE_URL"
            " instead"
        )
    return value or settings.default_database_url()


_TIMEOUT = __name__ + ".database_timeout"


def _keep_timeout(context: click.Context, _: click.Parameter, value: float) -> float:
    context.meta[_TIMEOUT] = value
    return value


def database_timeout() -> float | None:
    """The timeout given to the command that is running in this thread; None outside a command."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(_TIMEOUT)


def database_url(command: F) -> F:
    """The database of a command, as the parameter ``database_url``, and for how long it is waited for.

    Every command that opens a database has both, so that ``composition.database`` finds the second one itself.
    """
    return _all(_DATABASE, command)


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
as_csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header.")
mode = click.option("--mode", type=click.Choice(MODES), help="Only this mode.")
provider = click.option(
    "--provider", type=Utf8Text(), metavar="NAME", help="Only this provider, spelled as in the catalog."
)
quiet = click.option("--quiet", is_flag=True, help="Print nothing unless there is an error.")
migrate = click.option(
    "--migrate",
    "migrate_first",
    is_flag=True,
    help="First upgrade the catalog in the database. It never makes a new one: run catalog-sync migrate once for that.",
)
checkpoint_file = click.option(
    "--checkpoint-file",
    envvar=settings.PREFIX + "CHECKPOINT_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Append a checkpoint to FILE after each run that was stored.",
)
notify_file = click.option(
    "--notify-file",
    envvar=settings.PREFIX + "NOTIFY_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file with the destinations of messages; only you may read it.",
)
send_news = click.option(
    "--notify",
    "sends_news",
    is_flag=True,
    help="After each run send what is new to the destinations of the notify file. It never fails the run.",
)
output_file = click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write to FILE, whole or not at all. Default: stdout.",
)
accept_removals = click.option(
    "--accept-removals",
    type=AcceptedNumber(),
    metavar="N|all",
    help="Accept removals that are held back, or another catalog. N is the number that exit code 7 printed; all"
    " accepts any number.",
)
accept_costs = click.option(
    "--accept-costs",
    type=AcceptedNumber(),
    metavar="N|all",
    help="Accept costs that are held back. N is the number that exit code 7 printed; all accepts any number.",
)
accept_base_url = click.option(
    "--accept-base-url",
    is_flag=True,
    help="Accept a base URL other than that of the last sync: the same catalog at a new address.",
)
accepted_by = click.option(
    "--by", type=Utf8Text(), metavar="NAME", help="Who accepts. Default: your account and this host."
)


def _tick_span(_: click.Context, __: click.Parameter, value: timedelta | None) -> timedelta | None:
    return None if value is None else require_span("--tick", value)


tick = click.option(
    "--tick",
    type=Duration(),
    callback=_tick_span,
    metavar="DURATION",
    help="For crontabs on several hosts that start a run every DURATION, such as 15m, at most 1d: one of them makes the"
    " run of each multiple of DURATION since 1970, and the others end with exit code 0 and print nothing.",
)
why = click.option("--why", type=Utf8Text(), metavar="TEXT", help="Why it is accepted. Recorded with the run.")


def _archive_folder(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    return None if value is None else settings.archive_folder(value)


def _archive_folders(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Path, ...]:
    named = values or tuple(filter(None, [os.environ.get(settings.PREFIX + "ARCHIVE")]))
    return tuple(settings.archive_folder(value) for value in named)


def archive(text: str) -> Callable[[F], F]:
    """The folder in which responses are kept, as the parameter ``archive``; None without one."""
    return click.option(
        "--archive",
        envvar=settings.PREFIX + "ARCHIVE",
        show_envvar=True,
        type=Utf8Text(),
        callback=_archive_folder,
        metavar="DIR",
        help=text,
    )


archives = click.option(
    "--archive",
    "archives",
    type=Utf8Text(),
    multiple=True,
    callback=_archive_folders,
    metavar="DIR",
    help="Compare the responses that syncs kept in this folder with the runs. Default: CATALOG_SYNC_ARCHIVE.",
)


def moment(flag: str, text: str, *, required: bool = False) -> Callable[[F], F]:
    """An option whose value is a time."""
    return click.option(
        flag, type=Moment(), required=required, help=f"{text} Such as 7d, 2026-03-01 or 2026-03-01T10:00Z."
    )


def _setting(name: str, default: object, kind: click.ParamType[Any], text: str, **more: Any) -> Callable[[F], F]:
    return click.option(
        "--" + name.lower().replace("_", "-"),
        envvar=settings.PREFIX + name,
        default=default,
        show_default=True,
        show_envvar=True,
        type=kind,
        # Without a metavar click prints INTEGER RANGE.
        metavar="URL" if kind is click.STRING else "NUMBER",
        help=text,
        **more,
    )


_API = (
    _setting("BASE_URL", settings.DEFAULT_BASE_URL, click.STRING, "Address of the API."),
    _setting("DEADLINE", 60.0, FiniteFloat(min=0, min_open=True), "Seconds for all requests of a run."),
    _setting("ATTEMPTS", 4, WholeNumber(min=1), "Attempts for each mode."),
    _setting("MAX_BYTES", DEFAULT_MAX_BYTES, WholeNumber(min=1), "Largest accepted response, decompressed."),
    archive("Keep each distinct response in this folder, before anything of it is stored."),
)
_CATALOG = (
    _setting("MAX_MODELS", 200_000, WholeNumber(min=1), "Largest accepted number of models in a response."),
    _setting("MAX_REMOVAL_PERCENT", 20.0, FiniteFloat(0, 100), "Removals of a larger share of a mode are held back."),
    _setting("MAX_REMOVAL_COUNT", 3, WholeNumber(min=1), "Fewer removals than this are never held back."),
    _setting(
        "MAX_COST_MOVE_PERCENT",
        20.0,
        FiniteFloat(0, 100),
        "A mode is held back when a larger share of its costs vanishes or jumps.",
    ),
    _setting("MAX_COST_MOVE_COUNT", 3, WholeNumber(min=1), "Fewer such costs than this are never held back."),
    _setting(
        "MAX_COST_MOVE_FACTOR", 10.0, FiniteFloat(min=1), "A cost jumps when it changes by more than this factor."
    ),
)
_DATABASE = (
    click.option(
        "--database-url",
        envvar=settings.PREFIX + "DATABASE_URL",
        callback=_refuse_password_in_arguments,
        metavar="URL",
        help="Database of the catalog: sqlite:///FILE, postgresql://... or mariadb://...; a URL with a password only"
        " as CATALOG_SYNC_DATABASE_URL. Default: an SQLite file in your data directory.",
    ),
    _setting(
        "DATABASE_TIMEOUT",
        60.0,
        FiniteFloat(min=1),
        "Seconds to wait for a response of the database server, and to retry an unreachable server.",
        callback=_keep_timeout,
        expose_value=False,
    ),
)


def api_settings(command: F) -> F:
    """The settings of a command that fetches from the API and parses responses."""
    return _all(_API + _CATALOG, command)


def catalog_settings(command: F) -> F:
    """The settings of a command that parses responses."""
    return _all(_CATALOG, command)


def _all(options: tuple[Callable[[F], F], ...], command: F) -> F:
    # Decorators apply from the bottom up; reversed, help lists the options in their order here.
    for option in reversed(options):
        command = option(command)
    return command
