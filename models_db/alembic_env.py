"""Runs migrations: called by ``alembic/env.py``, both for plain ``alembic`` and for ``models_db.migrate``."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import URL, Connection, text

from models_db import table_comments
from models_db.engine import migration_engine, normalise_url
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.migrate import HEAD, VERSION_TABLE, current_revision, exclusive_transaction, require_names_free
from models_db.tables.metadata import apply_table_options, metadata
from models_db.views import install
from models_db.views.loader import VIEWS
from models_db.views.postgresql_grants import Grant

_URL_VARIABLE = "CATALOG_SYNC_DATABASE_URL"


def run() -> None:
    """Run alembic's command: on the connection that ``migrate`` passes, or on a new one."""
    if context.is_offline_mode():
        _offline()
        return
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _online(connection)
        return
    try:
        with exclusive_transaction(migration_engine(_url(), create=_has_target())) as connection:
            _online(connection)
    except (DatabaseSettingError, SchemaError) as error:
        raise CommandError(str(error)) from error  # alembic prints this type in one line


def _url() -> URL:
    given = context.get_x_argument(as_dictionary=True).get("url") or os.environ.get(_URL_VARIABLE)
    if not given:
        raise DatabaseSettingError(f"the database is not named; set {_URL_VARIABLE}, or pass -x url=...")
    return normalise_url(given)


def _target() -> Any:
    """Return the revision that an upgrade, downgrade or stamp leads to; None for other commands, and for base."""
    try:
        return context.get_revision_argument()
    except KeyError:
        return None


def _has_target() -> bool:
    return _target() is not None


def _online(connection: Connection) -> None:
    require_names_free(connection, {*metadata.tables, *(view.name for view in VIEWS)})
    grants: list[Grant] = []

    def remove_views() -> None:
        grants.extend(install.remove(connection))

    if connection.dialect.name == "mariadb":
        _use_innodb(connection)
    _configure(before_steps=remove_views, connection=connection, dialect_name=connection.dialect.name)
    context.run_migrations()
    if _has_target() and current_revision(connection) == HEAD:
        table_comments.update(connection)
        install.install(connection, grants)
    if connection.dialect.name == "sqlite":
        _check_references(connection)


def _offline() -> None:
    try:
        url = _url()
    except DatabaseSettingError as error:
        raise CommandError(str(error)) from error

    def remove_views() -> None:
        for statement in install.offline_removal():
            context.execute(statement)

    _configure(before_steps=remove_views, url=url, dialect_name=url.get_backend_name(), literal_binds=True)
    with context.begin_transaction():
        if url.get_backend_name() == "mariadb":
            context.execute("SET SESSION default_storage_engine = InnoDB")  # for the version table
        context.run_migrations()
        if _target() == HEAD:
            for statement in (
                *table_comments.offline_update(context.get_context().dialect),
                *install.offline_installation(url.get_backend_name()),
            ):
                context.execute(statement)


def _use_innodb(connection: Connection) -> None:
    # A version table that was made before sessions set their engine is of the server's default engine.
    query = text(
        "SELECT 1 FROM information_schema.tables"
        " WHERE table_schema = DATABASE() AND table_name = :name AND engine <> 'InnoDB'"
    )
    if connection.scalar(query, {"name": VERSION_TABLE}):
        connection.exec_driver_sql(f"ALTER TABLE {VERSION_TABLE} ENGINE = InnoDB")


def _check_references(connection: Connection) -> None:
    # A migration runs without enforced foreign keys: see migration_engine.
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise SchemaError(
            f"the migration failed: rows of {broken[0]} refer to rows that do not exist; nothing was changed,"
            " correct these rows or restore a backup"
        )


def _configure(*, before_steps: Callable[[], None], dialect_name: str, **connection_or_url: Any) -> None:
    apply_table_options()
    # Each database returns the expression of a generated column in its own spelling.
    warnings.filterwarnings("ignore", message="Computed default on .* cannot be modified")
    options = {
        "target_metadata": metadata,
        "version_table": VERSION_TABLE,
        "include_name": _is_managed,
        "on_version_apply": _commit_revision,
        "process_revision_directives": _set_revision_number,
        "render_as_batch": dialect_name == "sqlite",
        "transactional_ddl": dialect_name != "mariadb",
        **connection_or_url,
    }
    context.configure(**options)
    # Views must be removed only if a revision runs. Alembic calls the command's "fn" for the list of revisions
    # to run, so the removal is put behind that call.
    pending_steps = context.get_context().opts["fn"]

    def steps_without_views(heads: object, migration: MigrationContext) -> list[object]:
        steps = list(pending_steps(heads, migration))
        if steps:
            before_steps()
        return steps

    context.configure(**options, fn=steps_without_views)


def _is_managed(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables


def _commit_revision(ctx: MigrationContext, *_args: object, **_: object) -> None:
    # MariaDB has committed the DDL of the revision already. The revision number must not be rolled back either.
    if not ctx.impl.transactional_ddl and not ctx.as_sql and ctx.connection is not None:
        ctx.connection.commit()


def _set_revision_number(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    for directive in directives:
        directive.rev_id = f"{int(HEAD) + 1:04}"
