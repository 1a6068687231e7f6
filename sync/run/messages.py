"""The texts of a run's errors: for stderr, for ``--json`` and for the run's row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.model.records import Rejected
from sync.catalog.text import one_line
from sync.errors import CatalogSyncError, RemovalsHeld, ResponseRejected, Superseded

_MAX_STORED_LENGTH = 2000
_MAX_NAMED_REJECTS = 5
_MODE_PLACEHOLDER = "\0"  # occurs in no message


def joined_message(errors: Iterable[tuple[str, CatalogSyncError]]) -> str | None:
    """The errors of all modes in one line; None without any.

    A text that differs only in ``mode image`` and ``mode video`` appears once, with ``modes image
    and video``. An error's text must read well either way.
    """
    modes_by_text: dict[str, list[str]] = {}
    for mode, error in errors:
        modes_by_text.setdefault(str(error).replace(f"mode {mode}", _MODE_PLACEHOLDER), []).append(mode)
    return "; also: ".join(_with_modes(text, modes) for text, modes in modes_by_text.items()) or None


def _with_modes(text: str, modes: list[str]) -> str:
    noun = "mode" if len(modes) == 1 else "modes"
    return text.replace(_MODE_PLACEHOLDER, f"{noun} {' and '.join(modes)}")


def storable_message(message: str, mask: Callable[[str], str]) -> str:
    """A message as a run's row keeps it: one line of at most 2,000 characters.

    It is masked before it is cut: ``mask`` would not find a secret of which the end is missing.
    """
    return one_line(mask(message), _MAX_STORED_LENGTH)


def superseded_error(mode: str) -> Superseded:
    """The error of a mode whose response was not stored because another run was faster."""
    return Superseded(
        f"run superseded for mode {mode}: another run stored a newer response while this run was fetching;"
        " nothing to do"
    )


def plan_errors(plan: ModePlan, total_held: int) -> Iterator[CatalogSyncError]:
    """What a person has to know of a mode that was applied.

    ``total_held`` is the number of removals held back in all modes of the run, which is the number
    that ``--accept-removals`` takes.
    """
    if plan.rejected:
        yield ResponseRejected(
            f"{len(plan.rejected)} of {plan.response.reported} {plan.mode} models were rejected and kept as stored:"
            f" {_rejected_models(plan.rejected)}; report them to the API's maintainers"
        )
    if plan.removals_held:
        yield RemovalsHeld(
            f"{plan.removals_held} {plan.mode} models are missing from a response with {plan.response.reported}:"
            f" removals held back, everything else was stored; if the models were really removed, run once with"
            f" --accept-removals {total_held}"
        )


def _rejected_models(rejected: Iterable[Rejected]) -> str:
    texts = list(dict.fromkeys(_rejected_model(model) for model in rejected))
    unnamed = len(texts) - _MAX_NAMED_REJECTS
    return "; ".join(texts[:_MAX_NAMED_REJECTS]) + (f"; and {unnamed} more" if unnamed > 0 else "")


def _rejected_model(model: Rejected) -> str:
    return f"{'a model' if model.model_id is None else repr(model.model_id)} ({model.reason})"
