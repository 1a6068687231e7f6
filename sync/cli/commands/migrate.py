"""The command that makes a database or brings it to head: migrate."""

from __future__ import annotations

import click

from sync.cli import options
from sync.cli.composition import database, upgrade


@click.command(short_help="Make the database, or bring it to head.", epilog="Example: catalog-sync migrate")
@options.database_url
@click.option("--check", is_flag=True, help="Only say whether it is at head; exit 2 if not.")
def migrate(*, database_url: str, check: bool) -> None:
    """Bring the database to the schema of this version; make an SQLite file that is missing."""
    from sync.store.database import HEAD

    catalog = database(database_url)
    if check:
        catalog.require_head()
        click.echo(f"{catalog.masked_url} is at revision {HEAD}")
        return
    upgrade(catalog)
    click.echo(f"{catalog.masked_url} is now at revision {HEAD}")
    if warning := catalog.storage_warning():
        click.echo(f"note: {warning}")
