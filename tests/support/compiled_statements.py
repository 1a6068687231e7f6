"""Statements that are compiled once in a process of tests, and not once for each of its thousands of databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect, Engine, event


class CompiledStatements(dict[Any, Any]):
    """What SQLAlchemy keeps for each engine, for all engines that speak with a server of the same kind and version."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_for_all_engines(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_for_all_engines(key), compiled)


def share_compiled_statements() -> None:
    """From now on, every engine of this process uses what another one has compiled."""
    compiled = CompiledStatements()

    @event.listens_for(Engine, "engine_connect")
    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)


def _for_all_engines(key: tuple[Dialect, Any]) -> tuple[Any, ...]:
    dialect, *statement = key
    return (dialect.name, dialect.driver, dialect.server_version_info, *statement)
