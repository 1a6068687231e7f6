"""The exit code that stands for several."""

from __future__ import annotations

import pytest

from sync.errors import ExitCode, worst


@pytest.mark.parametrize("code", sorted(ExitCode))
def test_one_code_stands_for_itself(code: ExitCode) -> None:
    assert worst([code, code]) is code


@pytest.mark.parametrize("code", sorted(set(ExitCode) - {ExitCode.DONE}))
def test_done_never_hides_another_code(code: ExitCode) -> None:
    assert worst([ExitCode.DONE, code]) is code


def test_the_order_of_codes_is_the_documented_one() -> None:
    order = [6, 3, 4, 5, 7, 8, 0]

    assert [int(worst(map(ExitCode, order[place:]))) for place in range(len(order))] == order


def test_no_codes_are_done() -> None:
    assert worst([]) is ExitCode.DONE
