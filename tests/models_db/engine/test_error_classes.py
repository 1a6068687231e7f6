"""What a command does about an error of a driver: wait for the server, or name the reason at once."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from models_db.engine.error_classes import server_unavailable

HOST = 'connection to server at "127.0.0.1", port 5432 failed: '


WORTH_WAITING = {
    "Connection refused": True,
    "FATAL:  the database system is starting up": True,
    'FATAL:  password authentication failed for user "job"': False,
    "fe_sendauth: no password supplied": False,
}


@pytest.mark.parametrize("message", WORTH_WAITING)
def test_a_server_is_waited_for_unless_it_refused_the_user(message: str) -> None:
    error = OperationalError("SELECT 1", {}, psycopg.OperationalError(HOST + message))
    assert server_unavailable(error) is WORTH_WAITING[message]
