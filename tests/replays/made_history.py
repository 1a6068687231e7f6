"""Made-up histories: saved answers as ``import`` reads them, and what is true of each."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.replays.made_catalog import MODES, World
from tests.replays.truth import Listing, Truth

START = datetime(2020, 2, 27, 21, 30, tzinfo=UTC)
_ZONES = (UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30)))
_ASKED = (MODES, MODES, MODES, ("image",), ("video",), "all")


@dataclass(frozen=True)
class SavedLine:
    """One line of the file, and what each mode listed in it: by id, None for what cannot be taken."""

    at: datetime
    line: str
    listings: Mapping[str, Listing]


def make_history(path: Path, seed: int, looks: int, models: int) -> Truth:
    """Writes a history with so many lines, which begins with so many ids, and tells the truth of it."""
    truth = Truth()
    with path.open("w", encoding="utf-8") as file:
        for look in _looks(random.Random(seed), looks, models):
            file.write(look.line + "\n")
            truth.look(look.at, look.listings)
    return truth


def _looks(chance: random.Random, number: int, models: int) -> Iterator[SavedLine]:
    world = World(chance, models)
    silent = set(chance.sample(sorted({key[1] for key in world.listed}), 1 + models // 200))
    at = START
    for _ in range(number):
        yield _look(world, at, chance, silent)
        world.turn()
        at = _later(at, chance)


def _look(world: World, at: datetime, chance: random.Random, silent: set[str]) -> SavedLine:
    """``silent`` are ids that say their mode only where it must be said: in an answer for all."""
    asked = chance.choice(_ASKED)
    refused = (
        {key for key in world.listed if chance.random() < 1 / len(world.listed)} if chance.random() < 0.1 else set()
    )
    listings: dict[str, dict[str, Any]] = {mode: {} for mode in (MODES if asked == "all" else asked)}
    texts: dict[str, list[str]] = {mode: [] for mode in listings}
    for key, model in sorted(world.listed.items()):
        mode, id_ = key
        if mode in listings:
            says = asked == "all" or id_ not in silent
            listings[mode][id_] = None if key in refused else {**model.value, **({"mode": mode} if says else {})}
            texts[mode].append(world.refused(key) if key in refused else model.sent(mode) if says else model.text)
            if says and key not in refused and chance.random() < 0.001:
                texts[mode].append(world.respelled(key))
    bodies = {"all": [*texts["image"], *texts["video"]]} if asked == "all" else texts
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
    """Soon, on another day, at midnight or just off it, or after months."""
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
