"""The files of deploy/: units that report their failures, and what checks them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sync.cli.commands import cli
from tests.support.docs_pages import ROOT

DEPLOY = ROOT / "deploy"
PROGRAM = "/opt/catalog-sync/bin/catalog-sync"
UNITS = [path.name for path in sorted(DEPLOY.glob("*.service")) if PROGRAM in path.read_text()]
TOOLS = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
MAILS = DEPLOY / "catalog-sync-failed@.service"


def check(folder: Path, *parts: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", ".ci/check-deploy", *parts]
    environment = os.environ | {"PATH": TOOLS}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def settings(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", (DEPLOY / unit).read_text(), re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in (".ci", "deploy"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_tools_that_are_installed_find_nothing_and_the_others_are_named() -> None:
    result = check(ROOT)

    assert result.returncode == 0, result.stderr
    for tool in ("systemd-analyze", "hadolint"):
        assert shutil.which(tool, path=TOOLS) or f"not checked with {tool}" in result.stderr


@pytest.mark.parametrize("damage", [("DynamicUser=yes", "DynamicUsr=yes"), ("CapabilityBoundingSet=\n", "")])
def test_a_misspelt_setting_and_a_unit_with_too_many_rights_are_found(copy: Path, damage: tuple[str, str]) -> None:
    unit = copy / "deploy" / "catalog-sync-check.service"
    unit.write_text(unit.read_text().replace(*damage))
    result = check(copy, "units")

    if shutil.which("systemd-analyze", path=TOOLS):
        assert result.returncode == 1
        assert "catalog-sync-check.service" in result.stderr
    else:
        assert "not checked with systemd-analyze" in result.stderr


@pytest.mark.parametrize(
    ("part", "name", "setting"),
    [("compose", "compose.yaml", "read_only"), ("kubernetes", "kubernetes/cronjob.yaml", "concurrencyPolicy")],
)
def test_a_misspelt_field_of_a_container_is_found(copy: Path, part: str, name: str, setting: str) -> None:
    file = copy / "deploy" / name
    file.write_text(file.read_text().replace(setting, setting[:-1]))
    result = check(copy, part)

    assert result.returncode == 1
    assert setting[:-1] in result.stderr


def test_the_units_that_run_the_program_are_a_sync_a_schedule_and_a_check() -> None:
    assert UNITS == ["catalog-sync-check.service", "catalog-sync-schedule.service", "catalog-sync.service"]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_reports_its_failure_and_has_a_limit_of_memory(unit: str) -> None:
    assert settings(unit, "OnFailure") == ["catalog-sync-failed@%n.service"]
    assert settings(unit, "MemoryMax")
    assert settings(unit, "User") == ["catalog-sync"]


@pytest.mark.parametrize("unit", [unit for unit in UNITS if settings(unit, "Type") == ["oneshot"]])
def test_a_unit_that_ends_has_a_timer(unit: str) -> None:
    assert (DEPLOY / unit).with_suffix(".timer").exists()


def test_the_mail_of_a_failure_names_unit_and_host_and_has_the_last_lines(tmp_path: Path) -> None:
    (line,) = settings(MAILS.name, "ExecStart")
    for specifier, value in {"%i": "catalog-sync.service", "%H": "box", "%%": "%", "$$": "$"}.items():
        line = line.replace(specifier, value)
    command = shlex.split(line.replace("/usr/sbin/sendmail", "sendmail"))
    for name, script in {
        "journalctl": 'echo "lines of $1"',
        "sendmail": 'cat >"$0.got"; echo "$@" >"$0.arguments"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "MAILTO": "ops@example.com"}
    subprocess.run(command, env=environment, check=True)

    assert (tmp_path / "sendmail.arguments").read_text() == "-t\n"
    assert (tmp_path / "sendmail.got").read_text().splitlines() == [
        "To: ops@example.com",
        "Subject: catalog-sync.service failed on box",
        "",
        "lines of --unit=catalog-sync.service",
    ]


def test_the_health_check_of_the_container_is_a_command_of_the_program() -> None:
    found = re.search(
        r'HEALTHCHECK .*\\\n +CMD \["sh", "-c", "catalog-sync (\S+) ([^>"]*)', (DEPLOY / "Dockerfile").read_text()
    )

    assert found is not None
    cli.commands[found[1]].make_context(found[1], found[2].split(), help_option_names=["-h", "--help"])
