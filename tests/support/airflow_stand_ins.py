"""Stand-ins for what the files of ``deploy/airflow`` import from Airflow, which is not installed for the tests.

``make airflow-check`` runs the same files in a real Airflow.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, ClassVar, Self


class AirflowException(Exception):
    """The task fails, and is retried as often as it may be."""


class AirflowFailException(AirflowException):
    """The task fails for good."""


class AirflowSkipException(AirflowException):
    """The task is skipped."""


class AirflowNotFoundException(AirflowException):
    """There is no such connection."""


@dataclass
class Connection:
    password: str | None = None
    extra: str | None = None
    stored: ClassVar[dict[str, Connection]] = {}

    @property
    def extra_dejson(self) -> Any:
        try:
            return json.loads(self.extra or "{}")
        except ValueError:
            return {}

    @classmethod
    def get(cls, name: str) -> Connection:
        if name not in cls.stored:
            raise AirflowNotFoundException(f"the conn_id {name} isn't defined")
        return cls.stored[name]


class DAG:
    """Keeps its options, and the tasks that are made in its block."""

    open: ClassVar[DAG | None] = None

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.tasks: list[Any] = []

    def __enter__(self) -> Self:
        DAG.open = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        DAG.open = None


class BaseOperator:
    def __init__(self, **options: Any) -> None:
        self.options = options
        self.log = logging.getLogger("airflow.task")
        if DAG.open is not None:
            DAG.open.tasks.append(self)


@dataclass
class Task:
    """A function that a DAG runs as a task."""

    function: Callable[[], Any]
    options: dict[str, Any]

    def __call__(self) -> None:
        if DAG.open is not None:
            DAG.open.tasks.append(self)


def task(**options: Any) -> Callable[[Callable[[], Any]], Task]:
    return lambda function: Task(function, options)


class TaskInstance:
    """Keeps what a task pushes to XCom."""

    def __init__(self, try_number: int = 1) -> None:
        self.try_number = try_number
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


MASKED: list[str] = []
"""What was given to ``mask_secret``."""


@contextmanager
def loaded(path: Path) -> Iterator[ModuleType]:
    """The module of a DAG file, which sees the stand-ins and no connection."""
    Connection.stored.clear()
    MASKED.clear()
    names: dict[str, dict[str, object]] = {
        "airflow": {},
        "airflow.sdk": {"DAG": DAG, "BaseOperator": BaseOperator, "Connection": Connection, "task": task},
        "airflow.sdk.exceptions": {each.__name__: each for each in _EXCEPTIONS},
        "airflow.sdk.log": {"mask_secret": MASKED.append},
    }
    modules = {name: ModuleType(name) for name in names}
    for name, contents in names.items():
        vars(modules[name]).update(contents)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.update(modules)
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        for name in modules:
            del sys.modules[name]


_EXCEPTIONS = (AirflowException, AirflowFailException, AirflowSkipException, AirflowNotFoundException)
