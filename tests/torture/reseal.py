"""Makes all seals of a catalog anew from its rows, as somebody would who knows how they are made."""

from __future__ import annotations

from typing import Any

from tests.support.recomputed_seals import Leaf, SealedRows, growing_roots, peaks_of
from tests.torture.stored_contents import Contents


def reseal(contents: Contents) -> None:
    """Replaces every listed root, entry, leaf and root, and the frontier, by those of the other rows."""
    sealed = SealedRows(contents)
    _set_listings(contents, sealed)
    # The rows of the runs have changed, and with them their entries.
    leaves = _leaves(contents, SealedRows(contents))
    set_tree(contents, leaves)


def set_tree(contents: Contents, leaves: list[Leaf]) -> None:
    """Stores these leaves as the seals, with the roots and the frontier of their tree."""
    hashes = [bytes.fromhex(leaf.leaf_hash) for leaf in leaves]
    contents["seals"] = [
        {"seal_no": number, **leaf._asdict(), "tree_root": root.hex()}
        for number, (leaf, root) in enumerate(zip(leaves, growing_roots(hashes), strict=True))
    ]
    frontier = " ".join(peak.hex() for peak in peaks_of(hashes))
    contents["catalog_identity"][0].update(tree_size=len(leaves), frontier=frontier)


def stored_leaves(contents: Contents) -> list[Leaf]:
    seals = sorted(contents["seals"], key=lambda seal: int(seal["seal_no"]))
    return [Leaf(seal["run_id"], seal["kind"], seal["leaf_hash"]) for seal in seals]


def _set_listings(contents: Contents, sealed: SealedRows) -> None:
    last: dict[str, dict[str, Any]] = {}
    for row in sorted(contents["sync_run_modes"], key=lambda row: int(row["run_id"])):
        if row["stamp"] is not None and row["listed_root"] is not None:
            number, root = sealed.listing(row["mode"], row["stamp"])
            last[row["mode"]] = {"models_listed": number, "listed_root": root}
            row.update(last[row["mode"]])
        elif row["listed_root"] is not None and row["mode"] in last:
            row.update(last[row["mode"]])
    for row in contents["sync_state"]:
        row.update(last.get(row["mode"], {}))


def _leaves(contents: Contents, sealed: SealedRows) -> list[Leaf]:
    old = stored_leaves(contents)
    first = min((leaf.run_id for leaf in old if leaf.kind != "genesis"), default=0)
    sealed_runs = [leaf.run_id for leaf in old if leaf.kind != "genesis"]
    missing = {run for run in sealed.runs if run >= first and sealed.is_applied(run)} - set(sealed_runs)
    leaves = [leaf for leaf in (_anew(leaf, sealed, [*sealed_runs, *missing]) for leaf in old) if leaf]
    for run in sorted(missing):
        place = sum(leaf.run_id < run for leaf in leaves)
        leaves.insert(place, sealed.leaf_of_run(run))
    return leaves


def _anew(leaf: Leaf, sealed: SealedRows, sealed_runs: list[int]) -> Leaf | None:
    """The leaf as the rows have it now; None if its run has lost what was sealed."""
    if leaf.kind == "genesis":
        return sealed.genesis(sealed_runs)
    if leaf.run_id in sealed.runs:
        return sealed.leaf_of_run(leaf.run_id) if sealed.is_applied(leaf.run_id) else None
    return leaf if leaf.kind == "unchanged" else None
