"""The command that makes a database or brings it to head: migrate."""

from __future__ import annotations

import click

from sync.cli import options
from sync.cli.composition import bring_to_head


@click.command(short_help="Make the database, or bring it to head.", epilog="Example: catalog-sync migrate")
@options.database_url
@click.option("--check", is_flag=True, help="Only say whether it is at head; exit 2 if not.")
def migrate(*, database_url: str, check: bool) -> None:
    """Bring the database to the schema of this version; make an SQLite file that is missing."""
    from sync.store import schema

    if check:
        schema.require_head(database_url)
        click.echo(f"{schema.masked_url(database_url)} is at revision {schema.HEAD}")
        return
    bring_to_head(database_url)
    click.echo(f"{schema.masked_url(database_url)} is now at revision {schema.HEAD}")
    if note := schema.storage_warning_for(database_url):
        click.echo(f"note: {note}")
