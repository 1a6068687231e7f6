"""The metrics of a catalog as a text for Prometheus. Pure.

Import this module late: ``prometheus_client`` is an extra, and takes time to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sync.metrics import names
from sync.store.metrics import CatalogMetrics, ModeMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(metrics: CatalogMetrics, version: str) -> bytes:
    """The text in the format of Prometheus, version 0.0.4, each time with the same order of lines.

    A number that is unknown has no line. A number of runs or changes is 0 if there was none.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(metrics, version))
    return generate_latest(registry)


class _Families(Collector):
    """The metrics as the library takes them."""

    def __init__(self, metrics: CatalogMetrics, version: str) -> None:
        self._metrics, self._version = metrics, version

    def collect(self) -> Iterator[GaugeMetricFamily]:
        metrics, run = self._metrics, self._metrics.last_run
        yield _by_mode(names.LAST_SUCCESS, {each.mode: _seconds(each.last_success_at) for each in metrics.modes})
        yield _single(names.LAST_RUN, _seconds(run.ended_at if run else None))
        yield _single(names.RUN_DURATION, run.seconds if run else None)
        yield _by(names.RUNS_LAST_DAY, "outcome", {each: metrics.runs_last_day.get(each, 0) for each in names.OUTCOMES})
        yield _models(metrics.modes)
        yield _by(names.CHANGES_LAST_DAY, "kind", {each: metrics.changes_last_day.get(each, 0) for each in names.KINDS})
        yield _by_mode(names.REQUEST_ATTEMPTS, {each.mode: each.attempts for each in metrics.modes})
        yield _by_mode(names.RESPONSE_BYTES, {each.mode: each.response_bytes for each in metrics.modes})
        yield _single(names.SEAL_TREE_SIZE, metrics.tree_size)
        yield _by(names.BUILD_INFO, "version", {self._version: 1})


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


def _models(modes: tuple[ModeMetrics, ...]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(names.MODELS, names.HELP[names.MODELS], labels=["mode", "state"])
    for each in modes:
        for state, number in each.models.items():
            family.add_metric([each.mode, state], number)
    return family


def _by_mode(name: str, values: dict[str, float | None]) -> GaugeMetricFamily:
    return _by(name, "mode", {mode: value for mode, value in values.items() if value is not None})


def _by(name: str, label: str, values: dict[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, names.HELP[name], labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def _single(name: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, names.HELP[name])
    if value is not None:
        family.add_metric([], value)
    return family
