"""Fields that change in most models at every run, such as a rank or a latency: a person may want to ignore them."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from sync.catalog.changes.ignored_path import ANY, is_usable, path_to, split_field
from sync.catalog.changes.mode_plan import ModePlan

ChangedField: TypeAlias = "tuple[str, str | None]"
"""An entity and a field of the change log; ``*`` in the field is the name of any parameter."""
ModelField: TypeAlias = "tuple[Hashable, str, str | None]"
"""What identifies a model in a run, and the entity and field that changed in it."""

EARLIER_RUNS = 4
"""The number of runs of a mode, before the one that says so, in which a noisy field changed in most models too."""

_NAMED_PATHS = 5
_OF_PARAMS = ("params", "raw_available_params")


def mostly_changed(plan: ModePlan, listed: int) -> set[ChangedField]:
    """The fields that the plan changes in more than half of the listed models. The cost is not among them."""
    if not _is_most(plan.count("changed"), listed):
        return set()  # as nearly always, and before a change is looked at
    return _in_most(
        (
            (change.model_id, event.entity, event.field)
            for change in plan.changes
            for event in change.events
            if event.kind == "changed"
        ),
        listed,
    )


def noisy_fields(
    now: Collection[ChangedField], before: Sequence[tuple[int, Iterable[ModelField]]]
) -> set[ChangedField]:
    """The fields of ``now`` that changed in most models in each of the runs before, of which there must be enough.

    ``before`` has the number of models in each run, and which field changed in which model.
    """
    if len(before) < EARLIER_RUNS:
        return set()
    noisy = set(now)
    for number_of_models, changed in before:
        noisy &= _in_most(changed, number_of_models)
    return noisy


def noisy_note(mode: str, fields: Collection[ChangedField]) -> str | None:
    """The clause that names the fields, and the command that ignores them; None without fields."""
    paths = sorted(filter(is_usable, (path_to(*field) for field in _without_repeats(set(fields)))))
    if not paths:
        return None
    named = paths[:_NAMED_PATHS]
    more = f" and {len(paths) - len(named)} more" if len(paths) > len(named) else ""
    quoted = " ".join(map(shlex.quote, named))
    return (
        f"{', '.join(named)}{more} changed in more than half of the {mode} models in each of the last"
        f" {EARLIER_RUNS + 1} runs; to ignore that, run catalog-sync ignore add {quoted} --why ..."
    )


def _is_most(changed: int, models: int) -> bool:
    return changed * 2 > models


def _in_most(changed: Iterable[ModelField], number_of_models: int) -> set[ChangedField]:
    models: dict[ChangedField, set[Hashable]] = defaultdict(set)
    for model, entity, field in changed:
        for name in (field, _of_any_param(entity, field)):
            models[entity, name].add(model)
    return {field for field, found in models.items() if _is_most(len(found), number_of_models)}


def _of_any_param(entity: str, field: str | None) -> str | None:
    """The field with ``*`` for the parameter that it belongs to: models have parameters of different names."""
    if entity not in _OF_PARAMS or field is None:
        return field
    _, *below = split_field(field)
    return ".".join((ANY, *below)) if below else field


def _without_repeats(fields: set[ChangedField]) -> Iterator[ChangedField]:
    """The fields without those that another one covers: one parameter by its name, several of them by ``*``."""
    named: Mapping[ChangedField, set[ChangedField]] = {field: set() for field in fields}
    for entity, field in fields:
        general = (entity, _of_any_param(entity, field))
        if general in named and general != (entity, field):
            named[general].add((entity, field))
    for general, own in named.items():
        if len(own) == 1:
            fields = fields - {general}
        elif own:
            fields = fields - own
    # What repeats a change of params is ignored with it.
    yield from (each for each in fields if each[0] != "raw_available_params" or ("params", each[1]) not in fields)
