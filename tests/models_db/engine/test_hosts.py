"""Which of several hosts a connection goes to, and how long each may take."""

from __future__ import annotations

from typing import Any

import psycopg
import pymysql
import pytest

from models_db.engine.hosts import Use, first_connection

OPTIONS = {"host": "a,b,c", "port": "1,,3", "connect_timeout": 10, "user": "me"}
REFUSED, READ_ONLY = "Connection refused", "session is read-only"


class Hosts:
    """Hosts by name, each with the error of its connections, if any. A read-only one accepts readers."""

    def __init__(self, **errors: str) -> None:
        self.errors = errors
        self.tried: list[tuple[str, str, int, Use]] = []

    def connect(self, options: dict[str, Any], use: Use) -> str:
        host = options["host"]
        self.tried.append((host, options["port"], options["connect_timeout"], use))
        error = self.errors.get(host)
        if error and not (error == READ_ONLY and use == "reads"):
            raise psycopg.OperationalError(error)
        return str(host)


@pytest.mark.parametrize("reads_only", [True, False])
def test_the_first_host_that_takes_writes_is_used_by_writers_and_readers(*, reads_only: bool) -> None:
    hosts = Hosts(a=REFUSED, b=READ_ONLY)

    assert first_connection(OPTIONS, hosts.connect, psycopg.OperationalError, reads_only=reads_only) == "c"
    assert hosts.tried == [("a", "1", 3, "writes"), ("b", "", 3, "writes"), ("c", "3", 10, "writes")]


def test_a_reader_uses_a_standby_when_no_host_takes_writes() -> None:
    hosts = Hosts(a=REFUSED, b=READ_ONLY, c=REFUSED)

    assert first_connection(OPTIONS, hosts.connect, psycopg.OperationalError, reads_only=True) == "b"
    assert len(hosts.tried) == 4


def test_the_error_names_each_host_and_its_reason() -> None:
    hosts = Hosts(a=REFUSED, b=READ_ONLY, c="connection timeout expired")
    with pytest.raises(psycopg.OperationalError) as caught:
        first_connection(OPTIONS, hosts.connect, psycopg.OperationalError, reads_only=False)

    assert str(caught.value) == f"a:1: {REFUSED}; b: is a standby or read-only; c:3: connection timeout expired"


def test_one_host_gets_all_the_time_and_its_error_is_unchanged() -> None:
    error = pymysql.OperationalError(2003, "no")

    def connect(options: dict[str, Any], _: Use) -> str:
        assert options["connect_timeout"] == 10
        raise error

    with pytest.raises(pymysql.OperationalError) as caught:
        first_connection({"host": "a", "connect_timeout": 10}, connect, pymysql.OperationalError, reads_only=False)
    assert caught.value is error


def test_a_code_of_the_driver_stays_the_first_argument() -> None:
    def connect(options: dict[str, Any], _: Use) -> str:
        raise pymysql.OperationalError(2003, f"no {options['host']}")

    with pytest.raises(pymysql.OperationalError) as caught:
        first_connection(OPTIONS, connect, pymysql.OperationalError, reads_only=False)
    assert caught.value.args == (2003, "a:1: 2003 no a; b: 2003 no b; c:3: 2003 no c")


def test_each_host_has_its_address_and_one_port_is_for_all() -> None:
    tried = []

    def connect(options: dict[str, Any], _: Use) -> str:
        tried.append((options["host"], options["hostaddr"], options["port"]))
        raise psycopg.OperationalError(REFUSED)

    options = {"host": "a,b", "hostaddr": "10.0.0.1,10.0.0.2", "port": "5433", "connect_timeout": 10}
    with pytest.raises(psycopg.OperationalError):
        first_connection(options, connect, psycopg.OperationalError, reads_only=False)
    assert tried == [("a", "10.0.0.1", "5433"), ("b", "10.0.0.2", "5433")]


def test_a_short_connect_timeout_holds_for_every_host() -> None:
    hosts = Hosts(a=REFUSED, b=REFUSED)
    first_connection({**OPTIONS, "connect_timeout": 2}, hosts.connect, psycopg.OperationalError, reads_only=False)

    assert [seconds for _, _, seconds, _ in hosts.tried] == [2, 2, 2]
