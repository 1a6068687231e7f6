"""Faults G15 and G17: accounts without a home, and settings with mistyped names; and the modes of key files."""

from __future__ import annotations

import os
import pwd
import re
import sqlite3
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import create_engine

from models_db.engine.refusals import report_refusals
from models_db.errors import DatabaseSettingError
from sync import settings
from sync.cli.entry_point import setting_names
from sync.cli.process.environment import edits, require_known_names
from sync.errors import UsageError
from tests.cli.conftest import Shell
from tests.faults.conftest import on_mariadb
from tests.support.commands import PREFIX, error_line, output
from tests.support.docs_pages import page, section, table_rows
from tests.support.secrets_search import KEY


@pytest.fixture
def homeless(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell of an account that has neither HOME nor an entry in the list of accounts."""

    def no_entry(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", no_entry)
    monkeypatch.delenv("HOME")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    return shell


COMMANDS = [
    *(["sync"], ["sync", "--migrate"], ["schedule", "--every", "1h"], ["migrate"], ["migrate", "--check"], ["models"]),
    *(["changes"], ["show", "a"], ["costs", "a"], ["status"], ["verify"], ["prune", "--before", "1d"]),
    *(["import", "a.jsonl"], ["export", "a.jsonl"], ["ignore", "list"], ["ask", "current-costs"]),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_g15_an_account_without_a_home_is_exit_2_and_the_setting_is_named(homeless: Shell, command: list[str]) -> None:
    homeless.set(BASE_URL="http://127.0.0.1:9/api")
    line = error_line(homeless(*command), 2)
    assert "HOME is not set" in line
    assert "set CATALOG_SYNC_DATABASE_URL, or HOME" in line


def test_g15_an_account_without_a_home_can_name_its_files(homeless: Shell, tmp_path: Path) -> None:
    homeless.set(DATABASE_URL=f"sqlite:///{tmp_path}/catalog.db")
    output(homeless("migrate"))
    output(homeless("status"))
    output(homeless("ignore", "add", "models.rank", "--why", "noise"))
    assert "set --directory" in error_line(homeless("demo"), 2)
    output(homeless("demo", "--directory", str(tmp_path / "demo")))


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_g15_an_account_without_a_home_can_use_a_server(
    homeless: Shell, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    url = f"{scheme}://me@127.0.0.1:9/catalog"
    homeless.set(DATABASE_URL=url, DATABASE_TIMEOUT="1")
    assert "refused" in error_line(homeless("status"), 6)
    monkeypatch.setenv("PGSSLMODE", "verify-full")  # with which libpq looks for a certificate in the home
    assert "refused" in error_line(homeless("status"), 6)
    homeless.set(DATABASE_URL=f"{url}?sslmode=verify-full&sslrootcert=~/ca.pem")
    assert "there is no home directory for ~; write an absolute path" in error_line(homeless("status"), 2)


def test_g15_an_account_without_a_home_can_use_every_database(homeless: Shell, migrated_url: str) -> None:
    homeless.set(DATABASE_URL=migrated_url)
    assert "is at revision" in output(homeless("migrate", "--check"))
    output(homeless("status"))


@on_mariadb
def test_g15_an_account_without_a_name_must_be_in_the_url(
    homeless: Shell, migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pymysql.connections.DEFAULT_USER", None)  # what the driver found when it was imported
    homeless.set(DATABASE_URL=re.sub("//[^@]*@", "//", migrated_url))
    assert "names no user" in error_line(homeless("status"), 2)


def test_g15_the_line_of_libpq_for_an_account_without_a_name_is_a_wrong_setting() -> None:
    def connect() -> NoReturn:
        raise sqlite3.OperationalError("connection is bad: local user with ID 12345 does not exist")

    engine = create_engine("sqlite://", creator=connect)
    report_refusals(engine)
    with pytest.raises(DatabaseSettingError, match="names no user"):
        engine.connect()


@pytest.mark.parametrize("file", ["~/key", "~nobody-of-that-name/key"])
def test_g15_a_key_file_in_a_home_that_does_not_exist_is_named(homeless: Shell, sqlite_url: str, file: str) -> None:
    homeless.set(DATABASE_URL=sqlite_url, API_KEY=None, API_KEY_FILE=file)
    for command in (["sync"], ["schedule", "--every", "1h"]):
        assert "set CATALOG_SYNC_API_KEY_FILE to an absolute path" in error_line(homeless(*command), 2)
    error_line(homeless("synk"), 2)  # an error is printed though there is no key to mask


MISTYPED = {
    "CATALOG_SYNC_DATABSE_URL": "DATABASE_URL",
    "CATALOG_SYNC_DATABASE_ULR": "DATABASE_URL",
    "CATALOG_SYNC_DATABASEURL": "DATABASE_URL",
    "CATALOG_SYNC_DATABASE_URL_": "DATABASE_URL",
    "CATALOG_SYNC_database_url": "DATABASE_URL",
    "catalog_sync_database_url": "DATABASE_URL",
    "CATALOGSYNC_DATABASE_URL": "DATABASE_URL",
    "CATALOG_SNYC_DATABASE_URL": "DATABASE_URL",
    "CATALOG-SYNC-DATABASE_URL": "DATABASE_URL",
    "CATALOG_SYNC_DATABASE_URL_FILE": "DATABASE_URL",
    "CATALOG_SYNC_APIKEY": "API_KEY",
    "CATALOG_SYNC_API_KEY_FIEL": "API_KEY_FILE",
    "CATALOG_SYNC_CATALOGID": "CATALOG_ID",
    "CATALOG_SYNC_DEAD_LINE": "DEADLINE",
    "CATALOG_SYNC_MAX_MODEL": "MAX_MODELS",
    "CATALOG_SYNC_MAX_REMOVALS_COUNT": "MAX_REMOVAL_COUNT",
}
NOT_OURS = [
    *("CATALOG_SYNC_TEST_URL", "CATALOG_SYNC_SERVICE_HOST", "CATALOG_SYNC_SERVICE_PORT", "CATALOG_SYNC_PORT"),
    *("CATALOG_SYNC_PORT_8000_TCP", "CATALOG_SYNC_PORT_8000_TCP_ADDR", "CATALOG_SYNC_IMAGE_TAG", "CATALOG_SYNC_"),
    *("CATALOG", "SYNC", "RSYNC_PASSWORD", "XDG_CATALOG_DIRS", "DATABASE_URL", "API_KEY", "CATALOG_SYNC_API_KEY_OLD"),
]


@pytest.mark.parametrize("name", MISTYPED)
def test_g17_a_mistyped_setting_is_exit_2_with_the_nearest_one(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    monkeypatch.setenv(name, "a value that is not printed")
    for command in (["status"], ["migrate"], ["models", "--json"], ["status", "--debug"]):
        result = shell(*command)
        line = result.err.splitlines()[-1]
        assert (result.code, result.out) == (2, "")
        assert f"the environment has {name}, which is not a setting" in line
        assert f"rename it to {PREFIX}{MISTYPED[name]} or unset it" in line
        assert "a value" not in result.err
    for help_option in ("--help", "--version"):
        output(shell(help_option))
    output(shell("sync", "--help"))


def test_g17_names_of_orchestrators_and_other_programs_are_passed_over(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.set(DATABASE_URL=sqlite_url)
    for name in NOT_OURS:
        monkeypatch.setenv(name, "tcp://10.0.0.1:8000")
    output(shell("status"))


def test_g17_every_setting_of_the_readme_is_known_and_no_two_are_confused() -> None:
    listed = {row[0] for row in table_rows(section(page("README.md"), "## Settings"))}
    assert listed == setting_names()
    require_known_names(listed, listed)
    for name in listed:
        with pytest.raises(UsageError, match=f"rename it to {name} or"):
            require_known_names([f"{name}X"], listed)


@pytest.mark.parametrize(
    ("one", "other", "number"),
    [("", "", 0), ("ab", "ba", 1), ("abc", "ac", 1), ("abc", "axc", 1), ("abc", "xbx", 2), ("abc", "bca", 2)],
)
def test_g17_edits_are_counted(one: str, other: str, number: int) -> None:
    assert edits(one, other) == edits(other, one) == number
    assert edits(one, f"{other}more") > 2


class KeyFile:
    """A key file with a mode, an owner and a place, read by the account of a service."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.path, self._patch = folder / "key", patch
        self.path.write_text(f"{KEY}\n")

    def owned_by_root(self) -> None:
        stat = Path.stat

        def with_owner(path: Path, **options: bool) -> os.stat_result:
            status = stat(path, **options)
            return os.stat_result((*status[:4], 0, *status[5:])) if path == self.path else status

        self._patch.setattr(Path, "stat", with_owner)

    def read(self, mode: int, **environ: str) -> str:
        self.path.chmod(mode)
        return settings.api_key({"CATALOG_SYNC_API_KEY_FILE": str(self.path), **environ})


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFile:
    monkeypatch.setattr("os.geteuid", lambda: 10001)
    return KeyFile(tmp_path, monkeypatch)


def test_a_plain_users_key_file_is_readable_by_its_owner_only(key_file: KeyFile) -> None:
    for mode in (0o600, 0o400):
        assert key_file.read(mode) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o440, 0o660, 0o604, 0o644, 0o444, 0o666])
def test_a_plain_users_key_file_that_others_can_read_is_refused(
    key_file: KeyFile, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    owner = key_file.path.stat().st_uid or 1000
    os.chown(key_file.path, owner, -1)
    with pytest.raises(UsageError, match="run chmod 600 on it"):
        key_file.read(mode)


def test_a_key_file_with_nothing_in_it_is_named(key_file: KeyFile) -> None:
    key_file.path.write_text("\n")
    with pytest.raises(UsageError, match="key is empty; write the API key into it"):
        key_file.read(0o600)


def test_a_key_file_that_root_hands_to_the_group_of_a_service_is_accepted(key_file: KeyFile) -> None:
    """Also systemd's: 0440, root's, and an access list for the account."""
    key_file.owned_by_root()
    for mode in (0o640, 0o440):
        assert key_file.read(mode) == KEY
    for mode in (0o644, 0o444, 0o660, 0o650, 0o604):
        with pytest.raises(UsageError, match=f"as root, run chgrp {os.getegid()} and chmod 640 on it"):
            key_file.read(mode)


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o444, 0o640, 0o644])
def test_a_credential_of_systemd_is_accepted_with_any_mode(key_file: KeyFile, mode: int) -> None:
    assert key_file.read(mode, CREDENTIALS_DIRECTORY=str(key_file.path.parent)) == KEY


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o444, 0o640, 0o644])
def test_a_secret_volume_of_kubernetes_is_accepted_at_any_path(tmp_path: Path, mode: int) -> None:
    """The files of a volume are links to links to a folder with the time of the secret's version."""
    version = tmp_path / "..2026_03_01_12_00_00.123456789"
    version.mkdir()
    (version / "api_key").write_text(KEY)
    (version / "api_key").chmod(mode)
    (tmp_path / "..data").symlink_to(version.name)
    (tmp_path / "api_key").symlink_to("..data/api_key")

    assert settings.api_key({"CATALOG_SYNC_API_KEY_FILE": str(tmp_path / "api_key")}) == KEY


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_file_that_is_mounted_by_itself_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """A target path in Docker Swarm, subPath in Kubernetes, ``docker -v FILE:FILE``."""
    folder = tmp_path / "with a blank"
    folder.mkdir()
    file = KeyFile(folder, monkeypatch)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"overlay / overlay rw 0 0\ntmpfs {file.path!s} tmpfs ro 0 0\n".replace("a blank", "a\\040blank"))
    mounts.write_text(mounts.read_text().replace("with a", "with\\040a"))
    with pytest.raises(UsageError, match="run chmod 600 on it"):
        file.read(mode)

    monkeypatch.setattr(settings, "MOUNTS", mounts)

    assert file.read(mode) == KEY


def test_a_secret_of_docker_swarm_is_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Swarm mounts ``/run/secrets/NAME`` with mode 0444; ``/var/run`` is a link to ``/run``."""
    real = Path.resolve
    secret = KeyFile(tmp_path, monkeypatch)

    def as_mounted(path: Path, **options: bool) -> Path:
        return Path("/run/secrets/api_key") if path == secret.path else real(path, **options)

    monkeypatch.setattr(Path, "resolve", as_mounted)
    assert secret.read(0o444) == KEY
