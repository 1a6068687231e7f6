"""The command that proves what is stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.process.messages import print_line
from sync.errors import CheckFailed

if TYPE_CHECKING:
    from sync.catalog.verify.findings import Finding
    from sync.store.verify.read_models import Verification

_LINE_LIMIT = 2000


@click.command(short_help="Prove that the stored data is sound.", epilog="Example: catalog-sync verify")
@options.database_url
@options.as_json
def verify(*, database_url: str, as_json: bool) -> None:
    """Prove that the stored data is sound, or name each row that breaks a rule and exit 9.

    Costs, changes and current rows are made again from what the API sent, and compared. Reads only.
    """
    from sync.store.verify.read_models import Verification

    with database(database_url).reading() as connection:
        verification = Verification(connection)
        number = _tell_as_json(verification) if as_json else _tell(verification)
    if number:
        raise CheckFailed(
            f"{number} faults in the stored data, each named on stdout: sync no more before a backup that"
            " verifies is restored, or report them"
        )


def _tell(verification: Verification) -> int:
    number = 0
    for number, fault in enumerate(verification.findings(), start=1):  # noqa: B007  # told after the loop
        print_line(_line(fault))
    if not number:
        print_line(
            f"sound: {verification.models} models, {verification.versions} versions, {verification.costs} costs"
            f" and {verification.changes} changes agree{_outdated(verification)}"
        )
    return number


def _tell_as_json(verification: Verification) -> int:
    from sync.show.formats import to_json

    faults = [asdict(fault) for fault in verification.findings()]
    counts = {name: getattr(verification, name) for name in ("models", "versions", "costs", "changes", "outdated")}
    print_line(to_json({**counts, "findings": faults}))
    return len(faults)


def _outdated(verification: Verification) -> str:
    if not verification.outdated:
        return ""
    return (
        f"; another version of catalog-sync read {verification.outdated} of the models: the next sync makes their"
        " current rows anew, and until then these are not compared"
    )


def _line(fault: Finding) -> str:
    from sync.catalog.text import one_line
    from sync.catalog.verify.findings import format_time

    model = repr(fault.model_id) if fault.model_id else None
    where = [fault.table, fault.mode, model, format_time(fault.at) if fault.at else None]
    return one_line(f"{' '.join(filter(None, where))}: {fault.problem}", _LINE_LIMIT)
