"""The command ``ignore``: fields whose changes are not recorded."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.composition import database, person
from sync.cli.output import print_rows
from sync.cli.param_types import Utf8Text
from sync.cli.process.messages import print_line
from sync.cli.which_catalog import read_catalog
from sync.composition.masking import masker
from sync.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from sync.store.database import Connection

_HEADINGS = {
    "path": "PATH",
    "valid_from": "FROM (UTC)",
    "valid_to": "TO (UTC)",
    "added_by": "BY",
    "reason": "WHY",
}
_NONE_IGNORED = "nothing found: no field is ignored, or was; catalog-sync ignore add ignores one"
_by = click.option("--by", type=Utf8Text(), metavar="NAME", help="Who decides. Default: your account and this host.")


@click.group(epilog="Example: catalog-sync ignore add models.latency_ms --why 'another value in each response'")
def ignore() -> None:
    """Record no changes of a field that changes at every sync.

    A PATH is an entity, a dot and a field, as in the FIELD column of catalog-sync changes. * stands for
    one name between dots, and a path covers everything under it.
    """


@ignore.command("list", epilog="Example: catalog-sync ignore list --json")
@options.as_json
@options.database_url
def list_(*, as_json: bool, database_url: str) -> None:
    """List the ignored fields, and those that were ignored once."""
    from sync.store.ignored import IgnoredRow, ignored_rows

    which, rows = read_catalog(database(database_url), lambda connection, _: ignored_rows(connection))
    if not as_json:
        which.print_before()
    print_rows(
        [asdict(row) for row in rows], IgnoredRow, _HEADINGS, as_json=as_json, as_csv=False, why_empty=_NONE_IGNORED
    )


@ignore.command(epilog="Example: catalog-sync ignore add 'params.*.rank' --why 'another value in each response'")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=Utf8Text())
@click.option("--why", type=Utf8Text(), metavar="TEXT", required=True, help="Why the fields are ignored. Recorded.")
@_by
@options.database_url
def add(*, paths: tuple[str, ...], why: str, by: str | None, database_url: str) -> None:
    """Ignore a field from now on. Its changes open no version and are not listed.

    The id, the mode and the cost of a model cannot be ignored.
    """
    from sync.store.ignored import add_ignored

    for path in paths:
        _require_usable(path)
    mask = masker(os.environ)
    reason, name = mask(_required_text(why)), mask(person(by))
    start = _store(
        database_url, lambda connection, attempt: add_ignored(connection, paths, options.now(), reason, name, attempt)
    )
    for path in dict.fromkeys(paths):
        print_line(f"{path} is ignored from {start:%Y-%m-%d %H:%M:%S} UTC on")


@ignore.command(epilog="Example: catalog-sync ignore remove models.latency_ms --why 'rounded to seconds now'")
@click.argument("path", metavar="PATH", type=Utf8Text())
@click.option("--why", type=Utf8Text(), metavar="TEXT", help="Why the field is no longer ignored. Recorded.")
@_by
@options.database_url
def remove(*, path: str, why: str | None, by: str | None, database_url: str) -> None:
    """Ignore a field no longer. PATH is spelled as in catalog-sync ignore list."""
    from sync.store.ignored import end_ignored

    remark = masker(os.environ)(f"removed by {person(by)}" + (f": {why}" if why else ""))
    end = _store(
        database_url, lambda connection, attempt: end_ignored(connection, path, options.now(), remark, attempt)
    )
    print_line(f"{path} is no longer ignored from {end:%Y-%m-%d %H:%M:%S} UTC on")


def _require_usable(path: str) -> None:
    from sync.catalog.changes.ignored_path import PathError, parse_path

    try:
        parse_path(path)
    except PathError as error:
        raise UsageError(f"{path or 'an empty path'} was not added: {error}") from None


def _required_text(why: str) -> str:
    if not why.strip():
        raise UsageError("nothing was added: --why is empty; write why the field is ignored")
    return why.strip()


def _store(url: str, work: Callable[[Connection, int], datetime]) -> datetime:
    from sync.store.database import in_transaction

    with database(url).opened() as engine:
        return in_transaction(engine, work)
