"""docs/check_proof.py by itself: which proofs it takes, and that it takes no other."""

from __future__ import annotations

import ast
import json
import runpy
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.independent_proofs import CATALOG_ID, checkpoint_text, made_proof, plain_leaf
from tests.support.proof_script import SCRIPT, check_proof, other_pythons

RAW = '{"id":"m","mode":"image","credits":{"default_cost":5.00}}'


def result(tmp_path: Path, proof: object, kept: str | None = None) -> tuple[int, str]:
    file = tmp_path / "proof.json"
    file.write_text(proof if isinstance(proof, str) else json.dumps(proof))
    if kept is None:
        return check_proof(file)
    (tmp_path / "kept.txt").write_text(kept)
    return check_proof(file, tmp_path / "kept.txt")


def test_the_script_is_short_and_imports_the_standard_library_alone() -> None:
    text = SCRIPT.read_text()
    imported = {node.names[0].name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)}
    imported |= {node.module or "" for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}

    assert len(text.splitlines()) <= 150
    assert imported <= sys.stdlib_module_names


def test_a_proof_that_holds_is_one_line_that_says_what_is_proved_and_what_is_not(tmp_path: Path) -> None:
    code, line = result(tmp_path, made_proof(RAW))

    assert code == 0
    assert line.startswith(f'proved: in catalog {CATALOG_ID}, image model "m" was listed with credit cost 5 ')
    assert "run 17 got at 2026-03-01T12:00:00.000000Z" in line
    assert "not proved: that the API said so; that the checkpoint left the house" in line
    assert line.endswith("what was so between the observation and 2026-03-01T15:00:00.000000Z")


@pytest.mark.parametrize("python", other_pythons())
def test_every_python_of_this_machine_takes_it(tmp_path: Path, python: str) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(made_proof(RAW)))

    assert check_proof(file, python=python)[0] == 0


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_every_place_in_trees_of_many_sizes_is_proved(tmp_path: Path, size: int) -> None:
    for index in range(size):
        proof = made_proof(RAW, listed=size, place=index, size=size, index=size - 1 - index)
        assert result(tmp_path, proof)[0] == 0, index


def test_the_number_of_listed_models_is_that_of_the_entry_where_it_has_one(tmp_path: Path) -> None:
    proof = made_proof(RAW, listed=5, place=4, size=1, index=0)
    proof["listed"]["size"] = 6  # which would be another path
    assert result(tmp_path, proof)[0] == 0

    text = proof["entry"]["text"] = proof["entry"]["text"].replace('"listed":5', '"listed":null')
    proof["checkpoint"] = checkpoint_text(plain_leaf(text), 1)
    for size in range(1, 9):
        proof["listed"]["size"] = size
        assert (result(tmp_path, proof)[0] == 0) == (size == 5), size
    del proof["listed"]["size"]
    assert result(tmp_path, proof)[0] == 1


@pytest.mark.parametrize(
    ("sent", "cost"),
    [
        ("5", "5"),
        ("5e0", "5"),
        ("0.50", "0.5"),
        ("-0", "0"),
        ("0e9999999", "0"),
        ("1E-40", f"0.{'0' * 39}1"),
        (f"1.{'0' * 900}", "1"),
        ("123456789012.123456789012345678901234567890", "123456789012.12345678901234567890123456789"),
        ("100", "100"),
        ("null", None),
    ],
)
def test_the_cost_is_the_plain_decimal_of_the_text(tmp_path: Path, sent: str, cost: str | None) -> None:
    proof = made_proof('{"id":"m","credits":{"default_cost":%s}}' % sent)  # noqa: UP031  # braces
    proof["claim"]["credit_cost_exact"] = cost

    code, line = result(tmp_path, proof)

    assert code == 0, line
    assert f"credit cost {cost or 'none'} " in line


@pytest.mark.parametrize("raw", ['{"id":"m"}', '{"id":"m","credits":null,"mode":null}', '{"id":"m","credits":{}}'])
def test_a_model_without_cost_is_proved_to_have_none(tmp_path: Path, raw: str) -> None:
    proof = made_proof(raw)
    proof["claim"]["credit_cost_exact"] = None

    assert "with credit cost none " in result(tmp_path, proof)[1]
    proof["claim"]["credit_cost_exact"] = "0"
    assert result(tmp_path, proof) == (1, "not proved: the cost claimed is not that of the text")


def test_what_the_entry_leaves_open_is_named(tmp_path: Path) -> None:
    held = result(tmp_path, made_proof(RAW, status="held", hold_reason="removals"))
    rejected = result(tmp_path, made_proof(RAW, status="partial", rejected=1))

    for code, line in (held, rejected):
        assert code == 0
        assert "that this model was not among those held back or rejected" in line


def _changed(*path: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(proof: dict[str, Any]) -> None:
        for name in path[:-1]:
            proof = proof[name]
        proof[path[-1]] = to

    return change


CHANGES = {
    "another cost": _changed("claim", "credit_cost_exact", to="4"),
    "the cost as a number": _changed("claim", "credit_cost_exact", to=5.0),
    "another model": _changed("claim", "model_id", to="n"),
    "another mode": _changed("claim", "mode", to="video"),
    "an earlier moment": _changed("claim", "at", to="2026-03-01T11:00:00.000000Z"),
    "another observation": _changed("claim", "observed_at", to="2026-03-01T11:00:00.000000Z"),
    "another spelling of the time": _changed("claim", "at", to="2026-04-01"),
    "another zone of the time": _changed("claim", "at", to="2026-04-01T15:00:00.000000+00:00"),
    "a time that is none": _changed("claim", "at", to="2026-13-01T15:00:00.000000Z"),
    "another text": _changed("raw", to='{"id":"m","credits":{"default_cost":5}}'),
    "another line": _changed("listed", "line", to='["listed","image","m","00"]'),
    "another place": _changed("listed", "index", to=3),
    "a place beyond the end": _changed("listed", "index", to=5),
    "a negative place": _changed("listed", "index", to=-1),
    "a place as text": _changed("listed", "index", to="2"),
    "no path": _changed("listed", "path", to=[]),
    "a longer path": _changed("listed", "path", to=["00" * 32] * 9),
    "a path of other hashes": _changed("entry", "path", to=["00" * 32] * 4),
    "a path that is no list": _changed("entry", "path", to=7),
    "a path of no hashes": _changed("entry", "path", to=["x"]),
    "another entry": _changed("entry", "text", to="{}"),
    "an entry that is no JSON": _changed("entry", "text", to="x"),
    "a smaller tree": _changed("checkpoint", to=checkpoint_text(b"\0" * 32, 5)),
    "another root": _changed("checkpoint", to=checkpoint_text(b"\0" * 32, 9)),
    "no checkpoint": _changed("checkpoint", to=""),
    "a checkpoint that is a number": _changed("checkpoint", to=9),
    "a claim that is no object": _changed("claim", to=[]),
    "no text": _changed("raw", to=None),
    "a lone surrogate": _changed("raw", to="\ud800"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_proof_that_was_changed_anywhere_proves_nothing(tmp_path: Path, name: str) -> None:
    proof = deepcopy(made_proof(RAW))
    CHANGES[name](proof)

    code, line = result(tmp_path, proof)

    assert code == 1
    assert line.startswith("not proved: ")


def test_a_value_that_was_altered_on_the_way_is_found_wherever_it_is(tmp_path: Path) -> None:
    """Those that no tree covers, too: the moment that was asked for, and the size of the checkpoint."""
    script = runpy.run_path(str(SCRIPT))
    proof = made_proof(RAW)
    values = json.loads(json.dumps([*proof.values()]), parse_int=str)
    proof["sha256"] = sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    file = tmp_path / "proof.json"

    def code(altered: object) -> int:
        file.write_text(json.dumps(altered))
        return int(script["main"]([str(file)])[0])

    assert code(proof) == 0
    accepted = [path for path, altered in _altered(proof) if code(altered) != 1]
    assert accepted == []


def _altered(value: Any) -> Iterator[tuple[str, object]]:
    """The document with one value in it altered, again and again."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from ((f"{key} {path}", {**value, key: other}) for path, other in _altered(one))
    elif isinstance(value, list):
        yield from ((f"{number}", [*value[:number], "00" * 32, *value[number + 1 :]]) for number in range(len(value)))
        yield "shorter", value[:-1]
    elif isinstance(value, str):
        for place in range(0, len(value), 1 + len(value) // 90):
            yield f"{place}", f"{value[:place]}{chr(ord(value[place]) ^ 1)}{value[place + 1 :]}"
        yield "9 to 10", value.replace("\n9\n", "\n10\n") + ("" if "\n9\n" in value else "x")
    else:
        yield from (("other", other) for other in (value + 1, str(value), float(value), None, True, 10**30))


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "failed"},
        {"status": "superseded"},
        {"stamp": None},
        {"status": "held", "hold_reason": "costs"},
        {"status": "held", "hold_reason": "other_catalog"},
        {"mode": "video"},
    ],
)
def test_an_entry_whose_run_took_no_response_of_the_mode_proves_nothing(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    assert result(tmp_path, made_proof(RAW, **changed))[0] == 1


@pytest.mark.parametrize("key", ["claim", "raw", "listed", "entry", "checkpoint"])
def test_a_proof_without_a_part_proves_nothing(tmp_path: Path, key: str) -> None:
    proof = made_proof(RAW)
    del proof[key]

    assert result(tmp_path, proof)[0] == 1


@pytest.mark.parametrize("text", ["", "x", "[]", "7", "null", "[" * 100_000, "\0", '{"raw": "1", "raw": "2"}'])
def test_what_is_no_proof_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    code, line = result(tmp_path, text)

    assert code == 1
    assert line.startswith("not proved: ")


def test_a_key_twice_is_refused_since_two_readers_may_differ(tmp_path: Path) -> None:
    proof = json.dumps(made_proof(RAW)).replace(
        '"credit_cost_exact": "5"', '"credit_cost_exact": "1", ' + '"credit_cost_exact": "5"'
    )

    assert "a key twice" in result(tmp_path, proof)[1]


def test_checkpoints_that_were_kept_must_have_that_of_the_proof(tmp_path: Path) -> None:
    proof = made_proof(RAW)
    earlier = checkpoint_text(b"\1" * 32, 3)
    kept = earlier + proof["checkpoint"]

    code, line = result(tmp_path, proof, kept)
    assert (code, "which is one of those kept" in line, "left the house" in line) == (0, True, False)

    # Stored by a Windows program, and signed.
    assert result(tmp_path, proof, (kept + "\u2014 witness AAAA\n").replace("\n", "\r\n"))[0] == 0

    # Cut out of a mail, and written by a shell of Windows.
    assert result(tmp_path, proof, kept.replace("\n", " \t\n").rstrip())[0] == 0
    files = [tmp_path / "proof.utf16", tmp_path / "kept.utf16"]
    for file, text in zip(files, (json.dumps(proof), kept), strict=True):
        file.write_text(text.replace("\n", "\r\n"), encoding="utf-16")
    assert check_proof(*files)[0] == 0

    assert result(tmp_path, proof, earlier) == (
        1,
        "not proved: the checkpoints kept have none of this catalog and size 9; ask for a proof under one",
    )
    other = checkpoint_text(b"\1" * 32, 9)
    for rewritten in (other, other + proof["checkpoint"]):
        code, line = result(tmp_path, proof, rewritten)
        assert (code, "the record was rewritten" in line) == (1, True)


def test_a_file_that_cannot_be_read_is_exit_2(tmp_path: Path) -> None:
    missing = check_proof(tmp_path / "none.json")
    (tmp_path / "bytes").write_bytes(b"\xc3\x28")

    assert (missing[0], missing[1].startswith("not read: ")) == (2, True)
    assert check_proof(tmp_path / "bytes")[0] == 2
    assert check_proof() == (2, "usage: check_proof.py PROOF [CHECKPOINTS]")
