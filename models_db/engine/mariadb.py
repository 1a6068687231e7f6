"""Several servers behind one URL, for MariaDB: PostgreSQL's driver does that by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext

from models_db.engine.error_classes import mariadb_code, needs_another_host


class Hosts:
    """The servers of an engine in the order of its URL; one that proves of no use comes last the next time."""

    def __init__(self, engine: Engine) -> None:
        self._first = 0
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "handle_error", self._failed)

    def _connect(self, dialect: Any, _record: object, arguments: Any, options: dict[str, Any]) -> Any:
        """The first that lets us in; raises what the last one said."""
        from models_db.greeting import LoginTimeoutConnection  # late: the driver is an extra

        *others, last = self._in_turn(options)
        for address in others:
            with suppress(dialect.loaded_dbapi.OperationalError):
                return LoginTimeoutConnection(*arguments, **{**options, **address})
        return LoginTimeoutConnection(*arguments, **{**options, **last})

    def _in_turn(self, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        hosts, ports = (str(options.get(name) or "").split(",") for name in ("host", "port"))
        for number in range(len(hosts)):
            place = (self._first + number) % len(hosts)
            port = ports[place] if place < len(ports) else ""
            yield {"host": hosts[place] or "localhost", "port": int(port or 3306)}

    def _failed(self, context: ExceptionContext) -> None:
        # The node keeps the connection but is of no use: the next try must go to another one.
        if needs_another_host(mariadb_code(context.original_exception)):
            context.is_disconnect = True
            self._first += 1
