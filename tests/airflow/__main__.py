"""``make airflow-check``: the DAG in a real Airflow, with each exit code, and the states of its task in a table."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sync.cli.process.messages import print_line
from tests.airflow.scenarios import KEY, Scenario, scenarios
from tests.airflow.standalone import Standalone

_WITHIN_SECONDS = 600.0
_SHOWN_CHARACTERS = 100
_HEADER = ("scenario", "exit code", "states of the tries", "retried", "run in XCom", "last line of catalog-sync")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make airflow-check")
    parser.add_argument("programs", type=Path, help="the folder with the program airflow")
    parser.add_argument("--only", nargs="*", default=[], help="names of scenarios")
    parser.add_argument("--keep", action="store_true", help="keep the folder of Airflow")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="airflow-check-"))
    (folder / "catalogs").mkdir()
    (folder / "airflow").mkdir()
    try:
        with scenarios(folder / "catalogs") as made:
            chosen = [each for each in made if not arguments.only or each.name in arguments.only]
            return _checked(Standalone(folder / "airflow", arguments.programs.absolute()), chosen)
    finally:
        if arguments.keep:
            print_line(f"kept: {folder}")
        else:
            shutil.rmtree(folder)


def _checked(airflow: Standalone, chosen: list[Scenario]) -> int:
    with airflow.running(chosen):
        for scenario in chosen:
            airflow.add(scenario)
        states = airflow.finished([each.name for each in chosen], _WITHIN_SECONDS)
    print_line(_row(_HEADER))
    print_line(_row(["---"] * len(_HEADER)))
    wrong: list[str] = []
    for scenario in chosen:
        logs = airflow.task_logs(scenario.name)
        run = airflow.pushed_run(scenario.name)
        shown = [scenario.name, scenario.exit_code, ", ".join(states[scenario.name])]
        shown += ["yes" if len(states[scenario.name]) > 1 else "no", str(run["status"]) if run else ""]
        shown.append(_line(logs)[:_SHOWN_CHARACTERS].replace("|", "/"))
        print_line(_row(shown))
        wrong += _findings(scenario, states[scenario.name], logs)
    for finding in wrong:
        print_line(f"wrong: {finding}")
    return 1 if wrong else 0


def _findings(scenario: Scenario, states: list[str], logs: list[str]) -> list[str]:
    findings = []
    if tuple(states) != scenario.states:
        findings.append(f"{scenario.name}: its states are {states}, not {list(scenario.states)}")
    if scenario.has_line and not _line(logs):
        findings.append(f"{scenario.name}: its log has no line of catalog-sync")
    secrets = {KEY, scenario.settings.get("API_KEY", KEY), "made-up-password"}
    findings += [f"{scenario.name}: its log has a secret" for log in logs for each in secrets if each in log]
    return findings


def _line(logs: list[str]) -> str:
    """The last error line of catalog-sync in the logs, which are JSON Lines."""
    values = (json.loads(line) for log in logs for line in log.splitlines())
    found = [text for value in values for text in _texts(value) if "(exit code " in text and "Traceback" not in text]
    return found[-1].removeprefix("catalog-sync: ") if found else ""


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
