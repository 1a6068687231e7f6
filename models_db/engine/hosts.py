"""Several hosts behind one URL: which of them a connection goes to, and how long each may take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from models_db.engine.error_classes import READ_ONLY, error_text, is_read_only

C = TypeVar("C")
Use: TypeAlias = Literal["writes", "reads"]
Connect: TypeAlias = Callable[[dict[str, Any], Use], C]
"""Connects with these options. For writes it raises an error for which ``is_read_only`` holds if the host takes none.
"""

# A frozen host costs each connection this time. Where another host is left, that one is the better use of it.
_SECONDS_BEFORE_ANOTHER_HOST = 3


class _Failure(NamedTuple):
    options: dict[str, Any]
    error: Exception

    @property
    def text(self) -> str:
        host, port = (self.options.get(name) for name in ("host", "port"))
        address = f"{host}:{port}" if port else str(host)
        return f"{address}: {READ_ONLY if is_read_only(self.error) else error_text(self.error)}"


def first_connection(
    options: dict[str, Any], connect: Connect[C], error_type: type[Exception], *, reads_only: bool
) -> C:
    """Return a connection to the first host, in the order of the URL, that takes writes.

    With ``reads_only`` a host that takes none, such as a standby, is used when no other host does. Raises
    the error of the only host, or an ``error_type`` whose text names each host and its reason.
    """
    failures = []
    for one in _each_host(options):
        try:
            return connect(one, "writes")
        except error_type as error:
            failures.append(_Failure(one, error))
    if reads_only:
        for standby in [failure for failure in failures if is_read_only(failure.error)]:
            try:
                return connect(standby.options, "reads")
            except error_type as error:
                failures.append(_Failure(standby.options, error))
    raise _joined(failures)


def _each_host(options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the options for each host. All but the last of the URL get a short time to connect."""
    lists = {name: str(options[name]).split(",") for name in ("host", "hostaddr", "port") if options.get(name)}
    number_of_hosts = max((len(lists[name]) for name in ("host", "hostaddr") if name in lists), default=1)
    if number_of_hosts == 1:
        yield options
        return
    for number in range(1, number_of_hosts + 1):
        given = {name: _of_host(values, number) for name, values in lists.items()}
        seconds = options["connect_timeout"]
        if number < number_of_hosts:
            seconds = min(seconds, _SECONDS_BEFORE_ANOTHER_HOST)
        yield {**options, **given, "connect_timeout": seconds}


def _of_host(values: list[str], number: int) -> str:
    """Return the value of a host; one value is for all of them."""
    if len(values) == 1:
        return values[0]
    return values[number - 1] if number <= len(values) else ""


def _joined(failures: list[_Failure]) -> Exception:
    last = failures[-1].error
    if len(failures) == 1:
        return last
    # A driver's code, such as that of MariaDB, stays the first argument.
    codes = [part for part in last.args[:1] if isinstance(part, int)]
    return type(last)(*codes, "; ".join(failure.text for failure in failures))
