"""Calculates in plain Python which rows of ``rejected_models`` a mode must have."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class ExpectedRejection:
    """A rejected model as it was sent, and from when to when."""

    model_id: str | None
    extra: int
    since: datetime
    not_before: datetime | None
    until: datetime | None = None

    @property
    def row(self) -> tuple[Any, ...]:
        return self.model_id, self.extra, self.since, self.until, self.not_before


@dataclass
class ExpectedRejections:
    """The rejected models of one mode. All of one id are rejected for the same reason."""

    rows: list[ExpectedRejection] = field(default_factory=list)

    def apply(
        self,
        sent: Iterable[tuple[str | None, int]],
        accepted: set[str],
        stamp: datetime,
        *,
        not_before: datetime | None,
        missing_is_certain: bool,
    ) -> tuple[bool, bool]:
        """Takes the rejected models of a response; whether a row changed, and whether a model is to be reported.

        ``sent`` are their ids and what else they have, ``accepted`` the ids of the other models.
        """
        sent = set(sent)
        before = [row for row in self.rows if row.until is None]
        ids = {model_id for model_id, _ in sent}
        known_ids, known = {row.model_id for row in before}, {(row.model_id, row.extra) for row in before}
        for row in before:
            is_sent_otherwise = row.model_id is None or row.model_id in ids or row.model_id in accepted
            if (row.model_id, row.extra) not in sent and (is_sent_otherwise or missing_is_certain):
                row.until = stamp
        opened = [
            ExpectedRejection(
                model_id,
                extra,
                stamp,
                next((row.not_before for row in before if model_id and row.model_id == model_id), not_before),
            )
            for model_id, extra in sent - known
        ]
        self.rows += opened
        changed = bool(opened) or any(row.until == stamp for row in before)
        return changed, any(
            model_id not in known_ids if model_id else (model_id, extra) not in known for model_id, extra in sent
        )
