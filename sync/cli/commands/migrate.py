"""The command ``migrate``: the schema of the database."""

from __future__ import annotations

import click

from sync.cli import options
from sync.cli.composition import database, make_or_upgrade


@click.command(short_help="Make a catalog, or upgrade it.", epilog="Example: catalog-sync migrate --check")
@click.option("--check", is_flag=True, help="Change nothing; exit with code 2 unless the schema is up to date.")
@options.database_url
def migrate(*, check: bool, database_url: str) -> None:
    """Make a catalog in the database, or bring its schema to the revision of this version.

    Prints which of the two it did. An SQLite file that is missing is created. A database on a server must exist.
    """
    from sync.store.database import HEAD

    catalog = database(database_url)
    if check:
        catalog.require_head()
        click.echo(f"{catalog.masked_url} is at revision {HEAD}")
        return
    before, after = make_or_upgrade(catalog)
    if before is None:
        click.echo(f"made a new catalog in {catalog.masked_url}: revision {after}, id {catalog.catalog_id_found()}")
    elif before == after:
        click.echo(f"{catalog.masked_url} is at revision {after}; there was nothing to upgrade")
    else:
        click.echo(f"upgraded {catalog.masked_url}: revision {before} -> {after}")
    if warning := catalog.storage_warning():
        click.echo(f"note: {warning}")
