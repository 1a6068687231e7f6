"""Made-up lives of models: which costs each had, from which run to which, and the gaps between."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from benchmarks.catalogs import COSTS, MODES, Model, as_sent, encoded, made_model
from sync.catalog.model.normalise import normalise
from sync.catalog.model.records import Record

ASKING = timedelta(seconds=2)
_VARIANTS = 8
_GAP_EVERY = 40  # intervals
_REMOVED_EVERY = 20  # models
_HEAVY_FIELDS = ("raw_available_params", "params", "capabilities", "inputs")


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a history is to be, and when it ends (UTC)."""

    models: int
    """Listed at the end; a twentieth as many more were removed before."""
    intervals: int
    runs: int
    raw_bytes: int
    """About how long the text of a version is, the last one of a listed model apart."""
    end: datetime
    span: timedelta = timedelta(days=3 * 365)
    seed: int = 1

    def observed_at(self, run: int) -> datetime:
        """When a run, counted from 0, had its answers."""
        return self.end - (self.runs - 1 - run) * (self.span / self.runs)


@dataclass(frozen=True, slots=True)
class Life:
    """A model and all that was ever said of it; the variants come in turn, the last one at its end alone."""

    mode: str
    variants: tuple[Record, ...]
    is_listed: bool


class Duration(NamedTuple):
    """An interval of a model: runs are counted from 0, variants within the life."""

    opened: int
    life: int
    variant: int
    before: int | None
    """The variant before; None for the first."""
    relisted: bool
    closed: int | None
    back: int | None
    """The run that listed the model again, when this one was closed by a removal from which it came back."""
    ends_in_gap: bool


def made_lives(shape: Shape) -> list[Life]:
    """Listed models first: together they are what ``last_catalog`` serves."""
    removed = shape.models // _REMOVED_EVERY
    half = shape.models // len(MODES)
    listed = [_life(shape, mode, number, is_listed=True) for mode in MODES for number in range(half)]
    return listed + [_life(shape, MODES[one % 2], half + one, is_listed=False) for one in range(removed)]


def last_catalog(models: int) -> dict[str, list[bytes]]:
    """The models listed at the end of a history, each as it is sent."""
    return as_sent({mode: [made_model(mode, one) for one in range(models // len(MODES))] for mode in MODES})


def made_spans(shape: Shape, lives: Sequence[Life]) -> list[Duration]:
    """Every interval of every life, in the order in which they began.

    Raises ``ValueError`` when there are too few runs for so many changes of one model.
    """
    chance = random.Random(f"{shape.seed} spans")
    shares = [chance.uniform(0.6, 1.4) for _ in lives]
    whole = sum(shares)
    numbers = [max(1, int(shape.intervals * share / whole)) for share in shares]
    numbers[0] += shape.intervals - sum(numbers)
    if min(numbers) < 1 or max(numbers) * 2 > shape.runs:
        raise ValueError("too few intervals or runs for so many models: give more, or fewer models")
    spans = [
        span
        for place, (life, number) in enumerate(zip(lives, numbers, strict=True))
        for span in _spans(chance, shape.runs, place, life, number)
    ]
    return sorted(spans)


def _life(shape: Shape, mode: str, number: int, *, is_listed: bool) -> Life:
    model = made_model(mode, number)
    cost = model["credits"]["default_cost"]
    small = _shortened(model, shape.raw_bytes)
    others = [float(text) for text in COSTS if float(text) != cost][:_VARIANTS]
    variants = [_with_cost(small, other) for other in others]
    variants[0] = {**variants[0], "description": "Said in other words."}
    return Life(mode, tuple(_record(variant, mode) for variant in (*variants, model)), is_listed)


def _shortened(model: Model, length: int) -> Model:
    for field in _HEAVY_FIELDS:
        if len(encoded(model)) > length:
            model = {name: value for name, value in model.items() if name != field}
    excess = len(encoded(model)) - length
    return {**model, "description": model["description"][: -excess or None]} if excess > 0 else model


def _with_cost(model: Model, cost: float) -> Model:
    return {**model, "credits": {**model["credits"], "default_cost": cost}}


def _record(model: Model, mode: str) -> Record:
    record = normalise(encoded(model), mode)
    if not isinstance(record, Record):
        raise TypeError(f"a made-up model was rejected: {record.reason}")
    return record


def _spans(chance: random.Random, runs: int, place: int, life: Life, number: int) -> Iterator[Duration]:
    gaps = set(chance.sample(range(1, number), (number - 1) // _GAP_EVERY)) | (set() if life.is_listed else {number})
    # The last run changes nothing, so that whoever asks again meets what it left.
    at = sorted(chance.sample(range(runs - 1), number + len(gaps)))
    moments = iter((*at, None))
    opened, relisted, before = next(moments), False, None
    for count in range(1, number + 1):
        variant = (count - 1) % _VARIANTS if count < number or not life.is_listed else _VARIANTS
        closed = next(moments)
        back = next(moments) if count in gaps else None
        if opened is None:
            raise RuntimeError("more intervals than moments")
        yield Duration(opened, place, variant, before, relisted, closed, back, count in gaps)
        opened, relisted, before = (back if count in gaps else closed), count in gaps, variant


def gaps_of(spans: Sequence[Duration]) -> int:
    """How many times a model went, for a word on what was made."""
    return sum(span.ends_in_gap for span in spans)
