"""Proofs as the program makes them hold by the script, and none is made of rows that were not sealed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sync.catalog.proof import DamagedSealError, ProvedModel, SealedRun, make_proof
from tests.support.independent_proofs import (
    CATALOG_ID,
    canonical,
    listed_line,
    made_entry,
    plain_leaf,
    plain_root,
)
from tests.support.proof_script import check_proof

RAW = '{"id":"m","mode":"image","credits":{"default_cost":5.00}}'
MODEL = ProvedModel("image", "m", datetime(2026, 3, 1, 15, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC), RAW)


def sealed(model: ProvedModel = MODEL, models: int = 7, size: int = 21, seal_no: int = 13) -> dict[str, Any]:
    """The arguments of ``make_proof`` for a model among others."""
    lines = [listed_line("image", model.model_id, model.raw)]
    lines += [listed_line("image", f"m{number}", "{}") for number in range(models - 1)]
    root = plain_root([plain_leaf(line) for line in sorted(lines, key=str.encode)]).hex()
    entry = canonical(made_entry(models, root))
    leaves = [plain_leaf(f"entry {number}") for number in range(size)]
    leaves[seal_no] = plain_leaf(entry)
    run = SealedRun(17, entry, seal_no, models, root)
    return {"model": model, "run": run, "listed": lines, "catalog_id": CATALOG_ID, "leaves": leaves}


def checked(tmp_path: Path, proof: str) -> tuple[int, str]:
    (tmp_path / "proof.json").write_text(proof)
    return check_proof(tmp_path / "proof.json")


@pytest.mark.parametrize("models", [1, 2, 7, 64])
@pytest.mark.parametrize(("size", "seal_no"), [(1, 0), (21, 13), (21, 20), (64, 63)])
def test_the_script_takes_what_the_program_makes(tmp_path: Path, models: int, size: int, seal_no: int) -> None:
    proof = make_proof(**sealed(models=models, size=size, seal_no=seal_no))

    code, line = checked(tmp_path, proof)

    assert code == 0, line
    assert 'image model "m" was listed with credit cost 5 ' in line


@pytest.mark.parametrize(
    ("model_id", "raw", "cost"),
    [
        ("m", '{"id":"m"}', "none"),
        ("m", '{"id":"m","credits":{"default_cost":1e-7,"x":"\\ud800"}}', "0.0000001"),
        ('ä "\\ \U0001f680', '{"id":"\\u00e4 \\"\\\\ \U0001f680","credits":{"default_cost":0.0}}', "0"),
        ("\x7f\x9b", '{"id":"\x7f\x9b","credits":{"default_cost":12.50}}', "12.5"),
    ],
)
def test_unusual_ids_and_costs_are_proved_as_well(tmp_path: Path, model_id: str, raw: str, cost: str) -> None:
    proof = make_proof(**sealed(replace(MODEL, model_id=model_id, raw=raw)))

    code, line = checked(tmp_path, proof)

    assert (code, f"with credit cost {cost} " in line) == (0, True), line
    assert proof.replace("\n", "").isprintable()
    assert json.loads(proof)["raw"] == raw


def test_a_proof_is_small_beside_the_text() -> None:
    """With 10,000 models and a million runs: one every five minutes for ten years."""
    model = replace(MODEL, model_id="an-id-as-long-as-those-of-the-catalog-are-" + "x" * 40, raw='{"id":""}')
    proof = make_proof(**sealed(model, models=10_000, size=1 << 14, seal_no=0))
    more_levels = 20 - 14

    assert len(json.loads(proof)["listed"]["path"]) == 14
    assert len(proof) - len(json.dumps(model.raw)) + more_levels * len(f'   "{64 * "f"}",\n') < 6000


def test_nothing_is_proved_of_rows_that_were_not_sealed() -> None:
    arguments = sealed()
    run, leaves, lines = arguments["run"], arguments["leaves"], arguments["listed"]
    changed: list[dict[str, Any]] = [
        {"listed": lines[:-1]},
        {"listed": [*lines, listed_line("image", "more", "{}")]},
        {"listed": [*lines[:-1], listed_line("image", "m5", "[]")]},
        {"model": replace(MODEL, raw='{"id":"m"}')},
        {"model": replace(MODEL, raw="no model")},
        {"model": replace(MODEL, raw="\ud800")},
        {"run": replace(run, listed=6)},
        {"run": replace(run, listed_root=None)},
        {"run": replace(run, entry=run.entry.replace("cli", "clj"))},
        {"run": replace(run, seal_no=12)},
        {"run": replace(run, seal_no=21)},
        {"leaves": leaves[:13]},
    ]

    for each in changed:
        with pytest.raises(DamagedSealError):
            make_proof(**(arguments | each))
