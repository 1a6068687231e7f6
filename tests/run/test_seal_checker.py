"""The independent checker of seals reports a finding after each of these changes, and none before."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.support.made_responses import model
from tests.support.recomputed_seals import growing_roots, leaf_hash, tree_root
from tests.support.run_driver import Host
from tests.support.seal_checker import seal_findings

TAMPERED = {
    "a text": "UPDATE model_versions SET raw = '{}' WHERE opened_run_id = 2",
    "a host": "UPDATE sync_runs SET host = 'x' WHERE run_id = 2",
    "a response": "UPDATE sync_run_modes SET payload_bytes = 1 WHERE run_id = 2 AND mode = 'video'",
    "a missing run": "DELETE FROM sync_runs WHERE run_id = 2",
    "a run without a seal": "DELETE FROM seals WHERE seal_no = 2",
    "a leaf": "UPDATE seals SET leaf_hash = tree_root WHERE seal_no = 1",
    "a root": "UPDATE seals SET tree_root = leaf_hash WHERE seal_no = 1",
    "a kind": "UPDATE seals SET kind = 'unchanged' WHERE seal_no = 1",
    "the size of the tree": "UPDATE catalog_identity SET tree_size = 2",
    "the frontier": "UPDATE catalog_identity SET frontier = (SELECT leaf_hash FROM seals WHERE seal_no = 0)",
    "another catalog": "UPDATE catalog_identity SET catalog_id = '0'",
    "the listed models": "UPDATE sync_state SET listed_root = '' WHERE mode = 'image'",
    "an ignored field": "INSERT INTO ignored_fields VALUES ('a.b', '2026-01-01 00:00:00.000000', NULL, '', '')",
}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # the checker reads all databases in the same way
@pytest.mark.parametrize("statement", TAMPERED.values(), ids=[fact.replace(" ", "-") for fact in TAMPERED])
def test_the_checker_of_seals_finds_a_changed_fact(engine: Engine, statement: str) -> None:
    host = Host(engine)
    host.sync([model("a"), model("b")], [model("c")])
    host.sync([model("a", cost=4), model("b")], [model("c")])
    host.sync([model("a", cost=4), model("b")], [model("c")])
    with engine.connect() as connection:
        assert seal_findings(connection) == []
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql(statement)
        found = seal_findings(connection)
        connection.rollback()

    assert found


def test_the_independent_tree_is_that_of_the_vectors_of_rfc_6962() -> None:
    texts = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    hashes = [leaf_hash(bytes.fromhex(text)) for text in texts]

    assert tree_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree_root(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert list(growing_roots(hashes)) == [tree_root(hashes[:size]) for size in range(1, 9)]
