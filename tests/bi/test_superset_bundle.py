"""The dashboard in ``bi/superset/bundle`` is what the views and ``charts.py`` make, and ``load.py`` sets its address.

``make bi-check`` opens it in Superset.
"""

from __future__ import annotations

import json
import re

import pytest

from bi.superset import load
from bi.superset.charts import CHARTS
from bi.superset.load import bundle_contents, superset_url
from bi.superset.make import BUNDLE, bundle_files
from models_db.views.loader import VIEWS

COLUMNS = {view.name: {column.name for column in view.columns} for view in VIEWS}
WORD = re.compile(r"[a-z]+(?:_[a-z]+)+")


def test_the_files_are_up_to_date() -> None:
    """If not, run ``python -m bi.superset.make``."""
    stored = {path.relative_to(BUNDLE).as_posix(): path.read_text("utf-8") for path in BUNDLE.rglob("*.yaml")}

    assert stored == bundle_files()


def test_every_column_of_a_chart_is_in_its_view() -> None:
    for chart in CHARTS:
        params = chart.params
        metrics = [params.get("metric"), params.get("timeseries_limit_metric"), *params.get("metrics", [])]
        named = {name for each in metrics if each for name in WORD.findall(each["sqlExpression"])}
        named |= {*params.get("all_columns", []), *params.get("groupby", []), *params.get("column_config", {})}
        named |= {json.loads(order)[0] for order in params.get("order_by_cols", [])}
        named |= {each["subject"] for each in chart.conditions} | {params.get("x_axis", chart.time_column)} - {None}

        assert named - COLUMNS[chart.view] == set(), chart.name


def test_every_chart_has_its_uuid_in_the_layout() -> None:
    """The import shuffles charts under wrong titles where one is missing."""
    files = bundle_files()
    layout = files["dashboards/model_costs.yaml"]
    uuids = [re.findall(r"^uuid: (.*)$", text, re.MULTILINE)[0] for name, text in files.items() if "charts/" in name]

    assert len(set(uuids)) == len(CHARTS)
    assert [uuid for uuid in uuids if f"      uuid: {uuid}" not in layout and f"    uuid: {uuid}" not in layout] == []


def test_no_dataset_names_a_database() -> None:
    """A dashboard would show that database instead of the one of its address, without an error."""
    datasets = [text for name, text in bundle_files().items() if name.startswith("datasets/")]

    assert datasets
    assert all("\ncatalog: null\nschema: null\n" in text for text in datasets)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////var/lib/prices.db", "sqlite:////var/lib/prices.db"),
        ("postgres://reader@db/prices", "postgresql+psycopg2://reader:it%27s%3A@db/prices"),
        ("postgresql://reader@db/prices?sslmode=require", "postgresql+psycopg2://reader:it%27s%3A@db/prices?sslmode=require"),
        ("mariadb://reader@db:3307/prices", "mysql+pymysql://reader:it%27s%3A@db:3307/prices?charset=utf8mb4"),
        ("mysql+pymysql://reader@db/prices?ssl_ca=ca.pem", "mysql+pymysql://reader:it%27s%3A@db/prices?charset=utf8mb4&ssl_ca=ca.pem"),
    ],
)  # fmt: skip
def test_the_url_gets_a_driver_and_the_password(url: str, expected: str) -> None:
    password = None if url.startswith("sqlite") else "it's:"

    assert superset_url(url, password).replace("'", "%27") == expected


@pytest.mark.parametrize("url", ["oracle://db/prices", "prices.db", "mariadb://reader@db/prices?sslmode=require"])
def test_a_url_that_cannot_be_translated_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|TLS"):
        superset_url(url)


def test_only_the_address_of_the_database_changes() -> None:
    changed = {name for name, text in bundle_contents("sqlite:///it's.db").items() if text != bundle_files().get(name)}

    assert changed == {"databases/catalog.yaml"}
    assert "\nsqlalchemy_uri: 'sqlite:///it''s.db'\n" in bundle_contents("sqlite:///it's.db")["databases/catalog.yaml"]


def test_only_texts_have_the_type_of_texts() -> None:
    """A filter on a number would compare texts otherwise."""
    datasets = "".join(text for name, text in bundle_files().items() if name.startswith("datasets/"))
    texts = {"change_kind", "credit_notes", "description", "mode", "model_id", "model_name", "provider", "series"}
    exact = {"credit_cost_exact", "new_cost_exact", "old_cost_exact"}

    assert set(re.findall(r'column_name: "(\w+)"\n +type: "VARCHAR"', datasets)) == texts | exact


def test_an_error_of_superset_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class CommandInvalidError(Exception):
        """As Superset's: its text says little, its messages which file is wrong."""

        def normalized_messages(self) -> dict[str, list[str]]:
            return {"databases/catalog.yaml": ["Could not connect\nto it"]}

    def refuse(_url: str, _username: str) -> None:
        raise CommandInvalidError("Error importing dashboard")

    monkeypatch.setattr(load, "load", refuse)
    monkeypatch.setattr("sys.argv", ["load.py", "sqlite:////catalog.db"])

    with pytest.raises(SystemExit) as exit_:
        load.main()

    assert str(exit_.value).startswith("load.py: import failed: {'databases/catalog.yaml'")
    assert "\n" not in str(exit_.value)
