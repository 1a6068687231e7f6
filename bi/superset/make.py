"""Writes the bundle of the dashboard, from the views and ``charts.py``: ``python -m bi.superset.make``.

The uuids depend on names alone, so that they stay when the files are made again. ``load.py`` imports the bundle.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bi.superset.charts import CHARTS, Chart
from models_db.views.loader import VIEWS, View, ViewColumn

BUNDLE = Path(__file__).with_name("bundle")
TITLE = "Costs of AI models"
SLUG = "ai-model-costs"
PERIOD = 'DATEADD(DATETIME("today"), -29, day) : DATEADD(DATETIME("today"), 1, day)'
"""The last 30 days, today included: a month of days answers within two seconds at 100,000 intervals."""

_FIXED = {"version": "1.0.0"}
_TIME = re.compile(r".*_at|.*_since|since|stamp|not_before|valid_from|valid_to|possible_from")
_NUMBER = re.compile(r".*_cost|cost_then|cost_now|.*_change|.*_pct|pct_.*|delta_cost|value_number|.*_hours")
_INTEGER = re.compile(r"is_.*|.*run_id|.*_count|models_.*|successful_syncs|period_days|attempts|http_status|.*_bytes")


def bundle_files() -> dict[str, str]:
    """Path and text of each file of the bundle."""
    used = [view for view in VIEWS if view.name in {chart.view for chart in CHARTS} | {"v_credit_cost_history"}]
    files: dict[str, Any] = {
        "metadata.yaml": {**_FIXED, "type": "Dashboard", "timestamp": "2026-11-26T00:00:00+00:00"},
        "databases/catalog.yaml": _database(),
        **{f"datasets/catalog/{view.name}.yaml": _dataset(view) for view in used},
        **{f"charts/{_slug(chart.name)}.yaml": _chart(chart) for chart in CHARTS},
        "dashboards/model_costs.yaml": _dashboard(),
    }
    return {name: "\n".join(_yaml(value)) + "\n" for name, value in files.items()}


def _uuid(kind: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"catalog-sync/superset/{kind}/{name}"))


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())


def _database() -> dict[str, Any]:
    return {
        "database_name": "catalog-sync",
        # load.py sets the address.
        "sqlalchemy_uri": "postgresql+psycopg2://catalog_reader@localhost/catalog",
        "expose_in_sqllab": True,
        "allow_dml": False,
        "extra": {"metadata_params": {}, "engine_params": {}},
        "uuid": _uuid("database", "catalog"),
        **_FIXED,
    }


def _dataset(view: View) -> dict[str, Any]:
    return {
        "table_name": view.name,
        "description": view.comment,
        "main_dttm_col": None,
        # The name of a PostgreSQL database: with one, a dashboard shows that database whatever the address is.
        "catalog": None,
        "schema": None,
        "sql": None,
        "filter_select_enabled": True,
        "uuid": _uuid("dataset", view.name),
        "metrics": [{"metric_name": "count", "verbose_name": "COUNT(*)", "expression": "COUNT(*)"}],
        "columns": [_column(column) for column in view.columns],
        "database_uuid": _uuid("database", "catalog"),
        **_FIXED,
    }


def _column(column: ViewColumn) -> dict[str, Any]:
    return {
        "column_name": column.name,
        "type": _type(column.name),
        "is_dttm": _type(column.name) in ("TIMESTAMP", "DATE"),
        "description": column.comment,
        "is_active": True,
        "groupby": True,
        "filterable": True,
    }


def _type(name: str) -> str:
    if name == "day":
        return "DATE"
    patterns = {"TIMESTAMP": _TIME, "DECIMAL": _NUMBER, "BIGINT": _INTEGER}
    return next((type_ for type_, pattern in patterns.items() if pattern.fullmatch(name)), "VARCHAR")


def _chart(chart: Chart) -> dict[str, Any]:
    period = {"clause": "WHERE", "operator": "TEMPORAL_RANGE", "comparator": "No filter", "expressionType": "SIMPLE"}
    filters = [{**period, "subject": chart.time_column}] if chart.time_column else []
    return {
        "slice_name": chart.name,
        "viz_type": chart.kind,
        "params": {**chart.params, "viz_type": chart.kind, "adhoc_filters": [*filters, *chart.conditions]},
        "uuid": _uuid("chart", chart.name),
        "dataset_uuid": _uuid("dataset", chart.view),
        **_FIXED,
    }


def _dashboard() -> dict[str, Any]:
    return {
        "dashboard_title": TITLE,
        "slug": SLUG,
        "published": True,
        "uuid": _uuid("dashboard", SLUG),
        "position": _position(),
        "metadata": {
            "native_filter_configuration": [*_filters()],
            "refresh_frequency": 0,
            "color_scheme": "supersetColors",
            "cross_filters_enabled": True,
        },
        **_FIXED,
    }


def _position() -> dict[str, Any]:
    """Rows of charts, each 12 columns wide. The uuid of a chart makes the import find it under its own title."""
    placed: dict[str, Any] = {}
    rows: dict[str, Any] = {}
    used = 12
    for number, chart in enumerate(CHARTS, start=1):
        if used + chart.width > 12:
            row, used = f"ROW-{len(rows) + 1}", 0
            meta = {"background": "BACKGROUND_TRANSPARENT"}
            rows[row] = {"type": "ROW", "id": row, "children": [], "parents": ["ROOT_ID", "GRID_ID"], "meta": meta}
        used += chart.width
        key = f"CHART-{number}"
        rows[row]["children"].append(key)
        meta_of_chart = {
            "chartId": number,
            "width": chart.width,
            "height": chart.height,
            "sliceName": chart.name,
            "uuid": _uuid("chart", chart.name),
        }
        parents = ["ROOT_ID", "GRID_ID", row]
        placed[key] = {"type": "CHART", "id": key, "children": [], "parents": parents, "meta": meta_of_chart}
    return {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": [*rows], "parents": ["ROOT_ID"]},
        "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": TITLE}},
        **rows,
        **placed,
    }


def _filters() -> Iterator[dict[str, Any]]:
    mask = {"extraFormData": {"time_range": PERIOD}, "filterState": {"value": PERIOD}}
    unaffected = [number for number, chart in enumerate(CHARTS, start=1) if chart.time_column is None]
    scope = {"rootPath": ["ROOT_ID"], "excluded": unaffected}
    yield _filter("period", "Period", "filter_time", [{}], defaultDataMask=mask, scope=scope)
    lists = {"mode": ("Mode", "v_current_catalog"), "provider": ("Provider", "v_credit_cost_history")}
    for column, (name, view) in {**lists, "model_id": ("Model", "v_credit_cost_history")}.items():
        target = {"column": {"name": column}, "datasetUuid": _uuid("dataset", view)}
        yield _filter(column, name, "filter_select", [target])


def _filter(key: str, name: str, kind: str, targets: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    control = {"multiSelect": True, "enableEmptyFilter": False, "inverseSelection": False, "searchAllOptions": True}
    return {
        "id": f"NATIVE_FILTER-{key}",
        "name": name,
        "filterType": kind,
        "type": "NATIVE_FILTER",
        "targets": targets,
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "cascadeParentIds": [],
        "controlValues": control,
        **more,
    }


def _yaml(value: Any) -> Iterator[str]:
    """The lines of a value as block YAML. Scalars and empty values are JSON, which is YAML too."""
    if isinstance(value, Mapping):
        pairs = [(f"{key}:", each) for key, each in value.items()]
    else:
        pairs = [("-", each) for each in value]
    for key, each in pairs:
        if not isinstance(each, Mapping | list | tuple) or not each:
            yield f"{key} {json.dumps(each, ensure_ascii=False)}"
            continue
        lines = [f"  {line}" for line in _yaml(each)]
        if key == "-":
            yield f"- {lines.pop(0).lstrip()}"
        else:
            yield key
        yield from lines


def write_bundle() -> None:
    """Replaces the folder of the bundle."""
    shutil.rmtree(BUNDLE, ignore_errors=True)
    for name, text in bundle_files().items():
        file = BUNDLE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_bundle()
