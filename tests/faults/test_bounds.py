"""What an answer may cost, whatever it holds, and that each bound that can be set is kept."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.faults.costly_responses import KINDS, MIB, outcome
from tests.support.api_catalogs import model
from tests.support.commands import error_line, output
from tests.support.rude_server import RudeServer, says, silent
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

# Ten times what the slowest of them takes on a quiet machine; what grows with the square of its length takes more.
SECONDS_A_MIB = 25


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_costs_as_much_as_it_can_costs_no_more_than_its_length_allows(kind: str) -> None:
    body = KINDS[kind](MIB // 4)
    began = time.process_time()
    told = outcome(body)

    assert time.process_time() - began < SECONDS_A_MIB * max(len(body) / MIB, 0.25)
    assert "taken" in told or "ResponseRejected" in told


@pytest.mark.parametrize("kind", ["the list of models before itself", "lone surrogates", "escapes, cut off", "params"])
def test_an_answer_four_times_as_long_costs_some_four_times_as_much(kind: str) -> None:
    def seconds(size: int) -> float:
        body, began = KINDS[kind](size), time.process_time()
        outcome(body)
        return time.process_time() - began

    assert seconds(MIB) < 10 * max(seconds(MIB // 4), 0.05)


def test_the_deadline_is_kept(synced_sqlite: SyncedDatabase) -> None:
    began = time.monotonic()
    with RudeServer(silent) as api:
        line = error_line(synced_sqlite.shell("sync", "--base-url", api.url, "--deadline", "0.5", "--attempts", "9"), 4)

    assert "deadline of 0.5 s" in line
    assert time.monotonic() - began < 5


def test_the_attempts_are_kept(synced_sqlite: SyncedDatabase) -> None:
    with RudeServer(says()) as api:
        error_line(synced_sqlite.shell("sync", "--base-url", api.url, "--attempts", "2"), 4)
    assert len(api.requests) == 4


def test_the_bytes_and_the_models_are_kept(synced_sqlite: SyncedDatabase) -> None:
    many = [model(f"acme/many-{number}", 1) for number in range(100)]
    with RudeServer(image=image([*LISTED, *many]), video=video()) as api:
        ask = ("sync", "--base-url", api.url)
        assert "larger than 9999 bytes" in error_line(synced_sqlite.shell(*ask, "--max-bytes", "9999"), 5)
        assert "104 models, more than MAX_MODELS=103" in error_line(synced_sqlite.shell(*ask, "--max-models", "103"), 5)
        output(synced_sqlite.shell(*ask, "--max-bytes", "99999", "--max-models", "104"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"x": {"k" * 256: 1}}, "a key is longer than 255 characters"),
        ({"description": "d" * (MIB + 1)}, "a string is longer than 1048576 bytes"),
        ({"x": [["y" * 900_000 + str(number)] for number in range(4)]}, "the model is longer than 3145728 bytes"),
    ],
    ids=["key", "text", "model"],
)
def test_the_lengths_of_fields_are_kept(synced_sqlite: SyncedDatabase, fields: dict[str, Any], words: str) -> None:
    ended = synced_sqlite.sync(image=image([*LISTED, model("acme/long", 1, **fields)]))

    assert words in error_line(ended, 5)
    assert len(synced_sqlite.costs()) == 4
