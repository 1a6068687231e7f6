"""The command ``verify``: whether the stored rows are consistent."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.composition import database
from sync.cli.output import print_folded
from sync.cli.process.messages import print_line
from sync.cli.which_catalog import read_which
from sync.errors import CheckFailed

if TYPE_CHECKING:
    from sync.catalog.verify.findings import Finding
    from sync.store.database import Connection
    from sync.store.verify.read_models import Verification

_LINE_LIMIT = 2000  # characters


@click.command(short_help="Check that the stored rows are consistent.", epilog="Example: catalog-sync verify")
@options.as_json
@options.database_url
def verify(*, as_json: bool, database_url: str) -> None:
    """Check that the stored rows are consistent. Name each row that breaks a rule, and exit with code 9.

    Costs, changes and current rows are derived again from what the API sent, and compared with the
    stored ones. Nothing is written.
    """
    from sync.store.verify.read_models import Verification

    catalog = database(database_url)
    # After a broken connection everything is read again, and what was printed before is not repeated.
    printed: set[str] = set()

    def work(connection: Connection) -> int:
        verification = Verification(connection)
        if as_json:
            return _print_json(verification)
        if not printed:
            read_which(catalog, connection).print_before()
            printed.add("")
        return _print_findings(verification, printed)

    number = catalog.read(work)
    if number:
        raise CheckFailed(
            f"the stored rows are not consistent: {number} findings, each named on stdout; stop syncing and restore a"
            " backup that verifies, or report the findings"
        )


def _print_findings(verification: Verification, printed: set[str]) -> int:
    """The number of findings. Prints those that are not in ``printed``, and adds them."""
    number = 0
    for number, finding in enumerate(verification.findings(), start=1):  # noqa: B007  # used after the loop
        line = _finding_line(finding)
        if line not in printed:
            print_folded(line)  # at once: a large database takes minutes
            printed.add(line)
    if not number:
        print_folded(
            f"consistent: {verification.models} models, {verification.versions} versions, {verification.costs} costs"
            f" and {verification.changes} changes agree{_outdated(verification)}"
        )
    return number


def _print_json(verification: Verification) -> int:
    from sync.show.formats import to_json

    findings = [asdict(finding) for finding in verification.findings()]
    counts = {name: getattr(verification, name) for name in ("models", "versions", "costs", "changes", "outdated")}
    print_line(to_json({**counts, "findings": findings}))
    return len(findings)


def _outdated(verification: Verification) -> str:
    if not verification.outdated:
        return ""
    return (
        f"; the current rows of {verification.outdated} models come from another version of catalog-sync and were not"
        " compared: the next sync makes them again"
    )


def _finding_line(finding: Finding) -> str:
    from sync.catalog.text import one_line
    from sync.catalog.verify.findings import format_time

    model = repr(finding.model_id) if finding.model_id else None
    row = [finding.table, finding.mode, model, format_time(finding.at) if finding.at else None]
    return one_line(f"{' '.join(filter(None, row))}: {finding.problem}", _LINE_LIMIT)
