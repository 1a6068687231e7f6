"""The command ``checkpoint``: the state of the seals as a short text to keep elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from sync.cli import options
from sync.cli.composition import database


@click.command(
    short_help="Print the size and root of the seals.", epilog="Example: catalog-sync checkpoint >> checkpoints.txt"
)
@options.output_file
@options.database_url
def checkpoint(*, output: Path | None, database_url: str) -> None:
    """Print a checkpoint: the id of the catalog, and the number and root hash of its seals.

    Keep it where nobody who can write to the database can change it. catalog-sync verify --checkpoint later shows
    whether what was recorded until now is still the same.
    """
    from sync.catalog.checkpoint import ORIGIN_PREFIX
    from sync.cli.process.whole_file import write_document
    from sync.store.sealed_runs import read_checkpoint

    write_document(output, database(database_url).read(read_checkpoint).text(), ORIGIN_PREFIX)
