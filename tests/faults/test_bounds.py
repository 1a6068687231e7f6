"""The cost of any response is bounded, and each bound that can be set is enforced."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.faults.costly_responses import KINDS, MIB, outcome
from tests.support.api_catalogs import model
from tests.support.commands import error_line, output
from tests.support.rude_server import RudeServer, says, silent
from tests.support.synced_database import LISTED, SyncedDatabase, image, video

# Ten times the slowest kind on an idle machine. A cost that grows with the square of the length exceeds it.
SECONDS_PER_MIB = 25


@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_of_any_response_is_bounded_by_its_length(kind: str) -> None:
    body = KINDS[kind](MIB // 4)
    began = time.process_time()
    result = outcome(body)

    assert time.process_time() - began < SECONDS_PER_MIB * max(len(body) / MIB, 0.25)
    assert "stored" in result or "ResponseRejected" in result


@pytest.mark.parametrize(
    "kind", ["a second list of models before the real one", "lone surrogates", "truncated escapes", "params"]
)
def test_the_cost_of_a_response_is_proportional_to_its_length(kind: str) -> None:
    def seconds(size: int) -> float:
        body, began = KINDS[kind](size), time.process_time()
        outcome(body)
        return time.process_time() - began

    # A quadratic cost would take 16 times as long. Below 50 ms the clock is too coarse for a ratio.
    assert seconds(MIB) < 10 * max(seconds(MIB // 4), 0.05)


def test_the_deadline_is_enforced(synced_sqlite: SyncedDatabase) -> None:
    began = time.monotonic()
    with RudeServer(silent) as api:
        line = error_line(synced_sqlite.shell("sync", "--base-url", api.url, "--deadline", "0.5", "--attempts", "9"), 4)

    assert "deadline of 0.5 s" in line
    assert time.monotonic() - began < 5


def test_the_number_of_attempts_is_enforced(synced_sqlite: SyncedDatabase) -> None:
    with RudeServer(says()) as api:
        error_line(synced_sqlite.shell("sync", "--base-url", api.url, "--attempts", "2"), 4)
    assert len(api.requests) == 4  # two attempts for each mode


def test_the_limits_of_bytes_and_models_are_enforced(synced_sqlite: SyncedDatabase) -> None:
    many = [model(f"acme/many-{number}", 1) for number in range(100)]
    with RudeServer(image=image([*LISTED, *many]), video=video()) as api:
        sync = ("sync", "--base-url", api.url)
        assert "larger than 9999 bytes" in error_line(synced_sqlite.shell(*sync, "--max-bytes", "9999"), 5)
        assert "104 models, more than CATALOG_SYNC_MAX_MODELS=103" in error_line(
            synced_sqlite.shell(*sync, "--max-models", "103"), 5
        )
        output(synced_sqlite.shell(*sync, "--max-bytes", "99999", "--max-models", "104"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"x": {"k" * 256: 1}}, "a key is longer than 255 characters"),
        ({"description": "d" * (MIB + 1)}, "a string is longer than 1048576 bytes"),
        ({"x": [["y" * 900_000 + str(number)] for number in range(4)]}, "the model is longer than 3145728 bytes"),
    ],
    ids=["key", "text", "model"],
)
def test_the_limits_of_lengths_are_enforced(synced_sqlite: SyncedDatabase, fields: dict[str, Any], reason: str) -> None:
    result = synced_sqlite.sync(image=image([*LISTED, model("acme/long", 1, **fields)]))

    assert reason in error_line(result, 5)
    assert len(synced_sqlite.costs()) == 4
