"""A Hypothesis state machine: any order of what may happen to a database, against a model in Python."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from sync.catalog.modes import MODES
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError
from tests.torture.database_under_test import Ground
from tests.torture.expected_database import BAD_COST
from tests.torture.machine_steps import MachineHost
from tests.torture.progress import Ledger

_EXAMPLES_AT_ONCE = 100
_STEPS = 25
# Hypothesis begins with the plainest examples.
_FEWEST_EXAMPLES = 4

_ids = st.sampled_from(["a", "A", "a ", "b", "c", "d", "e", "ä"])
_costs = st.sampled_from([None, "0", "5", "5.0", "5e0", "0.049999999999999996", "7", "123456789012.5"])
_modes = st.sampled_from(MODES)
_which = st.sampled_from([("image",), ("video",), MODES])


def run(ground: Ground, ledger: Ledger) -> None:
    """Examples until so many steps were taken."""
    order, batch = ledger.order, ledger.order.first
    while ledger.goes_on:
        ledger.place = f"batch {batch}"
        run_state_machine_as_test(
            seed(order.seed * 10_000 + batch)(_machine(ground, ledger)), settings=_settings(ledger)
        )
        batch += 1


def _settings(ledger: Ledger) -> settings:
    left = ledger.order.goal - ledger.done
    return settings(
        max_examples=max(_FEWEST_EXAMPLES, min(_EXAMPLES_AT_ONCE, left // _STEPS)),
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def _machine(ground: Ground, ledger: Ledger) -> Any:
    class Bound(Machine):
        def __init__(self) -> None:
            super().__init__(ground, ledger)

    return Bound


class Machine(RuleBasedStateMachine):
    """What may happen. After each step the database is compared with the model, and proved."""

    def __init__(self, ground: Ground, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger
        self._use = ground.database()
        self._host = MachineHost(self._use.__enter__())

    def teardown(self) -> None:
        self._use.__exit__(None, None, None)

    @initialize(image=st.dictionaries(_ids, _costs), video=st.dictionaries(_ids, _costs))
    def begin(self, image: dict[str, str | None], video: dict[str, str | None]) -> None:
        for mode, costs in (("image", image), ("video", video)):
            for model_id, cost in costs.items():
                self._host.put(mode, model_id, cost, 0)
        self._did("syncs", self._host.sync)

    @rule(mode=_modes, model_id=_ids, cost=_costs, extra=st.integers(0, 2))
    def a_model_comes_or_changes(self, mode: str, model_id: str, cost: str | None, extra: int) -> None:
        self._host.put(mode, model_id, cost, extra)

    @rule(mode=_modes, model_ids=st.sets(_ids, max_size=8))
    def models_vanish(self, mode: str, model_ids: set[str]) -> None:
        self._host.vanish(mode, model_ids)

    @rule(hours=st.integers(-48, 72))
    def the_clock_is_set(self, hours: int) -> None:
        self._host.move_clock(hours)
        self._ledger.add("clocks set back" if hours < 0 else "clocks set on")

    @rule(modes=_which, accept=st.booleans(), dry_first=st.sampled_from([False, False, True]))
    def sync(self, modes: tuple[str, ...], accept: bool, dry_first: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        if dry_first:
            self._did("dry runs", lambda: self._host.dry_run(modes))
        self._did("syncs", lambda: self._host.sync(modes, accept=accept))

    @rule(modes=_which, how=st.sampled_from([ApiUnreachable("away"), ApiRefused("no"), b"{", b'{"ok":true,"data":[]}']))
    def sync_that_fails(self, modes: tuple[str, ...], how: CatalogSyncError | bytes) -> None:
        self._did("syncs that failed", lambda: self._host.sync(failing=dict.fromkeys(modes, how)))

    @rule(mode=_modes, model_id=_ids | st.just(5))
    def sync_with_a_malformed_model(self, mode: str, model_id: object) -> None:
        bad = {"id": model_id, "credits": {"default_cost": BAD_COST}, "params": {"x": 0}}
        self._did("syncs with a malformed model", lambda: self._host.sync(malformed={mode: bad}))

    @rule(number=st.integers(1, 45), after=st.booleans())
    def crash(self, number: int, after: bool) -> None:  # noqa: FBT001 - as above
        self._did("crashes", lambda: self._host.crash(number, after=after))

    @rule(modes=_which, minutes=st.integers(-90, 90), accept=st.booleans())
    def import_a_line(self, modes: tuple[str, ...], minutes: int, accept: bool) -> None:  # noqa: FBT001 - as above
        self._did("imports", lambda: self._host.import_line(modes, minutes, accept=accept))

    @precondition(lambda self: self._host.lines)
    @rule(back=st.integers(1, 5))
    def import_a_line_again(self, back: int) -> None:
        self._did("imports again", lambda: self._host.import_again(back))

    @rule(hours=st.integers(-1, 100))
    def prune(self, hours: int) -> None:
        self._did("prunes", lambda: self._host.prune(hours))

    @rule(times=st.integers(1, 2))
    def migrate(self, times: int) -> None:
        self._did("migrations", lambda: self._host.migrate(times))

    def _did(self, what: str, step: Any) -> None:
        step()
        self._host.compare()
        self._ledger.add(what)
        self._ledger.count()
