"""The texts of a run's errors: for stderr, for ``--json`` and for the run's row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sync.catalog.changes.mode_plan import ModePlan
from sync.catalog.guards import Accepted, Flag, GuardSettings, Hold, numbers_by_flag
from sync.catalog.model.records import Rejected
from sync.catalog.text import one_line
from sync.errors import (
    ApiUnreachable,
    CatalogSyncError,
    CostsHeld,
    OtherCatalogHeld,
    RemovalsHeld,
    ResponseHeld,
    ResponseRejected,
    Superseded,
)

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
        f"run superseded for mode {mode}: another run stored a response while this run was fetching; nothing to do"
    )


def older_copy_error(mode: str) -> ApiUnreachable:
    """The error of a mode for which a cache sent what the API said before the last good observation."""
    return ApiUnreachable(
        f"a cache answered for mode {mode} with a copy that is older than the one stored; try again later, and"
        " exclude this address from the caches in front of the API"
    )


def plan_errors(plan: ModePlan, held: Mapping[Flag, int], given: Sequence[str]) -> Iterator[CatalogSyncError]:
    """What a person has to know of a mode that was applied.

    ``held`` has the numbers of what is held back in all modes of the run: those that ``--accept-removals``
    and ``--accept-costs`` take. ``given`` are other options by which this run accepted something: the next run
    needs them too.
    """
    reported = plan.rejections.reported
    if reported:
        yield ResponseRejected(
            f"{len(reported)} of {plan.response.reported} {plan.mode} models were rejected and kept as stored:"
            f" {_rejected_models(reported)}; report them to the API's maintainers"
        )
    for hold in plan.holds:
        yield _hold_error(plan.mode, hold, _options(held, hold, given), stored_rest=not plan.holds_mode)


def _options(held: Mapping[Flag, int], hold: Hold, given: Sequence[str]) -> str:
    """All options that the next run needs: for what is held back, and for what this run accepted in vain."""
    accepted: dict[Flag, Accepted] = {"removals": hold.settings.accept_removals, "costs": hold.settings.accept_costs}
    numbers: dict[Flag, Accepted] = {**(accepted if hold.holds_mode else {}), **held}
    flags = [f"--accept-{flag} {numbers[flag]}" for flag in accepted if numbers.get(flag) is not None]
    return " ".join([*(given if hold.holds_mode else ()), *flags])


def _hold_error(mode: str, hold: Hold, options: str, *, stored_rest: bool) -> ResponseHeld:
    evidence = hold.evidence
    lately = f", after {evidence.removed_lately} that were removed within 24 h" if evidence.removed_lately else ""
    if hold.guard.reason == "costs":
        return CostsHeld(
            f"costs held back for mode {mode}: {len(hold.ids)} of {evidence.priced} priced models"
            f" {_moved_text(hold.settings)}; nothing of the mode was stored; if this is right,"
            f" run catalog-sync sync once with {options}"
        )
    if hold.guard.reason == "other_catalog":
        return OtherCatalogHeld(
            f"another catalog held back for mode {mode}: {len(hold.ids)} of {evidence.listed} listed models are missing"
            f"{lately}, and {evidence.new} of {evidence.received} are new; nothing of the mode was stored; check the"
            f" base URL, and if this is right, run catalog-sync sync once with {options}"
        )
    # Beside moved costs, nothing of the mode was stored.
    stored = ", everything else was stored" if stored_rest else ""
    return RemovalsHeld(
        f"{len(hold.ids)} {mode} models are missing from a response with {evidence.received}{lately}:"
        f" removals held back{stored}; if the models were really removed, run once with {options}"
    )


def held_line_errors(holds: Sequence[Hold]) -> Iterator[ResponseHeld]:
    """Why nothing of a line of an import was stored, given all that is held back of it: one error for an option."""
    for flag, number in numbers_by_flag(holds).items():
        again = f"import again with --accept-{flag} {number}, or with all for every line"
        if flag == "costs":
            moved = _moved_text(holds[0].settings)
            yield CostsHeld(
                f"{number} priced models {moved}: costs held back, and nothing of the line was stored; if this is"
                f" right, {again}"
            )
        elif any(hold.guard.reason == "other_catalog" for hold in holds):
            yield OtherCatalogHeld(
                f"{number} listed models are missing, and many models are new: another catalog held back, and nothing"
                f" of the line was stored; if this is right, {again}"
            )
        else:
            yield RemovalsHeld(
                f"{number} listed models are missing: removals held back, and nothing of the line was stored; if the"
                f" models were really removed, {again}"
            )


def _moved_text(settings: GuardSettings) -> str:
    return f"lost their cost or changed more than {settings.cost_factor:g}-fold"


def rejection_notes(plan: ModePlan) -> Iterator[str]:
    """The clause about models that an earlier run has reported as rejected, and that are still rejected."""
    standing = plan.rejections.standing
    if standing:
        models = f"1 {plan.mode} model stays" if len(standing) == 1 else f"{len(standing)} {plan.mode} models stay"
        # One line of text that every database stores: an explanation quotes what was sent.
        yield one_line(f"{models} rejected: {_rejected_models(standing)}", _MAX_STORED_LENGTH)


def _rejected_models(rejected: Iterable[Rejected]) -> str:
    texts = list(dict.fromkeys(_rejected_model(model) for model in rejected))
    unnamed = len(texts) - _MAX_NAMED_REJECTS
    return "; ".join(texts[:_MAX_NAMED_REJECTS]) + (f"; and {unnamed} more" if unnamed > 0 else "")


def _rejected_model(model: Rejected) -> str:
    return f"{'a model' if model.model_id is None else repr(model.model_id)} ({model.explanation})"
