"""Where a database stands among the migrations, and how it is brought to another revision.

Alembic is imported only where a migration runs: to see that a schema is at head takes one query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect, text

from models_db.engine import WRITES, masked_url, migration_engine
from models_db.errors import SchemaError

# Revisions are numbered: one that sorts after HEAD was made by a newer program.
HEAD = "0002"
VERSION_TABLE = "catalog_sync_version"

_POSTGRESQL_LOCK = 7_401_905_882_163_120_447  # any number that nobody else uses in the same database
_WAIT_FOR_OTHERS_SECONDS = 600
_WAIT_FOR_READERS_SECONDS = 60


def migrations_dir() -> Path:
    """The folder with the migration scripts: inside the package when installed, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "_migrations"
    return installed if installed.is_dir() else here.parent / "alembic"


def current_revision(connection: Connection) -> str | None:
    """The revision the database is at; None when it never was migrated, or was taken back to its base."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE} ORDER BY version_num")).scalars().all()  # noqa: S608  # our own name
    return ", ".join(found) or None


def require_head(engine: Engine) -> None:
    """Return if the schema is the one this program was made for; else raise ``SchemaError`` with what to do."""
    with engine.connect() as connection:
        revision = current_revision(connection)
    if revision == HEAD:
        return
    _refuse_newer(revision)
    raise SchemaError(
        f"the schema of {masked_url(engine.url)} is at revision {revision or 'none'}, this program needs {HEAD}:"
        " run catalog-sync migrate"
    )


def upgrade(url: str | URL, revision: str = "head") -> None:
    """Bring the database up to a revision, and its views up to date; make the SQLite file if it is missing.

    Does nothing to a database that is there already. Safe to run many times at once. Raises
    ``DatabaseSettingError``, and ``SchemaError`` where it would touch what is not ours.
    """
    _run("upgrade", migration_engine(url, create=True), revision)


def downgrade(url: str | URL, revision: str) -> None:
    """Take the database down to a revision, ``base`` for none: what newer ones store is lost."""
    _run("downgrade", migration_engine(url), revision)


@contextmanager
def one_at_a_time(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction, committed at the end, while which no other migration runs.

    ``engine`` is one of ``migration_engine``: with the connection the lock goes too, however it ends.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        connection.begin()
        if connection.dialect.name == "postgresql":
            _lock_postgresql(connection)
        elif connection.dialect.name == "mariadb":
            _lock_mariadb(connection)
        yield connection
        connection.commit()


def refuse_foreign(connection: Connection, ours: set[str]) -> None:
    """Raise ``SchemaError`` when a table or view with a name of ours is there that no migration of ours made."""
    inspector = inspect(connection)
    if inspector.has_table(VERSION_TABLE):
        return
    foreign = ours & {*inspector.get_table_names(), *inspector.get_view_names()}
    if foreign:
        raise SchemaError(
            f"the database already has {', '.join(sorted(foreign))}, not made by catalog-sync:"
            " nothing was touched; give catalog-sync a database or schema of its own"
        )


def _lock_postgresql(connection: Connection) -> None:
    # Of the transaction, not of the session: a transaction pool gives the session to others.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_FOR_OTHERS_SECONDS}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})")
    # Whoever waits for a table makes all later readers wait behind it.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_FOR_READERS_SECONDS}s'")


def _lock_mariadb(connection: Connection) -> None:
    name = "CONCAT('catalog-sync ', MD5(DATABASE()))"  # such locks are the server's, not the database's
    if connection.exec_driver_sql(f"SELECT GET_LOCK({name}, {_WAIT_FOR_OTHERS_SECONDS})").scalar() != 1:
        raise SchemaError("another migration has been running for ten minutes: look at it, then try again")


def _run(command: str, engine: Engine, revision: str) -> None:
    from alembic import command as commands
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with one_at_a_time(engine) as connection:
        _refuse_newer(current_revision(connection))
        config.attributes["connection"] = connection
        try:
            getattr(commands, command)(config, revision)
        except CommandError as error:
            raise SchemaError(f"the migration cannot be run: {error}") from error


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision > HEAD:
        raise SchemaError(
            f"the schema is at revision {revision}, this program knows none after {HEAD}: install a newer catalog-sync"
        )
