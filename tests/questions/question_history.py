"""Five weeks of a small catalog with most kinds of changes, made by whole runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from sync.errors import ApiUnreachable
from sync.run.import_ import ImportDependencies, import_responses
from sync.source.files.jsonl import SavedResponse
from tests.support.made_responses import Model, body, model
from tests.support.run_driver import Host, Sent

RATIOS = {"options": ["9:16", "16:9"]}
CLIP = {"ratio": RATIOS, "duration": {"enum": ["5s", "10s"]}}
REEL = {"aspect_ratio": RATIOS, "duration_seconds": {"options": [5]}}
LOOP = {"aspect_ratio": RATIOS, "duration_seconds": {"min": 4, "max": 12}}

IMAGE = {"acme/paint": 0.1, "acme/sketch": 4, "birch/photo": 10, "cedar/old": 7, "dune/free": 0}
VIDEO = {"birch/clip": 12, "cedar/reel": None, "dune/loop": None}
PARAMS = {"birch/clip": CLIP, "cedar/reel": REEL, "dune/loop": LOOP}
PRICES = {"birch/clip": {"per_duration": {"5s": 12, "10s": 20.5}, "tiers": [{"resolution": "1080p", "cost": 30}]}}
BROKEN = model("birch/broken", cost="three")


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def listed(costs: Mapping[str, Any], *missing: str, description: str = "Photos", **now: Any) -> list[Model]:
    """The models of a mode without the missing ones; ``acme_paint=0.3`` sets the cost of acme/paint."""
    costs = {**costs, **{name.replace("_", "/"): cost for name, cost in now.items()}}
    extra: dict[str, dict[str, Any]] = {"birch/photo": {"description": description}}
    return [
        model(name, **extra.get(name, {}), params=PARAMS.get(name, {}))
        | {"provider": name.partition("/")[0], "credits": {"default_cost": cost, **PRICES.get(name, {})}}
        for name, cost in costs.items()
        if name not in missing
    ]


def make_history(engine: Engine) -> None:
    """Nine runs: an import, five successful syncs, and three in which something was wrong."""
    saved = {"image": body("image", listed(IMAGE)), "video": body("video", listed(VIDEO))}
    backfill = ImportDependencies(clock=lambda: at(3, 2, 8), app_version="0.9")
    assert all(import_responses(engine, [SavedResponse("saved", 1, at(3, 1, 12), saved)], backfill))
    host = Host(engine)

    def run(moment: datetime, image: Sent, video: Sent) -> None:
        host.now = moment
        host.sync(image, video)

    # acme/sketch costs 5 for exactly a day, dune/free costs 1 for an hour less than two days
    run(at(3, 2, 10), listed(IMAGE, acme_sketch=5, description="Sharp photos"), listed(VIDEO))
    image = listed(IMAGE, "cedar/old", dune_free=1, description="Sharp photos")
    run(at(3, 3, 10), image, listed(VIDEO, cedar_reel=9))
    image = listed(IMAGE, "cedar/old", "acme/paint", dune_free=1, description="Sharp photos")
    run(at(3, 4, 10), image, ApiUnreachable("no response"))
    image = listed(IMAGE, "cedar/old", "acme/paint", description="Sharp photos")
    run(at(3, 5, 9), [*image, BROKEN], body("video", listed(VIDEO, cedar_reel=9), total=9))
    # birch/clip costs 15 for an hour more than two days, and cedar/reel is not listed for that long
    image = listed(IMAGE, "cedar/old", acme_paint=0.3, acme_sketch=6, description="Sharp photos")
    run(at(3, 8, 10), image, listed(VIDEO, "cedar/reel", birch_clip=15))
    run(at(3, 10, 11), image, listed(VIDEO, cedar_reel=9))
    image = listed(IMAGE, "cedar/old", acme_paint=0.3, acme_sketch=6, birch_photo=8.5, description="Sharp photos")
    run(at(4, 5, 12), image, listed(VIDEO, cedar_reel=9))
    run(at(4, 6, 10), image[1:2], listed(VIDEO, cedar_reel=9))
