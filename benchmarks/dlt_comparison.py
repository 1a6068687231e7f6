"""The same work done by dlt with its scd2 merge. Runs in a separate venv; imports nothing of this project.

    python dlt_comparison.py URL BASE_URL FOLDER

Lists become child tables, which is dlt's default. FOLDER keeps what dlt remembers between runs.
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
        response = requests.get(f"{base_url}/studio/models", params={"mode": mode}, timeout=60)
        response.raise_for_status()
        yield orjson.loads(response.content)["data"]["models"]


def main(url: str, base_url: str, folder: str) -> None:
    # A dataset is a schema; on MariaDB this is a database, here the new one of the URL.
    kind, _, name = url.partition(":")[0], *url.rpartition("/")[1:]
    dataset = {"sqlite": "main", "postgresql": "bench"}.get(kind, name)
    destination = postgres(credentials=url) if kind == "postgresql" else sqlalchemy(credentials=url)
    pipeline = dlt.pipeline("bench", pipelines_dir=folder, destination=destination, dataset_name=dataset)
    scd2 = {"disposition": "merge", "strategy": "scd2"}
    pipeline.run(dlt.resource(models(base_url), name="models", write_disposition=scd2))


if __name__ == "__main__":
    main(*sys.argv[1:])
