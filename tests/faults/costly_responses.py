"""Responses that cost as much time and memory as possible, by kind.

``python -m tests.faults.costly_responses [MEBIBYTES]`` prints the CPU time and memory that each kind takes from its
bytes to the plan; each kind is measured in its own process.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

MIB = 1024 * 1024
MODEL_BYTES = 3 * MIB - 200  # just below the limit for a model
LONG_NAME = b"k" * 240  # with a place in a list it is still a key
Filler = Callable[[int], bytes]


def envelope(models: bytes, count: int, before: bytes = b"") -> bytes:
    return b'{"ok":true,"code":200,%b"data":{"mode":"image","total":%d,"models":[%b]}}' % (before, count, models)


def full(unit: bytes, size: int) -> bytes:
    """The unit repeated to about this size, with commas between."""
    return b",".join([unit] * max(1, size // (len(unit) + 1)))


def listing(unit: bytes) -> Filler:
    """A catalog of equal models."""
    return lambda size: envelope(full(unit, size), max(1, size // (len(unit) + 1)))


def many(model: Callable[[int], bytes], each: int) -> Filler:
    """A catalog of models of ``each`` bytes with different ids; ``model`` makes their other fields."""

    def fill(size: int) -> bytes:
        inside = model(min(each, size))
        count = max(1, size // (len(inside) + 16))
        return envelope(b",".join(b'{"id":"m%d",%b}' % (number, inside) for number in range(count)), count)

    return fill


def largest(model: Callable[[int], bytes]) -> Filler:
    return many(model, MODEL_BYTES)


def members(size: int) -> bytes:
    return b",".join(b'"%05x":1' % number for number in range(size // 10))


def names(size: int) -> bytes:
    return b",".join(b'"%05x"' % number for number in range(size // 8))


def lists_of_names(size: int) -> bytes:
    return b"[%b]" % names(size * 4 // 5).replace(b",", b"],[")


def required_properties(size: int) -> bytes:
    required = names(size // 3)
    return b'"properties":{%b:{}},"required":[%b]' % (required.replace(b",", b":{},"), required)


KINDS: dict[str, Filler] = {
    "opening brackets": lambda size: b'{"ok":true,"code":200,"data":' + b"[" * size,
    "opening braces": lambda size: b'{"a":' * (size // 5),
    "blanks": lambda size: b"{" + b" " * size + b"}",
    "truncated escapes": lambda size: b'{"ok":true,"code":200,"x":"' + b"\\n" * (size // 2),
    "lone surrogates": many(lambda size: b'"x":"' + b"a\\ud800" * (size // 7) + b'"', 2000),
    "numbers in place of models": listing(b"1"),
    "empty objects in place of models": listing(b"{}"),
    "lists in place of models": listing(b"[1]"),
    "a second list of models before the real one": lambda size: envelope(b"{}", 1, b'"x":[%b],' % full(b"[{}]", size)),
    "a dense list in place of ok": lambda size: b'{"ok":[%b]}' % full(b"[]", size),
    "a long message": lambda size: b'{"ok":false,"code":404,"message":"%b"}' % (b"m" * size),
    "a dense envelope": lambda size: envelope(b'{"id":"a"}', 1, b'"x":{%b},' % members(min(size, MIB - 4000))),
    "models of 600 bytes": many(lambda size: b'"x":"%b"' % (b"y" * (size - 20)), 600),
    "models without an id": lambda size: envelope(full(b'{"x":[1]}', min(size, 2_000_000)), min(size, 2_000_000) // 10),
    "a list of numbers": largest(lambda size: b'"x":[%b]' % full(b"1", size)),
    "a list of texts": largest(lambda size: b'"x":[%b]' % names(size)),
    "an object of fields": largest(lambda size: b'"x":{%b}' % members(size)),
    "capabilities": largest(lambda size: b'"capabilities":{%b}' % members(size)),
    "params": largest(lambda size: b'"params":{%b}' % members(size)),
    "options of a param": largest(lambda size: b'"params":{"p":[%b]}' % names(size)),
    "inputs": largest(lambda size: b'"inputs":{"required":[%b]}' % names(size)),
    "prices under a long name": largest(lambda size: b'"credits":{"%b":[%b]}' % (LONG_NAME, full(b"[1]", size - 300))),
    "rules under a long name": largest(lambda size: b'"inputs":{"%b":[%b]}' % (LONG_NAME, lists_of_names(size - 400))),
    "rules under a name of a mebibyte": largest(
        lambda size: b'"inputs":{"%b":[%b]}' % (b"k" * (size // 3), lists_of_names(size // 2))
    ),
    "required params of a JSON Schema document": largest(
        lambda size: b'"params":{"type":"object",%b}' % required_properties(size)
    ),
    "capabilities of many models": many(lambda size: b'"capabilities":{%b}' % members(size), 20_000),
    "lists in lists": largest(lambda size: b'"x":[%b]' % full(b"[" * 60 + b"]" * 60, size)),
    "models nested too deep": many(lambda size: b'"x":%b%b' % (b"[" * (size // 2), b"]" * (size // 2)), 1800),
    "a number of a million digits": largest(lambda size: b'"x":' + b"9" * min(size, MIB)),
    "a cost of a million digits": largest(lambda size: b'"credits":{"default_cost":%b}' % (b"9" * min(size, MIB))),
    "a long key": largest(lambda size: b'"%b":1' % (b"k" * size)),
}


def outcome(body: bytes) -> str:
    """The result for a response, from its bytes to the plan: the size of the plan, or the error."""
    # Imported here, so that a measurement can import them before it starts.
    from sync.catalog.changes.classify import classify
    from sync.catalog.changes.plan import ModeWatermark, make_plan
    from sync.catalog.guards import Ruling
    from sync.catalog.response.parse import parse_response
    from sync.composition.masking import masker
    from sync.errors import CatalogSyncError
    from sync.source.http.response_check import ResponseValidator
    from sync.source.http.session import HttpResponse

    try:
        key = "gva_live_key.of0no1account"
        validator = ResponseValidator("http://host/models", "http://host", "image", key, masker({}, key))
        error = validator.check(HttpResponse(200, {}, body))
        if error is not None:
            raise error
        classified = classify(parse_response(body, "image"), {})
        plan = make_plan(classified, Ruling(), {}, ModeWatermark(), observed_at=datetime.now(UTC))
    except CatalogSyncError as rejected:
        return f"{type(rejected).__name__}: {str(rejected).partition('rejected: ')[2] or rejected}"[:60]
    return f"{len(plan.changes)} models stored, {len(plan.rejected)} rejected"


def _measure(file: str) -> str:
    """CPU seconds and MiB of memory for each MiB of the body, and the result."""
    outcome(b"")  # the imports are not measured
    body = Path(file).read_bytes()
    size, before, began = len(body) / MIB, _peak(), time.process_time()
    result = outcome(body)
    return f"{(time.process_time() - began) / size:.2f} | {(_peak() - before) / size:.0f} | {result}"


def _peak() -> float:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def _table(mebibytes: float) -> None:
    print("| response full of | s/MiB | MiB/MiB | result |\n| --- | --- | --- | --- |")  # noqa: T201  # its output
    for name, fill in KINDS.items():
        # The peak memory of a process never falls, so each kind needs its own process.
        with tempfile.NamedTemporaryFile() as file:
            file.write(fill(int(mebibytes * MIB)))
            file.flush()
            command = [sys.executable, "-m", "tests.faults.costly_responses", "one", file.name]
            measured = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        print(f"| {name} | {measured} |", flush=True)  # noqa: T201  # as above


if __name__ == "__main__":
    if sys.argv[1:2] == ["one"]:
        print(_measure(sys.argv[2]))  # noqa: T201  # its output
    else:
        _table(float(sys.argv[1]) if sys.argv[1:] else 12)
