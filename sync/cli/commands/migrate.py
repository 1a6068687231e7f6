"""The command ``migrate``: the schema of the database."""

from __future__ import annotations

import click

from sync.cli import options
from sync.cli.composition import database, upgrade


@click.command(
    short_help="Create the tables and views, or upgrade them.", epilog="Example: catalog-sync migrate --check"
)
@click.option("--check", is_flag=True, help="Change nothing; exit with code 2 unless the schema is up to date.")
@options.database_url
def migrate(*, check: bool, database_url: str) -> None:
    """Bring the schema of the database to the revision of this version.

    An SQLite file that is missing is created. A database on a server must exist.
    """
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
