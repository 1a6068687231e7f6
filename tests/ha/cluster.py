"""What a campaign needs of a cluster of database servers."""

from __future__ import annotations

import random
from typing import Literal, Protocol

Kind = Literal["kill", "freeze", "majority"]


class Cluster(Protocol):
    """A cluster whose servers a campaign makes fail."""

    kinds: tuple[Kind, ...]
    """What can be done to it, the more often the likelier."""

    @property
    def url(self) -> str:
        """The URL with all hosts, as a user would write it."""

    def urls_to_check(self) -> list[str]:
        """A URL for each server that must have every acknowledged run."""

    def disturb(self, kind: Kind, chance: random.Random) -> None:
        """Makes servers fail, and returns when the cluster is whole again."""

    def stop(self) -> None: ...
