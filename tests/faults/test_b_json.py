"""Faults B1 to B8: bodies that are not JSON, and JSON that decoders read in different ways."""

from __future__ import annotations

import json
import sys

import pytest

from tests.support.api_catalogs import envelope, model
from tests.support.commands import error_line, output
from tests.support.rude_server import response, says
from tests.support.synced_database import LISTED, SyncedDatabase, image

GOOD = envelope(LISTED)


def test_b1_bytes_that_are_not_utf_8_are_exit_5(synced_sqlite: SyncedDatabase) -> None:
    body = GOOD.replace(b"Acme", b"Ac\xff\xfe", 1)

    assert "it is not UTF-8 at byte" in synced_sqlite.fails_in_both_modes(
        5, says(response("200 OK", body)), "--mode", "image"
    )


def test_b2_a_byte_order_mark_is_ignored(synced_sqlite: SyncedDatabase) -> None:
    synced_sqlite.succeeds(image=says(response("200 OK", b"\xef\xbb\xbf" + GOOD)))

    assert synced_sqlite.events() == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_b2_utf_16_and_utf_32_are_exit_5(synced_sqlite: SyncedDatabase, encoding: str) -> None:
    synced_sqlite.fails_in_both_modes(5, says(response("200 OK", GOOD.decode().encode(encoding))), "--mode", "image")


def test_b3_a_duplicate_key_in_the_envelope_is_exit_5(synced_sqlite: SyncedDatabase) -> None:
    body = GOOD.replace(b'"total": 4', b'"total": 4, "total": 4')

    line = synced_sqlite.fails_in_both_modes(5, says(response("200 OK", body)), "--mode", "image")
    assert "the key 'total' appears twice in one object" in line


def test_b3_a_duplicate_key_in_a_model_rejects_only_that_model(synced: SyncedDatabase) -> None:
    body = envelope([model("acme/image-0", 7), *LISTED[1:]]).replace(b'"default_cost": 7', b'"default_cost": 7,' * 2)
    body = body.replace(b",,", b",")
    line = error_line(synced.sync(image=says(response("200 OK", body))), 5)

    assert "1 of 4 image models were rejected" in line
    assert "the key 'default_cost' appears twice" in line
    assert synced.costs()["acme/image-0"] == "1"
    synced.verify()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_b4_a_number_that_json_does_not_allow_is_exit_5(synced: SyncedDatabase, number: str) -> None:
    body = GOOD.replace(b'"default_cost": 1', f'"default_cost": {number}'.encode(), 1)

    assert "not complete, valid JSON" in synced.fails_in_both_modes(
        5, says(response("200 OK", body)), "--mode", "image"
    )


# Beyond a double, beyond int(), beyond the digits of a column, and an exponent that Decimal cannot have.
HUGE = ("1e999", "1E+999999", "1" * 5000, "9" * 13, "1e-41", "0." + "1" * 41, "1e" + "9" * 30)


@pytest.mark.parametrize("number", HUGE, ids=lambda number: f"{number[:8]} of {len(number)}")
def test_b5_a_cost_out_of_range_rejects_only_its_model(synced_sqlite: SyncedDatabase, number: str) -> None:
    require_only_model_rejected(synced_sqlite, number)


def test_b5_a_cost_out_of_range_is_rejected_on_each_kind_of_database(synced: SyncedDatabase) -> None:
    require_only_model_rejected(synced, "1e999")


def require_only_model_rejected(synced: SyncedDatabase, number: str) -> None:
    body = GOOD.replace(b'"default_cost": 2', f'"default_cost": {number}'.encode(), 1)
    # Another model changes, to show that the rest of the response is stored.
    body = body.replace(b'"default_cost": 3', b'"default_cost": 33', 1)
    line = error_line(synced.sync(image=says(response("200 OK", body))), 5)

    assert "1 of 4 image models were rejected and kept as stored: 'acme/image-1'" in line
    assert synced.costs() == {"acme/image-0": "1", "acme/image-1": "2", "acme/image-2": "33", "acme/image-3": "4"}
    synced.verify()


def test_b5_a_huge_number_in_another_field_is_stored_as_sent(synced: SyncedDatabase) -> None:
    body = envelope([model("acme/image-0", 1, seed=7), *LISTED[1:]]).replace(b'"seed": 7', b'"seed": ' + b"8" * 5000)
    synced.succeeds(image=says(response("200 OK", body)))

    (raw,) = synced.query("SELECT raw FROM model_versions WHERE valid_to IS NULL AND raw LIKE '%seed%'")[0]
    assert "8" * 5000 in raw
    assert synced.events() == ["changed"]


@pytest.mark.parametrize("depth", [100_000, 1_000])
def test_b6_an_excessively_nested_envelope_is_exit_5(synced_sqlite: SyncedDatabase, depth: int) -> None:
    body = b'{"ok": true, "code": 200, "data": ' + b"[" * depth + b"]" * depth + b"}"

    synced_sqlite.fails_in_both_modes(5, says(response("200 OK", body)))


@pytest.mark.parametrize(("depth", "code"), [(60, 0), (64, 5), (900, 5)])
def test_b6_a_model_nested_deeper_than_64_levels_is_the_only_one_rejected(
    synced: SyncedDatabase, depth: int, code: int
) -> None:
    deep = json.loads("[" * depth + "]" * depth)
    result = synced.sync(image=image([model("acme/image-0", 1, x=deep), *LISTED[1:]]))

    assert result.code == code
    assert code == 0 or "'acme/image-0' (the text is nested deeper than 64 levels)" in error_line(result, 5)
    synced.verify()


def test_b6_a_model_nested_deeper_than_the_decoder_allows_rejects_the_response(synced_sqlite: SyncedDatabase) -> None:
    # Deeper than any limit that the decoder may take from the interpreter.
    depth = 10 * sys.getrecursionlimit()
    body = GOOD.replace(b'"name"', b'"x": ' + b"[" * depth + b"]" * depth + b', "name"', 1)

    assert "nested too deep" in synced_sqlite.fails_in_both_modes(5, says(response("200 OK", body)), "--mode", "image")


def test_b7_a_lone_surrogate_is_kept_in_the_raw_text_and_replaced_in_columns(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image([model("acme/image-0", 1, name="a\ud800b"), *LISTED[1:]]))

    assert synced.query("SELECT name FROM models WHERE model_id = 'acme/image-0'") == [("a\ufffdb",)]
    assert synced.query("SELECT COUNT(*) FROM model_versions WHERE raw LIKE '%ud800%'") == [(1,)]
    assert "a\ufffdb" in output(synced.shell("models"))


def test_b7_a_lone_surrogate_in_an_id_rejects_the_model(synced: SyncedDatabase) -> None:
    line = error_line(synced.sync(image=image([*LISTED, model("acme/\udc00", 5)])), 5)

    assert "1 of 5 image models were rejected" in line
    assert len(synced.costs()) == 4
    synced.verify()


def test_b8_nul_is_kept_in_the_raw_text_and_omitted_in_columns(synced: SyncedDatabase) -> None:
    synced.succeeds(image=image([model("acme/image-0", 1, name="a\0b", description="\0"), *LISTED[1:]]))

    assert synced.query("SELECT name, description FROM models WHERE model_id = 'acme/image-0'") == [("ab", "")]
    assert synced.query("SELECT COUNT(*) FROM model_versions WHERE raw LIKE '%u0000b%'") == [(1,)]
    (note,) = synced.query("SELECT note FROM sync_runs ORDER BY run_id")[-1]
    assert "NUL or lone surrogates were left out of the columns of 1 image models" in note


@pytest.mark.parametrize("name", ["id", "key"])
def test_b8_nul_in_an_id_or_a_key_rejects_the_model(synced: SyncedDatabase, name: str) -> None:
    bad = model("acme/\0", 5) if name == "id" else {**model("acme/five", 5), "a\0b": 1}
    line = error_line(synced.sync(image=image([*LISTED, bad])), 5)

    assert "1 of 5 image models were rejected" in line
    assert len(synced.costs()) == 4
    synced.verify()
