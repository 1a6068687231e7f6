"""Accepted and rejected database URLs, and that no message or text shows a password."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import URL, make_url

from models_db.engine import masked_url, normalise_url, open_engine
from models_db.errors import DatabaseSettingError

ACCEPTED = {
    "postgres://u@h/d": "postgresql+psycopg://u@h/d",
    "postgresql://u:p%40ss@h:5433/d?sslmode=require": "postgresql+psycopg://u:p%40ss@h:5433/d?sslmode=require",
    "postgresql+psycopg:///d": "postgresql+psycopg:///d",
    "mysql://u@h/d": "mariadb+pymysql://u@h/d",
    "mysql+pymysql://u@h/d": "mariadb+pymysql://u@h/d",
    "mariadb://u@h/d": "mariadb+pymysql://u@h/d",
    "  mariadb+pymysql://u@h/d\n": "mariadb+pymysql://u@h/d",
    "sqlite:////a/b c%20d.db": "sqlite+pysqlite:////a/b c d.db",
    "sqlite:////a,b/c.db": "sqlite+pysqlite:////a%2Cb/c.db",
    "postgresql://u:a,b@h/d": "postgresql+psycopg://u:a%2Cb@h/d",
}

SEVERAL_HOSTS = {
    "postgresql://u:p@a:5432,b:5433/d": ("a,b", "5432,5433", None),
    "postgres://a,[::1]:77/d?sslmode=require": ("a,::1", ",77", None),
    "postgresql://a,b/d?target_session_attrs=any": ("a,b", ",", "any"),
    "mariadb://u@a:3307,b/d": ("a,b", "3307,", None),
}


@pytest.mark.parametrize(("given", "read"), ACCEPTED.items(), ids=ACCEPTED)
def test_a_url_gets_the_driver_of_this_project(given: str, read: str) -> None:
    assert normalise_url(given).render_as_string(hide_password=False) == read


@pytest.mark.parametrize(("given", "read"), SEVERAL_HOSTS.items(), ids=SEVERAL_HOSTS)
def test_several_hosts_are_accepted_in_the_syntax_of_libpq(given: str, read: tuple[str, str, str | None]) -> None:
    url = normalise_url(given)

    assert (url.query["host"], url.query["port"], url.query.get("target_session_attrs")) == read
    assert url.database == "d"


def test_several_hosts_are_printed_as_they_were_given() -> None:
    printed = masked_url(normalise_url("postgresql://u:hunter2@a:5432,b/d"))

    assert printed == "postgresql://u:***@a:5432,b/d"
    assert masked_url(normalise_url("mariadb://u:hunter2@a,b:3307/d")) == "mariadb://u:***@a,b:3307/d"


def test_a_relative_path_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert normalise_url("sqlite:///catalog.db").database == str(tmp_path / "catalog.db")


REJECTED = {
    "sqlite://": "does not name a file",
    "sqlite:///:memory:": "does not name a file",
    "sqlite:///file:a.db?uri=true": "does not name a file",
    "sqlite://host/a.db": "has more than a path",
    "sqlite:///a.db?mode=ro": "has more than a path",
    "oracle://u@h/d": "begins with oracle; use sqlite:///, postgresql:// or mariadb://",
    "postgresql+asyncpg://u@h/d": "begins with postgresql[+]asyncpg",
    "mariadb://u@h": "does not name a database",
    "no url": "cannot be read",
    "": "cannot be read",
    "sqlite:////folder/\udcff.db": "not characters in this locale; set LC_ALL=C.UTF-8",
}


@pytest.mark.parametrize(("given", "reason"), REJECTED.items(), ids=map(ascii, REJECTED))
def test_an_unusable_url_is_rejected_with_a_remedy(given: str, reason: str) -> None:
    with pytest.raises(DatabaseSettingError, match=reason):
        normalise_url(given)


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [("postgresql://u@h/d", "psycopg", "postgres"), ("mariadb://u@h/d", "pymysql", "mariadb")],
)
def test_a_missing_driver_is_reported_with_the_extra_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, url: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(
        DatabaseSettingError, match=rf"driver {module} is not installed; install the extra {extra}: .*pip install"
    ):
        normalise_url(url)


PASSWORD = "hunter2"
LEAKY = [
    "postgresql://u:hunter2",
    "postgresql://u:x@hunter2@h/d",
    "postgresql://u:x@y/hunter2@h/d",
    "postgresql://u:x@hunter2@h,i/d",
    "postgresql://u:x@y,z/hunter2@h/d",
    "postgresql://u:x@h:hunter2/d",
    "postgresql://u@h/d?password=hunter2",
    "mariadb://u@h/d?passwd=hunter2",
    "mariadb://u:hunter2@h",
    "oracle://u:hunter2@h/d",
    "u:hunter2@h/d",
    "hunter2://h/d@",
    "sqlite://u:hunter2@h/d",
]


@pytest.mark.parametrize("given", LEAKY)
def test_a_rejection_is_one_line_without_the_password(given: str) -> None:
    with pytest.raises(DatabaseSettingError) as rejection:
        normalise_url(given)

    printed = str(rejection.value)
    assert "\n" not in printed
    assert PASSWORD not in printed.replace("begins with hunter2", "")


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://u:hunter2@h/d",
        "postgresql://u@h/d?sslpassword=hunter2",
        "mariadb://u@h/d?ssl_key_password=hunter2",
    ],
)
def test_a_url_is_printed_without_its_secrets(given: str) -> None:
    printed = masked_url(make_url(given))

    assert PASSWORD not in printed
    assert "@h/d" in printed


def test_an_engine_is_printed_without_its_password() -> None:
    engine = open_engine("postgresql://u:hunter2@h/d")

    assert PASSWORD not in f"{engine!r} {engine.url}"


def test_a_missing_database_file_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(DatabaseSettingError, match=r"no database at .*none\.db; run catalog-sync migrate"):
        open_engine(f"sqlite:///{tmp_path}/none.db")

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_reported_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(DatabaseSettingError, match=f"make {tmp_path}/none, or correct the URL"):
        open_engine(f"sqlite:///{tmp_path}/none/a.db", create=True)


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?.db", "no#1.db", "ünï.db", "a%20b.db"])
def test_a_path_may_contain_any_character(tmp_path: Path, name: str) -> None:
    url = URL.create("sqlite", database=str(tmp_path / name)).render_as_string()
    engine = open_engine(url, create=True)
    with engine.connect():
        pass
    engine.dispose()

    assert (tmp_path / name).is_file()
