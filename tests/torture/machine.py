"""A Hypothesis state machine: random sequences of everything that can happen to a database.

After each step the database is compared with a model in Python.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from sync.catalog.modes import MODES
from sync.errors import ApiRefused, ApiUnreachable, CatalogSyncError
from tests.support.run_driver import HOUR
from tests.torture import ignore_steps
from tests.torture.database_under_test import EmptyDatabases
from tests.torture.expected_database import BAD_COST
from tests.torture.machine_steps import BASE_URL, MachineSteps
from tests.torture.moves import require_movable, require_movable_without_run
from tests.torture.progress import Progress

_EXAMPLES_PER_BATCH = 100
_STEPS_PER_EXAMPLE = 25
# The first examples of Hypothesis are the simplest ones; fewer than this would find little.
_MIN_EXAMPLES = 4

# The ids differ by case, by a blank and by an accent, which some collations ignore. Some of the costs are equal
# numbers in different spellings.
_ids = st.sampled_from(["a", "A", "a ", "b", "c", "d", "e", "ä"])
_costs = st.sampled_from([None, "0", "5", "5.0", "5e0", "0.049999999999999996", "7", "123456789012.5"])
_modes = st.sampled_from(MODES)
_base_urls = st.sampled_from([BASE_URL, "HTTPS://Example.org:443/", "https://staging.example.org"])
_paths = st.sampled_from(["params.x", "params.*", "models.name"])
_mode_selections = st.sampled_from([("image",), ("video",), MODES])


def run(databases: EmptyDatabases, progress: Progress) -> None:
    """Batches of examples until the part ends."""
    options, batch = progress.options, progress.options.first
    while progress.continues:
        progress.position = f"batch {batch}"
        machine = seed(options.seed * 10_000 + batch)(_machine_class(databases, progress))
        run_state_machine_as_test(machine, settings=_settings(progress))
        batch += 1


def _settings(progress: Progress) -> settings:
    remaining = progress.options.goal - progress.done
    return settings(
        max_examples=max(_MIN_EXAMPLES, min(_EXAMPLES_PER_BATCH, remaining // _STEPS_PER_EXAMPLE)),
        stateful_step_count=_STEPS_PER_EXAMPLE,
        deadline=None,  # a step takes seconds on a busy machine
        database=None,  # a failure is repeated by its seed
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


def _machine_class(databases: EmptyDatabases, progress: Progress) -> Any:
    """A class without arguments, as Hypothesis requires."""

    class BoundMachine(CatalogMachine):
        def __init__(self) -> None:
            super().__init__(databases, progress)

    return BoundMachine


class CatalogMachine(RuleBasedStateMachine):
    """Each rule is one step. A rule that does not touch the database changes what the next sync fetches."""

    def __init__(self, databases: EmptyDatabases, progress: Progress) -> None:
        super().__init__()
        self._progress = progress
        self._database = databases.new()
        self._steps = MachineSteps(self._database.__enter__())

    def teardown(self) -> None:
        self._database.__exit__(None, None, None)

    @initialize(image=st.dictionaries(_ids, _costs), video=st.dictionaries(_ids, _costs))
    def first_sync(self, image: dict[str, str | None], video: dict[str, str | None]) -> None:
        for mode, costs in (("image", image), ("video", video)):
            for model_id, cost in costs.items():
                self._steps.put_model(mode, model_id, cost, 0)
        self._do("syncs", self._steps.sync)

    @rule(mode=_modes, model_id=_ids, cost=_costs, extra=st.integers(0, 2))
    def put_model(self, mode: str, model_id: str, cost: str | None, extra: int) -> None:
        self._steps.put_model(mode, model_id, cost, extra)

    @rule(mode=_modes, model_ids=st.sets(_ids | st.just(5), max_size=8))
    def omit_models(self, mode: str, model_ids: set[object]) -> None:
        self._steps.omit_models(mode, model_ids)

    @rule(hours=st.integers(-48, 72))
    def set_clock(self, hours: int) -> None:
        self._steps.set_clock(hours)
        self._progress.add("clocks set back" if hours < 0 else "clocks set ahead")

    @rule(
        modes=_mode_selections,
        accept=st.booleans(),
        dry_first=st.sampled_from([False, False, True]),
        age=st.sampled_from([None, None, 0, 299, 3600]),
    )
    def sync(self, modes: tuple[str, ...], accept: bool, dry_first: bool, age: int | None) -> None:  # noqa: FBT001 - Hypothesis passes by name
        if dry_first:
            self._do("dry runs", lambda: self._steps.dry_run(modes))
        self._do("syncs", lambda: self._steps.sync(modes, accept=accept, age=age))

    @rule(modes=_mode_selections, minutes=st.integers(1, 20), age=st.integers(55, 3600), accept=st.booleans())
    def sync_of_an_older_copy(self, modes: tuple[str, ...], minutes: int, age: int, accept: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        """The copy may be older than what the previous step stored."""
        after = timedelta(minutes=minutes)
        self._do("syncs of an older copy", lambda: self._steps.sync(modes, accept=accept, age=age, after=after))

    @rule(modes=_mode_selections, age=st.sampled_from([3601, 7200, 2**31 - 1]))
    def sync_of_a_stale_copy(self, modes: tuple[str, ...], age: int) -> None:
        self._do("syncs of a stale copy", lambda: self._steps.sync(modes, age=age))

    @rule(mode=_modes, cost=_costs, accept=st.booleans())
    def sync_with_one_cost_for_all(self, mode: str, cost: str | None, accept: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        self._steps.set_costs(mode, cost)
        self._do("syncs with one cost for all models", lambda: self._steps.sync(accept=accept))

    @rule(mode=_modes, model_ids=st.sets(st.sampled_from("abuvwxyz"), min_size=1), accept=st.booleans())
    def sync_of_another_catalog(self, mode: str, model_ids: set[str], accept: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        step = lambda: self._steps.sync_of_another_catalog(mode, model_ids, accept=accept)  # noqa: E731
        self._do("syncs of another catalog", step)

    @rule(modes=_mode_selections, base_url=_base_urls)
    def sync_from_an_accepted_address(self, modes: tuple[str, ...], base_url: str) -> None:
        self._do("syncs from an accepted address", lambda: self._steps.sync(modes, base_url=base_url))

    @rule(modes=_mode_selections, base_url=_base_urls, hours=st.sampled_from([-30, -2, 0, 0, 0, 2, 10_000]))
    def refused_sync(self, modes: tuple[str, ...], base_url: str, hours: int) -> None:
        self._do(
            "refused syncs",
            lambda: self._steps.refused_sync(modes, server_is_behind=hours * HOUR, base_url=base_url),
        )

    @rule(mode=_modes)
    def incomplete_sync(self, mode: str) -> None:
        self._do("syncs of an incomplete response", lambda: self._steps.incomplete_sync(mode))

    @rule(
        modes=_mode_selections,
        failure=st.sampled_from([ApiUnreachable("unreachable"), ApiRefused("refused"), b"{", b'{"ok":true,"data":[]}']),
    )
    def failing_sync(self, modes: tuple[str, ...], failure: CatalogSyncError | bytes) -> None:
        self._do("failed syncs", lambda: self._steps.sync(failing=dict.fromkeys(modes, failure)))

    @rule(mode=_modes, model_id=_ids | st.just(5), extra=st.integers(0, 1), stays=st.booleans())
    def sync_with_a_malformed_model(self, mode: str, model_id: object, extra: int, stays: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        """The model replaces one with the same id. It stays malformed until it is omitted or put again."""
        self._steps.put_model(mode, model_id, BAD_COST, extra)
        self._do("syncs with a malformed model", self._steps.sync)
        if not stays:
            self._steps.omit_models(mode, {model_id})

    @rule(number=st.integers(1, 45), after=st.booleans())
    def crash(self, number: int, after: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        self._do("crashes", lambda: self._steps.crash(number, after=after))

    @rule(modes=_mode_selections, minutes=st.integers(-90, 90), accept=st.booleans())
    def import_line(self, modes: tuple[str, ...], minutes: int, accept: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        self._do("imports", lambda: self._steps.import_line(modes, minutes, accept=accept))

    @precondition(lambda self: self._steps.lines)
    @rule(back=st.integers(1, 5))
    def import_line_again(self, back: int) -> None:
        self._do("repeated imports", lambda: self._steps.import_line_again(back))

    @rule(path=_paths)
    def ignore(self, path: str) -> None:
        self._do("fields ignored", lambda: ignore_steps.ignore(self._steps, path))

    @precondition(lambda self: self._steps.expected.ignored)
    @rule(path=_paths)
    def end_ignoring(self, path: str) -> None:
        self._do("fields no longer ignored", lambda: ignore_steps.end_ignoring(self._steps, path))

    @rule(hours=st.integers(-1, 100))
    def prune(self, hours: int) -> None:
        self._do("prunes", lambda: self._steps.prune(hours))

    @rule(killed_at=st.none() | st.integers(1, 200))
    def move(self, killed_at: int | None) -> None:
        self._do("moves", lambda: require_movable(self._steps.url, killed_at))

    @rule(back=st.integers(1, 8))
    def move_without_run(self, back: int) -> None:
        self._do(
            "moves without a run", lambda: require_movable_without_run(self._steps.url, back, self._steps.expected.runs)
        )

    @rule(times=st.integers(1, 2))
    def migrate(self, times: int) -> None:
        self._do("migrations", lambda: self._steps.migrate(times))

    def _do(self, name: str, step: Callable[[], None]) -> None:
        step()
        self._steps.require_expected()
        self._progress.add(name)
        self._progress.count()
