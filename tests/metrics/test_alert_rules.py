"""The alert rules for Prometheus: made from the table of outcomes, and tested by promtool."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from sync.errors import Outcome
from sync.metrics import alert_rules
from sync.metrics.alert_rules import RULES_FILE, SILENT, TESTS_FILE, rules, rules_text
from sync.metrics.alert_tests import TESTS
from tests.support.database_servers import required
from tests.support.docs_pages import ROOT, page, section


@pytest.fixture
def promtool() -> str:
    """The program that checks rules. Where there is none the tests are skipped, or fail if it is required."""
    program = shutil.which("promtool")
    if program is None:
        missing = "promtool not found; install Debian's package prometheus"
        if "promtool" in required():
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    return program


def test_the_files_are_those_that_the_program_makes() -> None:
    assert (ROOT / RULES_FILE).read_text() == rules_text()
    assert (ROOT / TESTS_FILE).read_text() == alert_rules.tests_text()


def test_each_outcome_has_an_alert_with_its_meaning_and_action_or_a_reason_for_none() -> None:
    texts = [rule.summary + rule.description for rule in rules()]
    alerted = {
        outcome
        for outcome in Outcome
        if any(
            f"(exit code {int(outcome)})" in text and outcome.meaning in text and outcome.action in text
            for text in texts
        )
    }

    assert alerted == set(Outcome) - set(SILENT)


def test_each_alert_fires_in_a_test() -> None:
    assert {name for test in TESTS for name in test.fires} == {rule.name for rule in rules()}


def test_the_page_names_every_alert() -> None:
    described = section(page("docs/monitoring.md"), "## Alerts")

    assert [rule.name for rule in rules() if not re.search(rf"`(?:CatalogSync)?{rule.name[11:]}`", described)] == []


@pytest.mark.parametrize(
    "arguments",
    [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"], ["check", "config", "prometheus.yml"]],
    ids=" ".join,
)
def test_promtool_finds_nothing(promtool: str, arguments: list[str]) -> None:
    result = subprocess.run(
        [promtool, *arguments], cwd=ROOT / RULES_FILE.parent, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
