"""What a campaign needs of a cluster of database servers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

PostgreSQLKind: TypeAlias = Literal[
    "fail over",
    "restart",
    "restart three times",
    "kill a standby",
    "freeze a standby",
    "freeze the primary",
    "thaw after a promotion",
    "kill PgBouncer",
]
GaleraKind: TypeAlias = Literal["kill", "freeze", "majority"]
Kind: TypeAlias = PostgreSQLKind | GaleraKind

KILLS: dict[Kind, int] = {
    "fail over": 1,
    "restart": 1,
    "restart three times": 3,
    "kill a standby": 1,
    "thaw after a promotion": 1,
    "kill": 1,
    "majority": 2,
}
"""The database servers that each kind of failure kills."""
FREEZES: frozenset[Kind] = frozenset({"freeze", "freeze a standby", "freeze the primary", "thaw after a promotion"})


class Cluster(Protocol):
    """A cluster whose servers a campaign makes fail."""

    kinds: tuple[Kind, ...]
    """What can be done to it, the more often the likelier."""

    def urls(self, database: str = "catalog") -> Mapping[str, str]:
        """The URLs with all hosts, as a user would write them, each under the name of its path to the servers."""

    def urls_to_check(self, database: str = "catalog") -> list[str]:
        """A URL for each server that must have every acknowledged run. Never while servers fail."""

    def make_database(self, name: str) -> None:
        """Makes an empty database at a server that takes writes. Raises ``DBAPIError`` while there is none."""

    def drop_database(self, name: str) -> None: ...

    def disturb(self, kind: Kind, chance: random.Random) -> None:
        """Makes servers fail, and returns when the cluster is whole again."""

    def stop(self) -> None: ...
