"""The alert rules for Prometheus, made from the table of outcomes.

``python -m sync.metrics.alert_rules`` in the project folder writes deploy/prometheus/alerts.yml and its tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.errors import Outcome
from sync.metrics import names
from sync.metrics.alert_tests import TESTS, AlertTest

RULES_FILE = Path("deploy/prometheus/alerts.yml")
TESTS_FILE = Path("deploy/prometheus/alerts_test.yml")

_ON = "on (job, instance)"
_BY = "by (job, instance)"
_STALE_SECONDS = 7200
"""Two hours, as in the check of the systemd units: several intervals of a sync each 15 minutes."""


@dataclass(frozen=True)
class Rule:
    """An alert."""

    name: str
    expression: str
    wait: str
    """For how long the expression must be true."""
    severity: str
    summary: str
    description: str

    def lines(self) -> Iterator[str]:
        yield f"- alert: {self.name}"
        yield f"  expr: {_text(self.expression)}"
        yield f"  for: {self.wait}"
        yield f"  labels: {{severity: {self.severity}}}"
        yield "  annotations:"
        yield f"    summary: {_text(self.summary)}"
        yield f"    description: {_text(self.description)}"


def _ended(label: str) -> str:
    """A run ended so in the last day, and not every mode was observed since the last run began."""
    made_good = (
        f"min {_BY} ({names.LAST_SUCCESS}) >= {_ON} (max {_BY} ({names.LAST_RUN}) - {_ON} max {_BY}"
        f" ({names.RUN_DURATION}))"
    )
    return f'{names.RUNS_LAST_DAY}{{outcome="{label}"}} > 0 unless {_ON} ({made_good})'


# What holds for as long as an outcome concerns somebody. Those that are not here concern nobody.
_CONDITIONS = {
    Outcome.REFUSED: _ended("refused"),
    Outcome.USAGE: _ended("usage"),
    Outcome.UNEXPECTED: _ended("unexpected"),
    Outcome.DATABASE: _ended("database"),
    Outcome.UNREACHABLE: _ended("unreachable"),
    # A model that stays rejected is reported once: the alert ends a day after the run.
    Outcome.REJECTED: f'{names.RUNS_LAST_DAY}{{outcome="rejected"}} > 0',
    Outcome.HELD: f'{names.MODELS}{{state="held"}} > 0',
    Outcome.CHECK_FAILED: f"time() - {names.LAST_SUCCESS} > {_STALE_SECONDS}",
}
SILENT = {
    Outcome.DONE: "success",
    Outcome.SUPERSEDED: "another run did the work",
    Outcome.INTERRUPTED: "somebody stopped the run",
    Outcome.TERMINATED: "somebody stopped the run",
}
"""The outcomes without an alert, and why."""
# Before a run that failed is repeated, and for one that may succeed without any action.
_AT_ONCE, _LATER = "1m", "1h"


def rules() -> tuple[Rule, ...]:
    """Every alert."""
    return (*map(_rule_of, _CONDITIONS), *_OTHER_RULES)


def _rule_of(outcome: Outcome) -> Rule:
    what = "A check failed" if outcome is Outcome.CHECK_FAILED else f"A sync ended as {outcome.label}"
    return Rule(
        _OWN_NAMES.get(outcome) or f"CatalogSync{outcome.label.title()}",
        _CONDITIONS[outcome],
        _LATER if outcome.retry_helps else _AT_ONCE,
        "warning" if outcome.retry_helps else "critical",
        f"{what} (exit code {int(outcome)}) at {{{{ $labels.instance }}}}: {outcome.meaning}.",
        f"What to do: {outcome.action}. Stored: {outcome.stored}. The runs and their error lines: catalog-sync status.",
    )


_OWN_NAMES = {Outcome.CHECK_FAILED: "CatalogSyncStale"}
_OTHER_RULES = (
    Rule(
        "CatalogSyncNeverSucceeded",
        f"{names.REQUEST_ATTEMPTS} unless {_ON.replace(')', ', mode)')} {names.LAST_SUCCESS}",
        _LATER,
        "critical",
        "Mode {{ $labels.mode }} was requested at {{ $labels.instance }}, and never synced successfully.",
        "What to do: run catalog-sync status, and do what the error line of the last run says.",
    ),
    Rule(
        "CatalogSyncAbandoned",
        _ended("abandoned"),
        _AT_ONCE,
        "warning",
        "A sync at {{ $labels.instance }} has no end: its process or its machine was killed.",
        "What to do: look for the out-of-memory killer, a time limit and a restart in the system's log. Nothing of the"
        " run is stored, and the next one catches up.",
    ),
    Rule(
        "CatalogSyncDown",
        'up{job="catalog-sync"} == 0',
        "5m",
        "critical",
        "catalog-sync schedule gives no metrics at {{ $labels.instance }}.",
        "What to do: open /metrics there. No response: the process is not running. A response with status 503 says why"
        " the database cannot be read.",
    ),
    Rule(
        "CatalogSyncMetricsFileOld",
        f'time() - node_textfile_mtime_seconds{{file=~".*catalog[-_]sync.*"}} > {_STALE_SECONDS}',
        _AT_ONCE,
        "critical",
        "The metrics file {{ $labels.file }} at {{ $labels.instance }} was not written for two hours.",
        "What to do: check that cron or the timer starts the sync; if it does, the error line of the run says why the"
        " file was not written. What the file says is as old as the file.",
    ),
)


def rules_text() -> str:
    """The file of rules."""
    head = [
        "# Made by python -m sync.metrics.alert_rules from the table of outcomes; docs/monitoring.md explains it.",
        "groups:",
        "- name: catalog-sync",
        "  rules:",
    ]
    return "\n".join([*head, *_indented(line for rule in rules() for line in rule.lines()), ""])


def tests_text() -> str:
    """The file of tests, for ``promtool test rules``."""
    by_name = {rule.name: rule for rule in rules()}
    head = [
        "# Made by python -m sync.metrics.alert_rules. Run it: promtool test rules alerts_test.yml",
        "rule_files: [alerts.yml]",
        "evaluation_interval: 10m",
        "tests:",
    ]
    return "\n".join([*head, *(line for test in TESTS for line in _test_lines(test, by_name)), ""])


def _test_lines(test: AlertTest, by_name: dict[str, Rule]) -> Iterator[str]:
    yield f"- name: {_text(test.name)}"
    yield "  interval: 1m"
    yield "  input_series:"
    for series, values in test.series.items():
        yield f"  - {{series: {_text(series)}, values: {_text(values)}}}"
    yield "  alert_rule_test:"
    for name, rule in by_name.items():
        expected = _expected(rule, test.fires.get(name))
        yield f"  - {{eval_time: {test.at}, alertname: {name}, exp_alerts: {json.dumps(expected, ensure_ascii=False)}}}"


def _expected(rule: Rule, labels: dict[str, str] | None) -> list[object]:
    if labels is None:
        return []
    texts = {"summary": rule.summary, "description": rule.description}
    for label, value in labels.items():
        texts = {key: text.replace(f"{{{{ $labels.{label} }}}}", value) for key, text in texts.items()}
    return [{"exp_labels": {"severity": rule.severity, **labels}, "exp_annotations": texts}]


def _text(text: str) -> str:
    """A text of YAML: one of JSON is one."""
    return json.dumps(text, ensure_ascii=False)


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


if __name__ == "__main__":
    RULES_FILE.write_text(rules_text(), encoding="utf-8")
    TESTS_FILE.write_text(tests_text(), encoding="utf-8")
