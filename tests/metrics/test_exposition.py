"""The text of the metrics, from values alone."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.parser import text_string_to_metric_families

from sync.metrics import names
from sync.metrics.exposition import exposition
from sync.store.metrics import CatalogMetrics, LastRun, ModeMetrics
from tests.support.docs_pages import page, section, table_rows

NOW = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)


def samples(metrics: CatalogMetrics, version: str = "1.2") -> dict[str, float]:
    """Each sample as ``name{label=value}``, without the prefix of the name."""
    families = text_string_to_metric_families(exposition(metrics, version).decode())
    found = [sample for family in families for sample in family.samples]
    return {each.name.removeprefix("catalog_sync_") + _labels(each.labels): each.value for each in found}


def _labels(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{label}={value}" for label, value in labels.items()) + "}"


def test_of_a_catalog_with_nothing_in_it_numbers_are_0_and_times_are_absent() -> None:
    assert samples(CatalogMetrics((ModeMetrics("image"), ModeMetrics("video")))) == {
        **{f"runs_last_day{{outcome={outcome}}}": 0 for outcome in names.OUTCOMES},
        **{f"changes_last_day{{kind={kind}}}": 0 for kind in names.KINDS},
        "seal_tree_size{}": 0,
        "build_info{version=1.2}": 1,
    }


def test_what_is_known_of_one_mode_is_not_made_up_for_the_other() -> None:
    image = ModeMetrics("image", NOW, {"listed": 3, "rejected": 0, "held": 1}, 2, None)
    found = samples(CatalogMetrics((image, ModeMetrics("video", attempts=4)), LastRun(NOW, 1.5), {"held": 2}, {}, 7))

    assert {name: value for name, value in found.items() if "_last_day" not in name} == {
        "last_success_timestamp_seconds{mode=image}": 1772366400.25,
        "last_run_timestamp_seconds{}": 1772366400.25,
        "run_duration_seconds{}": 1.5,
        "models{mode=image,state=listed}": 3,
        "models{mode=image,state=rejected}": 0,
        "models{mode=image,state=held}": 1,
        "request_attempts{mode=image}": 2,
        "request_attempts{mode=video}": 4,
        "seal_tree_size{}": 7,
        "build_info{version=1.2}": 1,
    }
    assert found["runs_last_day{outcome=held}"] == 2


def test_a_version_with_quotes_and_line_breaks_stays_one_label() -> None:
    assert samples(CatalogMetrics(), 'a"b\\\n')['build_info{version=a"b\\\n}'] == 1


def test_the_page_describes_every_metric() -> None:
    described = {
        row[0].partition("{")[0].strip("`") for row in table_rows(section(page("docs/monitoring.md"), "## Metrics"))
    }

    assert described == set(names.HELP)
