"""What ``alembic/env.py`` does: the same for plain ``alembic`` and for ``models_db.migrate``."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import URL, Connection

from models_db.engine import migration_engine, normalise_url
from models_db.errors import DatabaseSettingError, SchemaError
from models_db.migrate import HEAD, VERSION_TABLE, current_revision, one_at_a_time, refuse_foreign
from models_db.tables.metadata import apply_table_options, metadata
from models_db.views import install
from models_db.views.definitions import VIEWS
from models_db.views.postgresql_grants import Grant

_URL_VARIABLE = "CATALOG_SYNC_DATABASE_URL"


def run() -> None:
    """Run whatever command alembic was given, on the connection handed over or on one of our own."""
    if context.is_offline_mode():
        _offline()
        return
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _online(connection)
        return
    try:
        with one_at_a_time(migration_engine(_url(), create=_goes_up())) as connection:
            _online(connection)
    except (DatabaseSettingError, SchemaError) as error:
        raise CommandError(str(error)) from error  # alembic prints this kind in one line


def _url() -> URL:
    given = context.get_x_argument(as_dictionary=True).get("url") or os.environ.get(_URL_VARIABLE)
    if not given:
        raise DatabaseSettingError(f"no database named: set {_URL_VARIABLE}, or pass -x url=...")
    return normalise_url(given)


def _destination() -> Any:
    """Where an upgrade, a downgrade or a stamp goes; None for commands that only look, and for base."""
    try:
        return context.get_revision_argument()
    except KeyError:
        return None


def _goes_up() -> bool:
    return _destination() is not None


def _online(connection: Connection) -> None:
    refuse_foreign(connection, {*metadata.tables, *(view.name for view in VIEWS)})
    grants: list[Grant] = []

    def remove_views() -> None:
        grants.extend(install.remove(connection))

    _configure(before_steps=remove_views, connection=connection, dialect_name=connection.dialect.name)
    context.run_migrations()
    if _goes_up() and current_revision(connection) == HEAD:
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
        context.run_migrations()
        if _destination() == HEAD:
            for statement in install.offline_installation(url.get_backend_name()):
                context.execute(statement)


def _check_references(connection: Connection) -> None:
    # They are not enforced while a migration runs.
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise SchemaError(
            f"the migration would leave rows of {broken[0]} without what they refer to: nothing was changed"
        )


def _configure(*, before_steps: Callable[[], None], dialect_name: str, **connection_or_url: Any) -> None:
    apply_table_options()
    # The databases spell a generated column's expression each in their own way.
    warnings.filterwarnings("ignore", message="Computed default on .* cannot be modified")
    options = {
        "target_metadata": metadata,
        "version_table": VERSION_TABLE,
        "include_name": _is_ours,
        "on_version_apply": _keep_step,
        "process_revision_directives": _number,
        "render_as_batch": dialect_name == "sqlite",
        "transactional_ddl": dialect_name != "mariadb",
        **connection_or_url,
    }
    context.configure(**options)
    # Views go only when there is a step to run. Alembic asks the command for the steps once it knows
    # where the database stands; this stands between the two.
    steps = context.get_context().opts["fn"]

    def steps_after_views(heads: object, migration: MigrationContext) -> list[object]:
        pending = list(steps(heads, migration))
        if pending:
            before_steps()
        return pending

    context.configure(**options, fn=steps_after_views)


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name in metadata.tables


def _keep_step(ctx: MigrationContext, *_args: object, **_: object) -> None:
    # On MariaDB what a step did is there for good; that it was done must be too.
    if not ctx.impl.transactional_ddl and not ctx.as_sql and ctx.connection is not None:
        ctx.connection.commit()


def _number(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    for directive in directives:
        directive.rev_id = f"{int(HEAD) + 1:04}"
