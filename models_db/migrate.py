"""The revision of a database's schema: checking it, and migrating to another one.

Alembic is imported only where a migration runs. Checking that a schema is at head takes one query.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import URL, Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from models_db import postgresql_schema
from models_db.engine import WRITES, masked_url, migration_engine, permissions
from models_db.engine.error_classes import error_text
from models_db.errors import SchemaError

# Revisions are numbered, so a revision that sorts after HEAD comes from a newer version of the program.
HEAD = "0008"
VERSION_TABLE = "catalog_sync_version"

_POSTGRESQL_LOCK = 7_401_905_882_163_120_447  # an arbitrary number that identifies this lock in the database
_WAIT_FOR_OTHERS_SECONDS = 600
_WAIT_FOR_READERS_SECONDS = 60


class Migration(NamedTuple):
    """The revisions of a database before and after a migration; None if it had no catalog."""

    before: str | None
    after: str | None


def migrations_dir() -> Path:
    """Return the folder of the migration scripts: in the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parent / "alembic"


def current_revision(connection: Connection) -> str | None:
    """Return the revision of the database; None if it was never migrated, or was downgraded to base."""
    # Of PostgreSQL's search_path only the schema in use counts: another one may have a catalog of its own.
    dialect = connection.dialect
    schema = dialect.default_schema_name if dialect.name == "postgresql" else None
    if not inspect(connection).has_table(VERSION_TABLE, schema=schema):
        return None
    query = text(f"SELECT version_num FROM {VERSION_TABLE} ORDER BY version_num")  # noqa: S608  # a constant name
    return ", ".join(connection.scalars(query)) or None


def require_head(engine: Engine) -> None:
    """Raise ``SchemaError``, which says what to do, unless the schema is at the revision of this program."""
    with engine.connect() as connection:
        revision = current_revision(connection)
    if revision == HEAD:
        return
    if revision is None:
        raise _no_catalog(engine)
    _require_known(revision)
    raise SchemaError(
        f"the schema of {masked_url(engine.url)} is at revision {revision}, this program needs {HEAD};"
        " run catalog-sync migrate"
    )


def upgrade(url: str | URL, revision: str = "head", *, create: bool = True, timeout: float | None = None) -> Migration:
    """Upgrade the database to a revision; at head, bring comments and views up to date.

    With ``create`` a missing SQLite file and a missing catalog are created; without it they are an error.
    Several processes may call this function at once: one migrates, and the others find nothing to do.

    A database that needs nothing is only read: no lock is taken, and the account needs no right to change it.
    ``timeout`` is the read timeout for finding that out. A migration itself has none.

    Raises ``DatabaseSettingError``, and ``SchemaError`` if the migration would change a table or view that
    catalog-sync did not create, or if the account may not change the schema.
    """
    if revision == "head" and _needs_nothing(migration_engine(url, create=create, timeout=timeout)):
        return Migration(HEAD, HEAD)
    return _run("upgrade", migration_engine(url, create=create), revision, create=create)


def downgrade(url: str | URL, revision: str) -> None:
    """Downgrade the database to a revision or to ``base``. Columns and tables of later revisions are lost."""
    _run("downgrade", migration_engine(url), revision)


@contextmanager
def exclusive_transaction(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction during which no other migration of the database runs.

    The transaction is committed at the end. ``engine`` is a ``migration_engine``: it has no pool, so the
    connection is closed in any case, and the server then releases the lock.
    """
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        connection.begin()
        if connection.dialect.name == "postgresql":
            postgresql_schema.use_one(connection)
            _lock_postgresql(connection)
        elif connection.dialect.name == "mariadb":
            _lock_mariadb(connection)
        yield connection
        connection.commit()


def require_names_free(connection: Connection, names: set[str]) -> None:
    """Raise ``SchemaError`` if a database that was never migrated has a table or view of one of the names."""
    inspector = inspect(connection)
    if inspector.has_table(VERSION_TABLE):
        return
    taken = names & {*inspector.get_table_names(), *inspector.get_view_names()}
    if taken:
        raise SchemaError(
            f"the database already has {', '.join(sorted(taken))}, not made by catalog-sync:"
            " nothing was changed; give catalog-sync a separate database or schema"
        )


def _lock_postgresql(connection: Connection) -> None:
    # The lock belongs to the transaction: a transaction pooler gives the session to other clients.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_FOR_OTHERS_SECONDS}s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})")
    # A migration that waits for a table blocks all readers that come after it.
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_WAIT_FOR_READERS_SECONDS}s'")


def _lock_mariadb(connection: Connection) -> None:
    name = "CONCAT('catalog-sync ', MD5(DATABASE()))"  # these locks are shared by all databases of a server
    if connection.exec_driver_sql(f"SELECT GET_LOCK({name}, {_WAIT_FOR_OTHERS_SECONDS})").scalar() != 1:
        raise SchemaError(
            "the migration did not start: another one has been running for ten minutes; wait for it, then try again"
        )


def _no_catalog(engine: Engine) -> SchemaError:
    return SchemaError(
        f"there is no catalog in {masked_url(engine.url)};"
        " run catalog-sync migrate once to make one, or correct the URL"
    )


def _run(command: str, engine: Engine, revision: str, *, create: bool = True) -> Migration:
    from alembic import command as commands
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with exclusive_transaction(engine) as connection:
        before = current_revision(connection)
        # Under the lock: another process may be making the catalog.
        if before is None and not create:
            raise _no_catalog(engine)
        _require_known(before)
        config.attributes["connection"] = connection
        try:
            getattr(commands, command)(config, revision)
        except CommandError as error:
            raise SchemaError(f"the migration failed: {error}") from error
        except DBAPIError as error:
            if not permissions.is_denied(error):
                raise
            raise SchemaError(
                f"the migration failed: {error_text(error.orig or error)};"
                " run catalog-sync migrate as the account that owns the tables"
            ) from error
        return Migration(before, current_revision(connection))


def _needs_nothing(engine: Engine) -> bool:
    """Whether the database is at head, with the views and comments of this program."""
    from models_db import table_comments
    from models_db.views import install

    with engine.connect() as connection:
        at_head = current_revision(connection) == HEAD
        return at_head and install.are_current(connection) and table_comments.are_current(connection)


def _require_known(revision: str | None) -> None:
    if revision is not None and revision > HEAD:
        raise SchemaError(
            f"the schema is at revision {revision}, this program knows none after {HEAD}; install a newer catalog-sync"
        )
