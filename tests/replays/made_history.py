"""Made-up histories: saved responses as ``import`` reads them, and the truth about them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.replays.made_catalog import MODES, MadeCatalog
from tests.replays.truth import Listing, Truth

START = datetime(2020, 2, 27, 21, 30, tzinfo=UTC)
_ZONES = (UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30)))
_FETCHED_MODES = (MODES, MODES, MODES, ("image",), ("video",), "all")


@dataclass(frozen=True)
class SavedLine:
    """One line of the file, and the models of each mode in it by id; None for a model that is rejected."""

    at: datetime
    line: str
    listings: Mapping[str, Listing]


def make_history(path: Path, seed: int, lines: int, models: int) -> Truth:
    """Writes a history with this number of lines, of which the first has ``models`` ids; returns its truth."""
    truth = Truth()
    with path.open("w", encoding="utf-8") as file:
        for saved in _lines(random.Random(seed), lines, models):
            file.write(saved.line + "\n")
            truth.observe(saved.at, saved.listings)
    return truth


def _lines(chance: random.Random, number: int, models: int) -> Iterator[SavedLine]:
    catalog = MadeCatalog(chance, models)
    ids_without_mode = set(chance.sample(sorted({key[1] for key in catalog.listed}), 1 + models // 200))
    at = START
    for _ in range(number):
        yield _saved_line(catalog, at, chance, ids_without_mode)
        catalog.turn()
        at = _later(at, chance)


def _saved_line(catalog: MadeCatalog, at: datetime, chance: random.Random, ids_without_mode: set[str]) -> SavedLine:
    """``ids_without_mode`` name their mode only where they must: in a response for all modes."""
    fetched = chance.choice(_FETCHED_MODES)
    rejected = (
        {key for key in catalog.listed if chance.random() < 1 / len(catalog.listed)} if chance.random() < 0.1 else set()
    )
    listings: dict[str, dict[str, Any]] = {mode: {} for mode in (MODES if fetched == "all" else fetched)}
    texts: dict[str, list[str]] = {mode: [] for mode in listings}
    for key, model in sorted(catalog.listed.items()):
        mode, id_ = key
        if mode in listings:
            names_mode = fetched == "all" or id_ not in ids_without_mode
            listings[mode][id_] = None if key in rejected else {**model.value, **({"mode": mode} if names_mode else {})}
            texts[mode].append(
                catalog.rejected(key) if key in rejected else model.sent(mode) if names_mode else model.text
            )
            if names_mode and key not in rejected and chance.random() < 0.001:
                texts[mode].append(catalog.respelled(key))
    bodies = {"all": [*texts["image"], *texts["video"]]} if fetched == "all" else texts
    return SavedLine(at, _line(at, bodies, chance), listings)


def _line(at: datetime, bodies: dict[str, list[str]], chance: random.Random) -> str:
    fields = [("at", json.dumps(_written(at, chance)))]
    fields += [(mode, _envelope(mode, texts, chance)) for mode, texts in bodies.items()]
    chance.shuffle(fields)
    return "{" + ", ".join(f'"{name}": {text}' for name, text in fields) + "}"


def _envelope(mode: str, texts: list[str], chance: random.Random) -> str:
    chance.shuffle(texts)
    data = [f'"mode": "{mode}"', f'"total": {len(texts)}', f'"models": [{",".join(texts)}]']
    chance.shuffle(data)
    return f'{{"ok": true, "code": 200, "message": "Studio models retrieved", "data": {{{", ".join(data)}}}}}'


def _written(at: datetime, chance: random.Random) -> str:
    return at.astimezone(chance.choice(_ZONES)).isoformat().replace("+00:00", chance.choice(("Z", "+00:00")))


def _later(at: datetime, chance: random.Random) -> datetime:
    """A later time: soon, on another day, at or next to midnight, or months later."""
    midnight = datetime.combine(at.date() + timedelta(days=chance.randint(1, 3)), datetime.min.time(), UTC)
    gaps: list[Any] = [
        timedelta(microseconds=chance.choice((1, 999_999, 1_500_000))),
        *([timedelta(hours=1)] * 3),
        *([timedelta(seconds=chance.randrange(1, 200_000))] * 4),
        midnight - at,
        midnight - at + timedelta(microseconds=chance.choice((-1, 1))),
    ]
    if chance.random() < 0.02:
        return at + timedelta(days=chance.randrange(30, 120))
    later: datetime = at + chance.choice(gaps)
    return max(later, at + timedelta(microseconds=1))
