"""The homes of deploy/: they follow the table of outcomes, and run commands of the program within its limits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import pytest
from ruamel.yaml import YAML

from sync.cli.commands import cli
from sync.errors import Outcome
from sync.settings import NOT_OPTIONS, PREFIX
from tests.support.docs_pages import ROOT, page, table_rows

DEPLOY = ROOT / "deploy"
USER = 10001
STOP_SECONDS = 10
"""Within which each command ends after SIGTERM."""
RUN_SECONDS = 60 + 2 * 60
"""DEADLINE, and DATABASE_TIMEOUT before the requests and after them."""
EVERY_SECONDS = 15 * 60
HARDENED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
NO_FAILURE = sorted(outcome for outcome in Outcome if outcome and outcome.action == "nothing")
FOR_A_PERSON = sorted(outcome for outcome in Outcome if not outcome.retry_helps and outcome.action != "nothing")


def documents(path: str) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(page(f"deploy/{path}")))


KUBERNETES = sorted(f"kubernetes/{file.name}" for file in (DEPLOY / "kubernetes").iterdir())
HOMES = ["Dockerfile", "compose.yaml", "crontab.example"]
HOMES += sorted(file.name for file in DEPLOY.iterdir() if file.suffix in {".service", ".timer"})
MANIFESTS = [document for name in KUBERNETES for document in documents(name)]
COMPOSE = documents("compose.yaml")[0]
SERVICES = COMPOSE["services"]
PROGRAM = {name: service for name, service in SERVICES.items() if service["image"] == "catalog-sync"}


def of_kind(kind: str) -> list[Any]:
    return [document for document in MANIFESTS if document["kind"] == kind]


def jobs() -> list[Any]:
    cron_jobs = [document["spec"]["jobTemplate"]["spec"] for document in of_kind("CronJob")]
    return [*(document["spec"] for document in of_kind("Job")), *cron_jobs]


def pods() -> list[Any]:
    return [
        each["template"]["spec"] for each in [*jobs(), *(deployment["spec"] for deployment in of_kind("Deployment"))]
    ]


def containers() -> list[Any]:
    return [container for pod in pods() for container in pod["containers"]]


def probes(container: dict[str, Any]) -> Iterator[list[str]]:
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        if name in container and "exec" in container[name]:
            yield container[name]["exec"]["command"]


def commands() -> Iterator[list[str]]:
    """The arguments of each command of the program in the manifests and in the compose file."""
    for container in containers():
        yield container["args"]
        yield from (arguments for _, *arguments in probes(container))
    for service in PROGRAM.values():
        yield service["command"]
        test = service["healthcheck"].get("test", ["", ""])[1]
        yield from (shlex.split(found) for found in re.findall(r"catalog-sync ([^>|]+)", test))


def unit(name: str, setting: str) -> str:
    (value,) = re.findall(rf"^{setting}=(.*)$", page(f"deploy/{name}.service"), re.MULTILINE)
    return str(value)


@pytest.mark.parametrize("job", jobs())
def test_a_job_is_tried_again_where_the_table_of_outcomes_says_that_it_helps(job: dict[str, Any]) -> None:
    rules = [
        (rule["action"], rule["onExitCodes"]) for rule in job["podFailurePolicy"]["rules"] if "onExitCodes" in rule
    ]

    assert rules == [
        ("Ignore", {"operator": "In", "values": NO_FAILURE}),
        ("FailJob", {"operator": "In", "values": FOR_A_PERSON}),
    ]
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # or Kubernetes refuses the policy
    assert job["backoffLimit"] > 0


def test_the_units_follow_the_table_of_outcomes() -> None:
    assert list(map(int, unit("catalog-sync", "SuccessExitStatus").split())) == NO_FAILURE
    assert list(map(int, unit("catalog-sync-schedule", "RestartPreventExitStatus").split())) == FOR_A_PERSON


def test_the_program_accepts_every_command_of_the_homes() -> None:
    documented = list(commands())

    assert len(documented) > len(containers())
    for command, *arguments in documented:
        cli.commands[command].make_context(command, list(arguments), help_option_names=["-h", "--help"])


@pytest.mark.parametrize("pod", pods())
def test_a_pod_has_the_user_of_the_image_and_no_more_rights_than_it_needs(pod: dict[str, Any]) -> None:
    context = pod["securityContext"]

    assert context["runAsNonRoot"]
    assert {context["runAsUser"], context["runAsGroup"]} == {USER}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["automountServiceAccountToken"]
    for container in pod["containers"]:
        assert container["securityContext"] == HARDENED
        assert container["resources"]["limits"]["memory"]


def test_the_numbers_of_the_users_agree() -> None:
    assert f"USER {USER}\n" in page("deploy/Dockerfile")
    assert {service["user"] for service in PROGRAM.values()} == {f"{USER}:{USER}"}


def test_the_time_limits_leave_room_for_those_of_the_program() -> None:
    (sync,) = [each["spec"] for each in of_kind("CronJob") if each["metadata"]["name"] == "catalog-sync"]

    assert sync["concurrencyPolicy"] == "Forbid"
    assert RUN_SECONDS < sync["jobTemplate"]["spec"]["activeDeadlineSeconds"] < EVERY_SECONDS
    assert all(job["activeDeadlineSeconds"] > RUN_SECONDS for job in jobs())
    assert all(pod["terminationGracePeriodSeconds"] >= 2 * STOP_SECONDS for pod in pods())
    assert all(service["stop_grace_period"] == f"{2 * STOP_SECONDS}s" for service in PROGRAM.values())
    assert int(unit("catalog-sync-schedule", "TimeoutStopSec")) >= 2 * STOP_SECONDS


def test_the_pods_name_settings_of_the_program_and_keys_of_the_secret() -> None:
    settings = {option.envvar for command in cli.commands.values() for option in command.params}
    (config,), (secret,) = of_kind("ConfigMap"), of_kind("Secret")
    used = {
        item["key"] for pod in pods() for volume in pod["volumes"] for item in volume.get("secret", {}).get("items", ())
    }
    used |= {each["valueFrom"]["secretKeyRef"]["key"] for container in containers() for each in container["env"]}

    assert config["data"].keys() <= settings | {PREFIX + name for name in NOT_OPTIONS}
    assert used == secret["stringData"].keys()


@pytest.mark.parametrize("name", list(SERVICES))
def test_a_service_of_compose_is_not_root_and_cannot_write_to_its_image(name: str) -> None:
    service = SERVICES[name]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert set(service["secrets"]) <= COMPOSE["secrets"].keys()


def test_compose_migrates_when_the_database_is_healthy_and_schedules_when_that_is_done() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert SERVICES["catalog-sync"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert SERVICES["database"]["healthcheck"]["test"][1] == "pg_isready"


def test_the_page_of_homes_names_every_file() -> None:
    named = set(re.findall(r"\(\.\./deploy/([^)]+)\)", "".join(row[1] for row in table_rows(page("docs/homes.md")))))

    assert {name for name in named if not (DEPLOY / name).exists()} == set()
    assert set(HOMES) <= named


@pytest.mark.parametrize("name", [*HOMES, *KUBERNETES])
def test_a_home_begins_with_what_it_was_tried_with(name: str) -> None:
    beginning = takewhile(lambda line: line.startswith("#"), page(f"deploy/{name}").splitlines())

    assert any("Tried with: " in line for line in beginning)
