"""The tests of the alert rules: what Prometheus has scraped, and which alerts fire then. All others must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sync.metrics import names

_SERVICE = {"job": "catalog-sync", "instance": "127.0.0.1:9108"}
_NODE = {"job": "node", "instance": "host:9100"}
# Each test ends three hours after 1970 began, when time() is 10800.
_AT = "3h"
_NONE: Mapping[str, int] = {}
_MINUTES = 180


@dataclass(frozen=True)
class AlertTest:
    """One test."""

    name: str
    series: Mapping[str, str]
    fires: Mapping[str, dict[str, str]] = field(default_factory=dict)
    """The labels of each alert that fires, without its severity, by its name."""
    at: str = _AT


def _series(name: str, /, **labels: str) -> str:
    pairs = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{pairs}}}"


def _steady(value: float) -> str:
    return f"{value:g}x{_MINUTES}"


def _following(seconds: int) -> str:
    """A time that is always this number of seconds ago."""
    return f"{-seconds}+60x{_MINUTES}"


def _catalog(
    success: str | None, run: str, outcomes: Mapping[str, int] = _NONE, *, video: str | None = None
) -> dict[str, str]:
    """What a schedule gives, with a last run of 10 s."""
    runs = {"done": 5, "refused": 0, "rejected": 0, "abandoned": 0, **outcomes}
    found = {
        _series("up", **_SERVICE): _steady(1),
        _series(names.LAST_RUN, **_SERVICE): run,
        _series(names.RUN_DURATION, **_SERVICE): _steady(10),
        **{
            _series(names.RUNS_LAST_DAY, **_SERVICE, outcome=outcome): _steady(number)
            for outcome, number in runs.items()
        },
        **{_series(names.REQUEST_ATTEMPTS, **_SERVICE, mode=mode): _steady(1) for mode in ("image", "video")},
        **{_series(names.MODELS, **_SERVICE, mode=mode, state="held"): _steady(0) for mode in ("image", "video")},
    }
    successes = {"image": success, "video": video or success}
    of_modes = {mode: at for mode, at in successes.items() if at is not None}
    return found | {_series(names.LAST_SUCCESS, **_SERVICE, mode=mode): at for mode, at in of_modes.items()}


# The last run began 100 s ago. A success is of it, or of the run a quarter of an hour before.
_RUN, _IN_RUN, _BEFORE_RUN = _following(90), _following(92), _following(1000)


def _outcome_tests(outcome: str, alert: str) -> tuple[AlertTest, ...]:
    labels = {**_SERVICE, "outcome": outcome}
    last = {outcome: 2}
    return (
        AlertTest(
            f"the last sync ended as {outcome}",
            _catalog(_BEFORE_RUN, _RUN, last),
            {alert: labels},
        ),
        AlertTest(
            f"the last sync ended as {outcome} in one mode",
            _catalog(_IN_RUN, _RUN, last, video=_BEFORE_RUN),
            {alert: labels},
        ),
        AlertTest(
            f"a sync ended as {outcome}, and a later one succeeded",
            _catalog(_IN_RUN, _RUN, last),
        ),
    )


TESTS = (
    AlertTest("all is well", _catalog(_IN_RUN, _RUN)),
    AlertTest("a catalog with nothing in it", {_series("up", **_SERVICE): _steady(1)}),
    AlertTest(
        "a sync was superseded, and one was stopped",
        _catalog(_BEFORE_RUN, _RUN, {"superseded": 1, "interrupted": 1}),
    ),
    *_outcome_tests("refused", "CatalogSyncRefused"),
    *_outcome_tests("usage", "CatalogSyncUsage"),
    *_outcome_tests("unexpected", "CatalogSyncUnexpected"),
    *_outcome_tests("database", "CatalogSyncDatabase"),
    *_outcome_tests("unreachable", "CatalogSyncUnreachable"),
    *_outcome_tests("abandoned", "CatalogSyncAbandoned"),
    AlertTest(
        "the API was unreachable for less than an hour",
        _catalog(_BEFORE_RUN, _RUN)
        | {_series(names.RUNS_LAST_DAY, **_SERVICE, outcome="unreachable"): f"0x{_MINUTES - 40} 1x40"},
    ),
    AlertTest(
        "a model was rejected, and the sync succeeded for the others",
        _catalog(_IN_RUN, _RUN, {"rejected": 1}),
        {"CatalogSyncRejected": {**_SERVICE, "outcome": "rejected"}},
    ),
    AlertTest(
        "removals are held back",
        _catalog(_IN_RUN, _RUN, {"held": 4})
        | {_series(names.MODELS, **_SERVICE, mode="video", state="held"): _steady(3)},
        {"CatalogSyncHeld": {**_SERVICE, "mode": "video", "state": "held"}},
    ),
    AlertTest("what was held back was accepted", _catalog(_IN_RUN, _RUN, {"held": 4})),
    AlertTest(
        "one mode had no successful sync for more than two hours",
        _catalog(_IN_RUN, _RUN, video=_following(7300)),
        {"CatalogSyncStale": {**_SERVICE, "mode": "video"}},
    ),
    AlertTest("the last successful sync was less than two hours ago", _catalog(_following(7000), _following(6990))),
    AlertTest(
        "a mode never succeeded, and the key is refused",
        _catalog(_IN_RUN, _RUN) | {_series(names.LAST_SUCCESS, **_SERVICE, mode="video"): f"_x{_MINUTES}"},
        {"CatalogSyncNeverSucceeded": {**_SERVICE, "mode": "video"}},
    ),
    AlertTest(
        "no mode ever succeeded, since the key is refused",
        {
            series: values
            for series, values in _catalog(None, _RUN, {"refused": 3}).items()
            if 'mode="video"' not in series
        },
        {
            "CatalogSyncNeverSucceeded": {**_SERVICE, "mode": "image"},
            "CatalogSyncRefused": {**_SERVICE, "outcome": "refused"},
        },
    ),
    AlertTest(
        "the process is gone, or its database",
        {_series("up", **_SERVICE): _steady(0)},
        {"CatalogSyncDown": _SERVICE},
    ),
    AlertTest("the process was restarted", {_series("up", **_SERVICE): f"1x{_MINUTES - 3} 0x3"}),
    AlertTest(
        "cron has stopped, and the file with it",
        {_series("node_textfile_mtime_seconds", **_NODE, file="/metrics/catalog-sync.prom"): _steady(600)},
        {"CatalogSyncMetricsFileOld": {**_NODE, "file": "/metrics/catalog-sync.prom"}},
    ),
    AlertTest(
        "the file is new, and that of another program is old",
        {
            _series("node_textfile_mtime_seconds", **_NODE, file="/metrics/catalog_sync.prom"): _following(600),
            _series("node_textfile_mtime_seconds", **_NODE, file="/metrics/backup.prom"): _steady(600),
        },
    ),
)
