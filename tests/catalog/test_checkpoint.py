"""The text of checkpoints, and files of any number of them in any state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalog.checkpoint import BadLine, Checkpoint, FoundCheckpoint, parse_checkpoints

FIRST = Checkpoint("3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d", 42, bytes(range(32)))
SECOND = Checkpoint("3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d", 43, bytes(range(32, 64)))
SIGNATURE = "\u2014 auditor.example/log 7f/oAAdk2uHvkzk=\n"
BOTH = (FoundCheckpoint(1, FIRST), FoundCheckpoint(5, SECOND))


def found(text: str) -> tuple[FoundCheckpoint, ...]:
    parsed = parse_checkpoints(text.encode())
    assert not parsed.bad_lines
    return parsed.checkpoints


def test_the_text_is_that_of_a_tlog_checkpoint() -> None:
    assert FIRST.text() == (
        "catalog-sync/3f0c5e0e-9d5e-4f6c-8b53-1c0a7d1b2c3d\n42\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
    )


def test_a_file_holds_any_number_of_checkpoints() -> None:
    text = FIRST.text() + SECOND.text()
    assert found("") == found("\n \n") == ()
    assert found(text) == found(text.replace("\n", "\r\n")) == found(text.replace("\n", "  \n")) == BOTH
    assert found(text.rstrip()) == BOTH
    assert parse_checkpoints(b"\xef\xbb\xbf" + text.encode()).checkpoints == BOTH
    assert parse_checkpoints(text.encode("utf-16")).checkpoints == BOTH
    assert [one.line for one in found(f"\n{FIRST.text()}\n\n{SECOND.text()}")] == [2, 8]
    assert [one.line for one in found(FIRST.text().rstrip() + "\n" + SECOND.text())] == [1, 4]


def test_signature_lines_are_passed_over() -> None:
    signed = found(f"{FIRST.text()}{SIGNATURE}{SIGNATURE}\n{SECOND.text()}{SIGNATURE}")
    assert [(one.line, one.checkpoint) for one in signed] == [(1, FIRST), (8, SECOND)]


@given(
    checkpoints=st.lists(
        st.builds(Checkpoint, st.uuids().map(str), st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
    )
)
def test_what_was_written_is_read(checkpoints: list[Checkpoint]) -> None:
    assert [one.checkpoint for one in found("".join(one.text() for one in checkpoints))] == checkpoints


@given(length=st.integers(0, len(SECOND.text()) - 1))
def test_a_last_checkpoint_that_was_cut_is_whole_or_a_bad_line(length: int) -> None:
    parsed = parse_checkpoints((FIRST.text() + SECOND.text()[:length]).encode())
    assert parsed.checkpoints in (BOTH[:1], BOTH)
    assert bool(parsed.bad_lines) == (length > 0 and parsed.checkpoints == BOTH[:1])
    assert all(5 <= bad.line <= 7 for bad in parsed.bad_lines)


@given(data=st.binary())
def test_any_bytes_give_checkpoints_and_bad_lines(data: bytes) -> None:
    assert not parse_checkpoints(data).checkpoints


@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        ("catalog-sync/", BadLine(1, '"catalog-sync/" is not catalog-sync/<catalog_id>')),
        ("catalog-sync/a b\n1", BadLine(1, '"catalog-sync/a b" is not catalog-sync/<catalog_id>')),
        ("catalog-sync/a", BadLine(2, "the size of a tree is missing")),
        ("catalog-sync/a\n042", BadLine(2, '"042" is not the size of a tree')),
        ("catalog-sync/a\n-1", BadLine(2, '"-1" is not the size of a tree')),
        ("catalog-sync/a\n٤", BadLine(2, '"٤" is not the size of a tree')),
        ("catalog-sync/a\n4\n", BadLine(3, "a root, 32 bytes in base64 is missing")),
        ("catalog-sync/a\n4\nAAEC", BadLine(3, '"AAEC" is not a root, 32 bytes in base64')),
        (f"catalog-sync/a\n4\n{'A' * 42}B=", BadLine(3, f'"{"A" * 42}B=" is not a root, 32 bytes in base64')),
        ("catalog-sy", BadLine(1, '"catalog-sy" is not catalog-sync/<catalog_id>, and no signature')),
        ("\u2014 name", BadLine(1, '"\u2014 name" is not catalog-sync/<catalog_id>, and no signature')),
    ],
)
def test_a_bad_line_is_named_and_the_next_checkpoint_is_read(lines: str, bad: BadLine) -> None:
    parsed = parse_checkpoints(f"{lines}\n{FIRST.text()}".encode())
    assert parsed.checkpoints == (FoundCheckpoint(2 + lines.count("\n"), FIRST),)
    if "missing" in bad.problem:  # the next checkpoint stands where the line should be
        assert [one.line for one in parsed.bad_lines] == [bad.line]
    else:
        assert parsed.bad_lines == (bad,)
    assert parse_checkpoints(lines.encode()).bad_lines == (bad,)
