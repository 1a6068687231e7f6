"""What measured syncs stand beside: dlt with its scd2 merge, on the same answers. Runs in a venv of its own.

    python dlt_comparison.py SHAPE URL BASE_URL FOLDER

SHAPE is ``child`` (lists become child tables, as dlt does unless told) or ``json`` (nested values
become JSON columns, which is cheaper). Imports nothing of ours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import dlt
import orjson
import requests
from dlt.destinations import postgres, sqlalchemy


def models(base_url: str) -> Iterator[list[dict[str, Any]]]:
    for mode in ("image", "video"):
        answer = requests.get(f"{base_url}/studio/models", params={"mode": mode}, timeout=60)
        answer.raise_for_status()
        yield orjson.loads(answer.content)["data"]["models"]


def main(shape: str, url: str, base_url: str, folder: str) -> None:
    destination = postgres(credentials=url) if url.startswith("postgresql:") else sqlalchemy(credentials=url)
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=folder,
        destination=destination,
        dataset_name="main" if url.startswith("sqlite") else "bench",
    )
    source = dlt.resource(
        models(base_url),
        name="models",
        write_disposition={"disposition": "merge", "strategy": "scd2"},
        max_table_nesting=0 if shape == "json" else None,
    )
    pipeline.run(source)


if __name__ == "__main__":
    main(*sys.argv[1:])
