"""The API as each scenario needs it: the emulator, and servers that fail in one way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from sync.source.emulator.http_server import Reply, ReplyServer
from sync.source.emulator.server import BASE_PATH, Catalog, Emulator
from tests.support.made_responses import body, model, raw

Answer = Callable[[str], Reply]
"""What is sent for a mode."""


def listed(count: int) -> Catalog:
    """A catalog with a number of models in each mode."""
    models = [tuple(raw(model(f"{mode}-{number}")) for number in range(count)) for mode in ("image", "video")]
    return Catalog(*models)


@contextmanager
def emulator(*catalogs: Catalog) -> Iterator[Emulator]:
    with Emulator(catalogs or [listed(10)], stepping="manual") as api:
        yield api


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """The base URL of a server that sends what the function returns for the mode of a request."""

    def reply(target: str, _authorization: str) -> Reply:
        return answer(target.rpartition("mode=")[2])

    api = ReplyServer(0, reply, Reply(405, b""), None, lambda: datetime.now(UTC))
    thread = threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{api.server_port}{BASE_PATH}"
    finally:
        api.shutdown()
        thread.join()
        api.server_close()


def good(mode: str) -> Reply:
    return Reply(200, body(mode, [model(f"{mode}-{number}") for number in range(10)]))


def unavailable(_mode: str) -> Reply:
    return Reply(503, b"unavailable")


def cut(mode: str) -> Reply:
    """A response that says it has more models than it has."""
    return Reply(200, body(mode, [model()], total=2))


def in_turn(answers: Sequence[Answer]) -> Answer:
    """Each request gets the next answer; from then on the last one."""
    left, lock = list(answers), threading.Lock()

    def answer(mode: str) -> Reply:
        with lock:
            chosen = left.pop(0) if len(left) > 1 else left[0]
        return chosen(mode)

    return answer


def silent(until: threading.Event) -> Answer:
    """Sends nothing before the event."""

    def answer(mode: str) -> Reply:
        until.wait(60)
        return good(mode)

    return answer


def overtaken(another_run: Callable[[], object]) -> Answer:
    """While the first request waits, another run is stored, by requests that do not wait."""
    first = threading.Lock()

    def answer(mode: str) -> Reply:
        if first.acquire(blocking=False):
            another_run()
        return good(mode)

    return answer
