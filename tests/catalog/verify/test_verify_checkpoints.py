"""What checkpoints that were kept elsewhere say against the seals of a database."""

from __future__ import annotations

import pytest

from sync.catalog.checkpoint import Checkpoint, FoundCheckpoint
from sync.catalog.verify.checkpoints import checkpoint_findings
from tests.support.independent_proofs import CATALOG_ID, plain_leaf, plain_root

LEAVES = [plain_leaf(f"entry {number}") for number in range(12)]
OTHER = [*LEAVES[:7], *(plain_leaf(f"forged {number}") for number in range(5))]


def kept(leaves: list[bytes], *sizes: int, catalog_id: str = CATALOG_ID) -> list[FoundCheckpoint]:
    """A file with checkpoints of these sizes, in this order."""
    return [
        FoundCheckpoint(4 * place + 1, Checkpoint(catalog_id, size, plain_root(leaves[:size])))
        for place, size in enumerate(sizes)
    ]


def problems(found: list[FoundCheckpoint], leaves: list[bytes]) -> list[str]:
    findings = checkpoint_findings(found, CATALOG_ID, leaves, lambda number: f"of run {number + 100}")
    return [finding.problem for finding in findings]


@pytest.mark.parametrize("size", range(13))
def test_every_checkpoint_of_a_tree_holds_as_it_grows(size: int) -> None:
    assert problems(kept(LEAVES, size, 12, 0, size), LEAVES) == []


def test_what_was_rewritten_is_named_with_its_first_seal() -> None:
    assert problems(kept(LEAVES, *range(13)), OTHER) == [
        (
            "5 checkpoints have another root than the seals, the first one in line 33, of size 8: what was recorded has"
            " been rewritten; the first seal that differs is seal 7, of run 107"
        )
    ]


def test_between_two_checkpoints_the_first_seal_that_differs_is_one_of_several() -> None:
    assert problems(kept(LEAVES, 12, 5), OTHER) == [
        (
            "1 checkpoint has another root than the seals, the first one in line 1, of size 12: what was recorded has"
            " been rewritten; the first seal that differs is one of 5 to 11; seal 5 is of run 105"
        )
    ]


def test_an_older_backup_is_named_with_the_first_seal_that_is_missing() -> None:
    assert problems(kept(LEAVES, 3, 8, 12), LEAVES[:7]) == [
        (
            "2 checkpoints have a larger tree than the database, the largest one in line 9, of size 12, whose number of"
            " seals is 7: it is an older backup, or the last 5 seals were cut; the first seal that differs is seal 7,"
            " which is missing; the last one that is there is seal 6, of run 106"
        )
    ]
    assert len(problems(kept(LEAVES, 1), [])) == 1


def test_a_cut_tail_with_other_runs_after_it_is_rewritten() -> None:
    [problem] = problems(kept(LEAVES, 7, 8), OTHER[:9])

    assert "the first seal that differs is seal 7, of run 107" in problem


def test_a_rewritten_and_shorter_tree_has_both_findings() -> None:
    assert len(problems(kept(LEAVES, 7, 8, 12), OTHER[:9])) == 2


def test_checkpoints_of_another_catalog_are_counted_apart() -> None:
    found = kept(LEAVES, 12) + kept(LEAVES, 3, 4, catalog_id="other")

    assert problems(found, LEAVES) == [
        f"2 checkpoints have the catalog other, and the database {CATALOG_ID}: it is another catalog, or was replaced"
    ]


def test_two_roots_of_one_size_cannot_both_hold() -> None:
    [problem] = problems(kept(LEAVES, 8) + kept(OTHER, 8), LEAVES)

    assert problem.startswith("1 checkpoint has another root than the seals, the first one in line 1, of size 8")
