"""Checks the stored seals against those that ``recomputed_seals`` makes from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine

from tests.support.recomputed_seals import Listing, SealedRows, growing_roots, peaks_of, read_rows, tree_root

_MODES = ("image", "video")


def assert_sealed(engine: Engine) -> list[str]:
    """Each applied run has its seal, and each seal is that of the stored rows; returns the kinds of the seals."""
    with engine.connect() as connection:
        sealed = SealedRows(read_rows(connection))
    assert list(findings_in(sealed)) == []
    return [seal["kind"] for seal in sorted(sealed.rows["seals"], key=lambda seal: int(seal["seal_no"]))]


def seal_findings(connection: Any) -> list[str]:
    """What is wrong with the seals of a catalog; reads only."""
    return list(findings_in(SealedRows(read_rows(connection))))


def findings_in(sealed: SealedRows) -> Iterator[str]:
    seals = sorted(sealed.rows["seals"], key=lambda seal: int(seal["seal_no"]))
    if [seal["seal_no"] for seal in seals] != list(range(len(seals))):
        yield f"the seals are numbered {[seal['seal_no'] for seal in seals]}"
    yield from _leaf_findings(sealed, seals)
    yield from _tree_findings(sealed, seals)
    yield from _unsealed_findings(sealed, seals)
    yield from _listed_findings(sealed, seals)


def _leaf_findings(sealed: SealedRows, seals: list[Any]) -> Iterator[str]:
    others = [seal["run_id"] for seal in seals if seal["kind"] != "genesis"]
    for seal in seals:
        stored = (seal["run_id"], seal["kind"], seal["leaf_hash"])
        if seal["kind"] == "genesis":
            if seal["seal_no"] != 0:
                yield f"seal {seal['seal_no']} is a genesis"
            expected = sealed.genesis(others)
        elif seal["run_id"] in sealed.runs:
            expected = sealed.leaf_of_run(seal["run_id"])
        elif seal["kind"] == "unchanged":
            continue  # its run was pruned
        else:
            yield f"seal {seal['seal_no']} is {seal['kind']}, and its run {seal['run_id']} is missing"
            continue
        if stored != tuple(expected):
            yield f"seal {seal['seal_no']} is {stored}, not {tuple(expected)}"


def _tree_findings(sealed: SealedRows, seals: list[Any]) -> Iterator[str]:
    hashes = [bytes.fromhex(seal["leaf_hash"]) for seal in seals]
    roots = list(growing_roots(hashes))
    for seal, root in zip(seals, roots, strict=True):
        if seal["tree_root"] != root.hex():
            yield f"the root after seal {seal['seal_no']} is {seal['tree_root']}, not {root.hex()}"
    if roots and roots[-1] != tree_root(hashes):
        yield "the two ways to reckon the root differ"
    identity = sealed.rows["catalog_identity"][0]
    if identity["tree_size"] != len(seals):
        yield f"the tree has {identity['tree_size']} leaves, and there are {len(seals)} seals"
    peaks = [peak.hex() for peak in peaks_of(hashes)]
    if any(peak not in str(identity["frontier"]) for peak in peaks):
        yield f"the frontier is {identity['frontier']!r}, not {peaks}"


def _unsealed_findings(sealed: SealedRows, seals: list[Any]) -> Iterator[str]:
    """An applied run has one seal, but for those that the genesis stands for."""
    numbers = [seal["run_id"] for seal in seals if seal["kind"] != "genesis"]
    yield from (f"run {run} has two seals" for run in set(numbers) if numbers.count(run) > 1)
    yield from (f"run {run} has a seal and was not applied" for run in numbers if _is_unapplied(sealed, run))
    if not seals:
        return
    first = min(numbers, default=0) if seals[0]["kind"] == "genesis" else 0
    unsealed = {run for run in sealed.runs if run > first and sealed.is_applied(run)} - set(numbers)
    yield from (f"run {run} has no seal" for run in unsealed)


def _is_unapplied(sealed: SealedRows, run_id: int) -> bool:
    return run_id in sealed.runs and not sealed.is_applied(run_id)


def _listed_findings(sealed: SealedRows, seals: list[Any]) -> Iterator[str]:
    last: dict[str, Listing] = {}
    for seal in seals:
        for row in sealed.modes.get(seal["run_id"], ()) if seal["kind"] != "genesis" else ():
            mode = row["mode"]
            if row["stamp"] is not None:
                last[mode] = sealed.listing(mode, row["stamp"])
            stored, expected = (row["models_listed"], row["listed_root"]), last.get(mode)
            if expected is not None and stored != tuple(expected) and (row["stamp"] is not None or any(stored)):
                yield f"run {seal['run_id']} lists {stored} in {mode}, not {tuple(expected)}"
    for row in sealed.rows["sync_state"]:
        expected = last.get(row["mode"])
        if expected is not None and (row["models_listed"], row["listed_root"]) != tuple(expected):
            yield f"the state of {row['mode']} has {row['models_listed']} and {row['listed_root']}, not {expected}"
