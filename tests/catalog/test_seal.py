"""The texts of seals: canonical JSON, fact and listed lines, and entries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from sync.catalog.merkle import leaf_hash, tree_root
from sync.catalog.seal import (
    Entry,
    JsonValue,
    ModeEntry,
    canonical_json,
    closed_line,
    genesis_entry,
    lines_root,
    listed_line,
    opened_line,
    raw_hash,
    sorted_lines,
    time_text,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOTHING = sha256(b"").hexdigest()

characters = st.characters(exclude_categories=["Cs"])
json_values = st.recursive(
    st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(characters),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(characters), inner),
    max_leaves=20,
)


def test_keys_and_strings_are_those_of_rfc_8785() -> None:
    # The example of section 3.2.3 of the RFC, and the string of section 3.2.2.
    keys: JsonValue = {"\u20ac": "", "\r": "", "\ufb33": "", "1": "", "\U0001f600": "", "\x80": "", "\xf6": ""}
    order = ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]
    assert [*json.loads(canonical_json(keys))] == order
    assert canonical_json('€$\x0f\nA\'B"\\\\"/\x7f') == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'


@given(value=json_values)
def test_canonical_json_means_what_it_was_made_from(value: JsonValue) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@pytest.mark.parametrize("value", [True, 1.5, b"x", object(), [1.0], {"a": {"b": False}}])
def test_no_other_value_is_part_of_a_seal(value: JsonValue) -> None:
    with pytest.raises(ValueError, match="cannot be part of a seal"):
        canonical_json(value)


def test_lines_are_canonical_json() -> None:
    model, digest, later = 'a"\\\n\u2028é', "ab" * 32, NOON + timedelta(days=1, microseconds=7)
    noon, later_text = "2026-03-01T12:00:00.000000Z", "2026-03-02T12:00:00.000007Z"
    assert opened_line("image", model, NOON, digest) == canonical_json(["opened", "image", model, noon, digest])
    assert closed_line("video", model, NOON, later) == canonical_json(["closed", "video", model, noon, later_text])
    assert listed_line("image", model, digest) == canonical_json(["listed", "image", model, digest])


def test_a_root_is_over_the_lines_in_the_order_of_their_bytes() -> None:
    lines = [listed_line("image", model, "00") for model in ("b", "\U0001f600", "\ufb33", "a", "Z")]
    assert sorted_lines(lines) == [line.encode() for line in sorted(lines)]
    assert lines_root(lines) == lines_root(reversed(lines)) == tree_root([*map(leaf_hash, sorted_lines(lines))]).hex()
    assert lines_root([]) == NOTHING


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        raw_hash("\ud800")
    with pytest.raises(ValueError, match="surrogates"):
        lines_root([listed_line("image", "\ud800", "00")])


def test_a_time_is_in_utc_with_microseconds() -> None:
    assert time_text(None) is None
    assert time_text(NOON.astimezone(timezone(timedelta(hours=5, minutes=45)))) == "2026-03-01T12:00:00.000000Z"


def test_the_entry_of_a_run_has_every_key_and_null_for_what_is_missing() -> None:
    modes = (ModeEntry("video", "failed"), ModeEntry("image", "success", stamp=NOON, received=2, listed_root=NOTHING))
    facts = [listed_line("image", "a", "00")]
    entry = Entry(
        catalog="c",
        run=7,
        kind="changed",
        facts=1,
        facts_root=lines_root(facts),
        modes=modes,
        ignored=("params.*.rank", "models.latency_ms"),
        trigger="cli",
        recorded_at=NOON,
        accepted='{"removals":3}',
    )
    nothing = {name: None for name in asdict(modes[0]) if name not in ("mode", "status")}
    noon = "2026-03-01T12:00:00.000000Z"
    expected = {
        "v": 1,
        "catalog": "c",
        "run": 7,
        "kind": "changed",
        "trigger": "cli",
        "base_url": None,
        "app_version": None,
        "host": None,
        "key": None,
        "recorded_at": noon,
        "accepted": '{"removals":3}',
        "ignored": ["models.latency_ms", "params.*.rank"],
        "modes": [
            {**nothing, "mode": "image", "status": "success", "stamp": noon, "received": 2, "listed_root": NOTHING},
            {**nothing, "mode": "video", "status": "failed"},
        ],
        "facts": 1,
        "facts_root": lines_root(facts),
    }
    assert entry.text() == json.dumps(expected, sort_keys=True, separators=(",", ":"))
    assert entry.leaf_hash() == sha256(b"\0" + entry.text().encode()).digest()


def test_the_genesis_entry_has_facts_and_else_nothing() -> None:
    entry = json.loads(genesis_entry("c", 9, ["b", "a"]).text())
    assert {key: value for key, value in entry.items() if value is not None} == {
        "v": 1,
        "catalog": "c",
        "run": 9,
        "kind": "genesis",
        "ignored": [],
        "modes": [],
        "facts": 2,
        "facts_root": lines_root(["a", "b"]),
    }
