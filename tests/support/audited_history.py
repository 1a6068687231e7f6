"""The eventful history, and what else a run can record: acceptances, another base URL, imports, ignored fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync.run.import_ import ImportDependencies, import_responses
from sync.run.source_check import Acceptance
from sync.source.files.jsonl import SavedResponse
from sync.store import runs
from sync.store.database import in_transaction
from sync.store.ignored import add_ignored, end_ignored
from tests.support.eventful_history import make_history
from tests.support.made_responses import FULL, Model, body, model
from tests.support.run_driver import HOUR, Host

_WHO = Acceptance(base_url=True, by="Ada", why="checked")


def make_audited_history(host: Host) -> None:
    make_history(host)
    a, back = model("a", cost=4, name="A2"), model("back", cost=3)
    others = [model(f"other-{number}", cost=number + 1) for number in range(4)]
    video = [model("v", cost=5), model("w", cost=6)]
    host.sync([a, back, FULL, *others], video)
    host.sync([a], video)  # removals are held back
    host.sync([a], video, accept=6, acceptance=_WHO)
    dear: list[Model] = [model("a", cost=99), *(model(f"v-{number}", cost=number + 1) for number in range(3))]
    host.sync(dear, video)
    dearer = [model("a", cost=9999), *(model(f"v-{number}", cost=1000 * number + 1000) for number in range(3))]
    host.sync(dearer, video)  # costs are held back
    host.sync(dearer, video, accept_costs="all", acceptance=_WHO)
    foreign = [model(f"foreign-{number}") for number in range(5)]
    host.sync(foreign, video)  # another catalog is held back
    host.base_url = "https://example.org/v2"
    host.sync(dearer, video, acceptance=_WHO)
    _ignore_a_field(host, dearer, video)
    _import_a_line(host, dearer)
    _be_superseded(host, dearer, video)
    in_transaction(host.engine, lambda connection, _: runs.begin_run(connection, _start(host)))
    host.sync(dearer, video)  # the run before is abandoned
    for _ in range(3):
        host.sync(dearer, video)
    rejected = [model("v-9", cost=-1), {"name": "nobody"}]
    host.sync([*dearer, *rejected], [*video, model("x", cost="x")])
    host.sync([*dearer[1:], rejected[0]], b"{")
    host.sync([*dearer, FULL], video[:1])


def _ignore_a_field(host: Host, image: list[Model], video: list[Model]) -> None:
    in_transaction(
        host.engine, lambda connection, _: add_ignored(connection, ["models.rank"], host.now, "it moves", "Ada")
    )
    host.now += HOUR
    host.sync([{**one, "rank": 1} for one in image], video)
    in_transaction(host.engine, lambda connection, _: end_ignored(connection, "models.rank", host.now, "Ada: removed"))
    host.now += HOUR
    host.sync([{**one, "rank": 2} for one in image], video)
    host.sync(image, video)


def _import_a_line(host: Host, image: list[Model]) -> None:
    line = SavedResponse("saved.jsonl", 1, host.now, {"image": body("image", [*image, model("imported", cost=1)])})
    host.now += timedelta(minutes=5)
    assert len(list(import_responses(host.engine, [line], ImportDependencies(lambda: host.now, "0")))) == 1
    host.now += HOUR
    host.sync(image, modes=["image"])


def _be_superseded(host: Host, image: list[Model], video: list[Model]) -> None:
    other = replace(host)
    host.meanwhile = lambda: other.sync(image, modes=["image"])
    assert host.sync(image, video).status == "partial"
    host.meanwhile = lambda: None
    host.now = other.now


def _start(host: Host) -> runs.RunStart:
    return runs.RunStart(host.now, "cli", host.base_url, "0")
