"""Options by which other programs watch the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import click
from click.core import ParameterSource

from sync import settings
from sync.composition.masking import hide_ping_url
from sync.errors import UsageError
from sync.metrics.ping_url import PingUrl, parse_ping_url

_PORTS = range(1, 65536)


class Address(NamedTuple):
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """An address such as ``127.0.0.1:9108`` or ``[::1]:9108``. Raises ``ValueError``."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text!r} is not an address; write an IPv6 address in brackets, such as [::1]:9108")
    if not (colon and host):
        raise ValueError(f"{text!r} is not HOST:PORT; write 127.0.0.1:9108, or 0.0.0.0:9108 for every network")
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) in _PORTS):
        raise ValueError(f"{port!r} is not a port; write a number from 1 to 65535, such as 9108")
    return Address(host, int(port))


class _AddressType(click.ParamType[Address]):
    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        if isinstance(value, Address):
            return value
        try:
            return parse_address(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


def _ping_url(context: click.Context, parameter: click.Parameter, value: str | None) -> PingUrl | None:
    if value is None:
        return None
    hide_ping_url(value)  # before anything can print it
    source = context.get_parameter_source(parameter.name or "")
    url = parse_ping_url(value)
    if source is ParameterSource.COMMANDLINE and url.has_password:
        raise UsageError(
            "--ping-url refused: its password can be read in the process list; set CATALOG_SYNC_PING_URL instead"
        )
    return url


metrics_file = click.option(
    "--metrics-file",
    envvar=settings.PREFIX + "METRICS_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="After each run, write metrics for Prometheus to FILE, such as one in the folder of node_exporter.",
)
ping_url = click.option(
    "--ping-url",
    envvar=settings.PREFIX + "PING_URL",
    show_envvar=True,
    callback=_ping_url,
    metavar="URL",
    help="Ping URL/start when a run begins and URL/CODE with its exit code when it ends, as for Healthchecks.",
)
listen = click.option(
    "--listen",
    envvar=settings.PREFIX + "LISTEN",
    show_envvar=True,
    type=_AddressType(),
    metavar="HOST:PORT",
    help="Serve metrics for Prometheus at http://HOST:PORT/metrics, such as 127.0.0.1:9108.",
)
log_format = click.option(
    "--log-format",
    envvar=settings.PREFIX + "LOG_FORMAT",
    show_envvar=True,
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Print lines for people, or a JSON object per line.",
)
