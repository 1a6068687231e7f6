"""Fields that change in most models at every run, such as a rank or a latency: a person may want to ignore them."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeAlias

from sync.catalog.changes.ignored_path import ANY, is_usable, path_to, split_field
from sync.catalog.changes.mode_plan import ModePlan

ChangedField: TypeAlias = "tuple[str, str | None]"
"""An entity and a field of the change log."""

EARLIER_RUNS = 4
"""The number of runs of a mode, before the one that says so, in which a noisy field changed in most models too."""

_NAMED_PATHS = 5


def is_most(changed: int, models: int) -> bool:
    """Whether this number of changed models is more than half of all."""
    return changed * 2 > models


def mostly_changed(plan: ModePlan, listed: int) -> set[ChangedField]:
    """The fields that the plan changes in more than half of the listed models. The cost is not among them."""
    if not is_most(plan.count("changed"), listed):
        return set()  # as nearly always, and before a change is looked at
    models: dict[ChangedField, set[str]] = defaultdict(set)
    for change in plan.changes:
        for event in change.events:
            if event.kind == "changed":
                models[event.entity, event.field].add(change.model_id)
    return {field for field, ids in models.items() if is_most(len(ids), listed)}


def noisy_fields(
    now: Collection[ChangedField], before: Sequence[tuple[int, Mapping[ChangedField, int]]]
) -> set[ChangedField]:
    """The fields of ``now`` that changed in most models in each of the runs before, of which there must be enough.

    ``before`` has the number of models in each run, and the number of models in which each field changed.
    """
    if len(before) < EARLIER_RUNS:
        return set()
    return {field for field in now if all(is_most(counts.get(field, 0), models) for models, counts in before)}


def noisy_note(mode: str, fields: Collection[ChangedField]) -> str | None:
    """The clause that names the fields, and the command that ignores them; None without fields."""
    # What repeats a change of params is ignored with it.
    own = {each for each in fields if each[0] != "raw_available_params" or ("params", each[1]) not in fields}
    paths = [path for path in _merged(path_to(*each) for each in own) if is_usable(path)]
    if not paths:
        return None
    named = paths[:_NAMED_PATHS]
    more = f" and {len(paths) - len(named)} more" if len(paths) > len(named) else ""
    quoted = " ".join(map(shlex.quote, named))
    return (
        f"{', '.join(named)}{more} changed in more than half of the {mode} models in each of the last"
        f" {EARLIER_RUNS + 1} runs; to ignore that, run catalog-sync ignore add {quoted} --why ..."
    )


def _merged(paths: Iterable[str]) -> list[str]:
    """The paths in order; those that differ only in the name of the parameter are one, with ``*``."""
    alike: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for path in paths:
        entity, *names = split_field(path)
        is_of_param = entity in ("params", "raw_available_params") and len(names) > 1
        alike[(entity, ANY, *names[1:]) if is_of_param else (entity, *names)].add(path)
    return sorted(
        path for merged, group in alike.items() for path in (group if len(group) == 1 else {".".join(merged)})
    )
