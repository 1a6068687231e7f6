"""The command ``verify``: whether the stored rows are consistent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.cli import options
from sync.cli.checkpoint_files import KeptCheckpoints
from sync.cli.composition import database
from sync.cli.output import print_folded
from sync.cli.process.messages import print_line
from sync.cli.verified_archive import ArchiveVerification
from sync.cli.which_catalog import read_which
from sync.errors import CheckFailed

if TYPE_CHECKING:
    from sync.catalog.verify.findings import Finding
    from sync.store.database import Connection
    from sync.store.verify.read_models import Verification

_LINE_LIMIT = 2000  # characters


@click.command(short_help="Check that the stored rows are consistent.", epilog="Example: catalog-sync verify")
@click.option("--thorough", is_flag=True, help="Recompute the sealed roots over the listed models of every run.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare the seals with the checkpoints in FILE, which were kept elsewhere.",
)
@options.as_json
@options.archives
@options.database_url
def verify(
    *, thorough: bool, checkpoint_file: Path | None, as_json: bool, archives: tuple[Path, ...], database_url: str
) -> None:
    """Check that the stored rows are consistent. Name each row that breaks a rule, and exit with code 9.

    Costs, changes and current rows are derived again from the stored texts, and compared with the stored
    ones; runs are compared with them and with each other; the seals are computed again from the rows of
    their runs. Nothing is written.
    """
    from sync.store.verify.read_models import Verification

    kept = None if checkpoint_file is None else KeptCheckpoints(checkpoint_file)
    catalog = database(database_url)
    # Before the database is read: a run that is at work now keeps its responses before it stores anything.
    archive = ArchiveVerification.of(archives)
    # After a broken connection everything is read again, and what was printed before is not repeated.
    printed: set[str] = set()

    def work(connection: Connection) -> list[str]:
        checks = _Checks(Verification(connection, thorough=thorough), kept, archive)
        if as_json:
            return _print_json(checks)
        if not printed:
            read_which(catalog, connection).print_before()
            printed.add("")
        return _print_findings(checks, printed)

    tables = catalog.read(work)
    if tables:
        raise CheckFailed(_failure(tables))
    if kept:
        kept.require_whole()


def _failure(tables: list[str]) -> str:
    """The error line of findings, by the table of each."""
    from sync.catalog.verify.archive import TABLE as ARCHIVE

    count = f"{len(tables)} finding{'' if len(tables) == 1 else 's, each'} named on stdout"
    if set(tables) == {ARCHIVE}:
        return (
            f"the archive is not consistent with the runs: {count}; restore its files from a copy, or report the"
            " findings"
        )
    return (
        f"the stored rows{' and the archive' if ARCHIVE in tables else ''} are not consistent: {count}; stop syncing"
        " and restore a backup that verifies, or report the findings"
    )


@dataclass(frozen=True)
class _Checks:
    """What is compared: the rows with each other, and with what was kept of them elsewhere."""

    verification: Verification
    kept: KeptCheckpoints | None
    archive: ArchiveVerification

    def findings(self) -> Iterator[Finding]:
        yield from self.verification.findings()
        if self.kept:
            yield from self.kept.findings(self.verification.connection)
        yield from self.archive.findings(self.verification.connection)


def _print_findings(checks: _Checks, printed: set[str]) -> list[str]:
    """The table of each finding. Prints those that are not in ``printed``, and adds them."""
    tables = []
    for finding in checks.findings():
        tables.append(finding.table)
        line = _finding_line(finding)
        if line not in printed:
            print_folded(line)  # at once: a large database takes minutes
            printed.add(line)
    if not tables:
        print_folded(_consistent(checks))
    return tables


def _consistent(checks: _Checks) -> str:
    rows = checks.verification
    return (
        f"consistent: {rows.models} models, {rows.versions} versions, {rows.costs} costs and {rows.changes} changes"
        f" agree{checks.archive.text()}{_outdated(rows)}{f'; {checks.kept.holding_text()}' if checks.kept else ''}"
    )


def _print_json(checks: _Checks) -> list[str]:
    from sync.show.formats import to_json

    findings = list(checks.findings())
    names = ("models", "versions", "costs", "changes", "outdated")
    counts = {name: getattr(checks.verification, name) for name in names}
    checkpoints = checks.kept.document() if checks.kept else None
    print_line(
        to_json(
            {
                **counts,
                "checkpoints": checkpoints,
                "archive": checks.archive.numbers(),
                "findings": [asdict(finding) for finding in findings],
            }
        )
    )
    return [finding.table for finding in findings]


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
