"""Makes the proof of a model at a moment from what is stored, or says why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sync.catalog.checkpoint import FoundCheckpoint
from sync.catalog.merkle import tree_root
from sync.catalog.proof import DamagedSealError, ProvedModel, SealedRun, make_proof
from sync.errors import CheckFailed, UsageError
from sync.store import proofs
from sync.store.database import Connection
from sync.store.model_queries import KnownModel
from sync.store.sealed_rows import read_entry
from sync.store.sealed_runs import read_checkpoint, read_leaves


def prove_model(
    connection: Connection, models: Sequence[KnownModel], at: datetime, kept: Sequence[FoundCheckpoint] | None = None
) -> str:
    """The proof as one JSON document, under the newest of the checkpoints ``kept``, or under that of now.

    ``models`` is the model in each mode that ever listed it. Raises ``UsageError`` for a moment that cannot be
    proved, ``CheckFailed`` where the stored rows are not those that were sealed.
    """
    model, interval = _listed_model(connection, models, at)
    run = proofs.observing_run(connection, model, interval, at)
    if run and run.seal_no is None and run.listed_root:
        raise _damaged(f"run {run.run_id} was sealed, and its seal is missing")
    if run is None or run.seal_no is None:
        raise _no_seal(connection, model, at)
    now, leaves = read_checkpoint(connection), read_leaves(connection)
    if (now.tree_size, now.root) != (len(leaves), tree_root(leaves)):
        raise _damaged("the seals are not those of their tree")
    size = now.tree_size if kept is None else _kept_size(kept, now.catalog_id, leaves, run.seal_no)
    try:
        entry = read_entry(connection, now.catalog_id, run.run_id).text()
        return make_proof(
            ProvedModel(model.mode, model.model_id, at, run.stamp, interval.raw),
            SealedRun(run.run_id, entry, run.seal_no, run.listed, run.listed_root),
            proofs.listed_lines(connection, model.mode, run.stamp),
            now.catalog_id,
            leaves[:size],
        )
    except DamagedSealError as error:
        raise _damaged(str(error)) from error
    except (AttributeError, TypeError, ValueError) as error:  # SQLite takes any value in any column
        raise _damaged(f"a stored value is not of its type: {error}") from error


def _listed_model(
    connection: Connection, models: Sequence[KnownModel], at: datetime
) -> tuple[KnownModel, proofs.ListedInterval]:
    found = [(model, interval) for model in models if (interval := proofs.listed_at(connection, model, at))]
    if not found:
        raise UsageError("; ".join(_not_listed(connection, model, at) for model in models))
    if len(found) > 1:
        modes = " or ".join(f"--mode {model.mode}" for model, _ in found)
        raise UsageError(f"{models[0].model_id!r} was listed in {len(found)} modes at {_shown(at)}: give {modes}")
    return found[0]


def _not_listed(connection: Connection, model: KnownModel, at: datetime) -> str:
    removed_at, listed_from = proofs.listed_bounds(connection, model, at)
    times = [f"it was removed at {_shown(removed_at)}"] if removed_at else []
    times += (
        [f"it was {'listed again' if removed_at else 'first listed'} at {_shown(listed_from)}"] if listed_from else []
    )
    return (
        f"{model.mode} model {model.model_id!r} was not listed at {_shown(at)}: {', '.join(times) or 'it never was'};"
        " give a time at which it was listed, as catalog-sync costs shows them"
    )


def _no_seal(connection: Connection, model: KnownModel, at: datetime) -> UsageError:
    first = proofs.first_sealed(connection, model.mode)
    since = f"the first one on record is of {_shown(first)}" if first else "there is none yet: run catalog-sync sync"
    return UsageError(
        f"{model.mode} model {model.model_id!r} cannot be proved at {_shown(at)}: no run that observed it until then"
        f" has a seal, and {since}; give a later time"
    )


def _kept_size(kept: Sequence[FoundCheckpoint], catalog_id: str, leaves: Sequence[bytes], seal_no: int) -> int:
    """The size of the newest checkpoint kept that has the seal."""
    own = [each.checkpoint for each in kept if each.checkpoint.catalog_id == catalog_id]
    newest = max(own, key=lambda checkpoint: checkpoint.tree_size, default=None)
    if newest is None:
        raise UsageError(f"the file has no checkpoint of the catalog {catalog_id}; give the file with its checkpoints")
    if newest.tree_size <= seal_no:
        raise UsageError(
            f"the newest checkpoint kept has {newest.tree_size} seal{'' if newest.tree_size == 1 else 's'}, and the run"
            f" that observed the model is seal {seal_no}; keep a newer checkpoint first, or leave --checkpoint out"
        )
    if newest.tree_size > len(leaves) or tree_root(leaves[: newest.tree_size]) != newest.root:
        raise _damaged(f"the checkpoint kept of size {newest.tree_size} is not one of the database")
    return newest.tree_size


def _damaged(reason: str) -> CheckFailed:
    return CheckFailed(
        f"the proof was not made: the record is damaged: {reason}; run catalog-sync verify, and restore a backup that"
        " verifies"
    )


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
