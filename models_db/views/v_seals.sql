-- One row per seal, in the order in which runs were committed.
--
-- The seal of a run that was pruned stays. verify compares each with what the run stored.

SELECT
    seals.seal_no,    -- number of the leaf, from 0; the order in which runs were committed
    seals.run_id,     -- run that is sealed, which may have been pruned; for genesis, the last run that older versions name
    seals.kind,       -- changed if the run opened or closed versions, else unchanged; genesis for the versions that are older than the seals
    seals.leaf_hash,  -- RFC 6962 hash of the entry of the run, in hex
    seals.tree_root   -- root of the tree with this leaf as its last, in hex
FROM seals
