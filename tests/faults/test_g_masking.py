"""Faults G19 and G20: a proxy that repeats its password, and secrets that are words of the messages."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from sync.composition.masking import masker
from sync.composition.vocabulary import program_words
from sync.source.api_key import key_forms
from sync.source.http.response_check import ResponseValidator
from sync.source.http.session import HttpResponse
from sync.source.masking import Vocabulary, make_mask
from tests.cli.conftest import Shell
from tests.support.commands import error_line, output
from tests.support.database_contents import every_row
from tests.support.rude_server import RudeServer, response, says
from tests.support.secrets_search import KEY, PASSWORD, require_hidden

PROXY_PASSWORD = f"{PASSWORD}&1"
BASIC = base64.b64encode(f"me:{PROXY_PASSWORD}".encode()).decode()
ECHOES = {
    "as it is": PROXY_PASSWORD,
    "escaped for a URL": PROXY_PASSWORD.replace("&", "%26"),
    "escaped for HTML": PROXY_PASSWORD.replace("&", "&amp;"),
    "in capitals": PROXY_PASSWORD.upper(),
    "as the header": f"Basic {BASIC}",
}


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "407 {}", "403 Forbidden", "502 {}"])
@pytest.mark.parametrize("echo", ECHOES)
def test_g19_a_proxy_that_repeats_its_password_is_masked_on_stderr_and_in_the_table(
    shell: Shell, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, echo: str, status: str
) -> None:
    page = f"<html><body>Wrong password: {ECHOES[echo]}</body></html>".encode()
    with RudeServer(says(response(status.format(ECHOES[echo]), page))) as proxy:
        address = proxy.url.removeprefix("http://").partition("/")[0]
        url = f"http://me:{PROXY_PASSWORD.replace('&', '%26')}@{address}"
        monkeypatch.setenv("HTTPS_PROXY", url)
        shell.set(DATABASE_URL=sqlite_url, BASE_URL="https://api.example/v1", ATTEMPTS="1")
        for debug in ([], ["--debug"]):
            ended = shell(*debug, "sync", "--json")
            assert ended.code == 4
            assert BASIC not in ended.out + ended.err
    stored = repr(every_row(sqlite_url))
    require_hidden(stored)
    assert BASIC not in stored


@pytest.mark.parametrize("echo", ECHOES)
@pytest.mark.parametrize("kind", ["page", "message", "type", "location", "cut"])
def test_g19_what_is_quoted_from_a_response_has_no_password_of_a_proxy(echo: str, kind: str) -> None:
    environ = {"https_proxy": f"http://me:{PROXY_PASSWORD.replace('&', '%26')}@proxy.example:3128"}
    validator = ResponseValidator("http://h/models", "http://h", "image", KEY, masker(environ, KEY))
    text = ECHOES[echo]
    headers, status, body = {
        "page": ({}, 200, f"<html>{text}</html>".encode()),
        "message": ({}, 407, json.dumps({"ok": False, "code": 407, "message": f"no {text}"}).encode()),
        "type": ({"Content-Type": f"text/{text}"}, 502, b"x"),
        "location": ({"Location": f"https://{text}.example/"}, 302, b""),
        "cut": ({}, 500, b"<html>" + b"x" * 64 + text.encode()),
    }[kind]
    error = str(validator.check(HttpResponse(status, headers, body)))

    require_hidden(error)
    assert BASIC not in error


WORDS = ["catalog", "sync", "status", "database", "password", "postgres", "failed", "again", "run", "Catalog", "admin"]


@pytest.mark.parametrize("password", WORDS)
def test_g20_a_password_that_is_a_word_of_the_messages_hides_no_word(shell: Shell, password: str) -> None:
    environ = {"CATALOG_SYNC_DATABASE_URL": f"postgresql://{password}:{password}@127.0.0.1:9/{password}"}
    shell.set(DATABASE_URL=environ["CATALOG_SYNC_DATABASE_URL"], DATABASE_TIMEOUT="1")
    for command in (["status"], ["migrate"], ["models"], ["sync"], ["status", "--synk"]):
        assert "[hidden]" not in error_line(shell(*command), 2 if "--synk" in command else 6)
    for text in (
        "catalog-sync: the database failed: nothing of this step was stored; ask catalog-sync status",
        "password authentication failed for user; run catalog-sync sync again",
        f"the catalog of postgresql://{password}:***@127.0.0.1:9/{password} is at revision 0005",
    ):
        assert masker(environ)(text) == text


@pytest.mark.parametrize("password", [*WORDS, "abc"])
@pytest.mark.parametrize(
    "text",
    [
        "connecting to postgresql://me:{}@host/db",
        "password={}",
        "{{'user': 'me', 'password': '{}'}}",
        '{{"passwd": "{}"}}',
        "your password is {}",
        "Proxy-Authorization: Bearer {}",
        "PGPASSWORD={}",
        "the token: {}.",
    ],
)
def test_g20_such_a_password_is_hidden_where_it_stands_as_a_secret(password: str, text: str) -> None:
    mask = masker({"CATALOG_SYNC_DATABASE_URL": f"postgresql://me:{password}@host/db"})

    assert mask(text.format(password)) == text.format("[hidden]")


def test_g20_an_api_key_that_is_made_of_words_hides_no_word() -> None:
    mask = masker({}, "catalog-database.status-migrate")
    own = "the database failed: run catalog-sync status, then catalog-sync migrate"

    assert mask(own) == own
    assert "status-migrate" not in mask("no key catalog-database.status-migrate here")
    assert "catalog-database" not in mask("Bearer catalog-database.status-migrate")


@pytest.mark.parametrize("password", ["hunter2", "rainbow", "Tr0ub4dor&3", "correcthorsebatterystaple", "p%40ss word"])
def test_g20_any_other_password_is_hidden_wherever_it_stands(password: str) -> None:
    mask = masker({"CATALOG_SYNC_DATABASE_URL": f"mariadb://me:{password}@host/db"})

    for text in ("{}", "x{}y", "no {} here", "({})", "{}-sync"):
        assert mask(text.format(password)) == text.format("[hidden]")


@pytest.mark.parametrize(
    ("environ", "secret"),
    [
        ({"PGPASSWORD": PASSWORD}, PASSWORD),
        ({"CATALOG_SYNC_DATABASE_URL": f"postgresql://h/d?sslpassword={PASSWORD}&x=1"}, PASSWORD),
        ({"ALL_PROXY": f"socks5://u:{PASSWORD}@h"}, PASSWORD),
        ({"CATALOG_SYNC_API_KEY": KEY}, KEY),
    ],
)
def test_g20_secrets_of_every_source_are_hidden(environ: dict[str, str], secret: str) -> None:
    require_hidden(masker(environ)(f"connection failed with {secret}"))


def test_g20_a_part_of_an_address_is_no_word_if_it_may_be_of_the_password() -> None:
    for password in ("xkcd/Host", "xkcd?Host", "xkcd@Host", "xkcd#Host"):
        mask = masker({"CATALOG_SYNC_DATABASE_URL": f"postgresql://me:{password}@host/db"})
        assert mask(f"the host {password} is unknown") == "the host [hidden] is unknown"


def test_g20_the_words_are_those_of_the_program() -> None:
    words = program_words()
    assert words.has("catalog-sync status")
    assert not any(words.has(secret.lower()) for secret in (KEY, PASSWORD, *key_forms(KEY)))


def test_g20_many_occurrences_cost_no_more_than_their_text() -> None:
    words = Vocabulary.of("catalog")
    mask = make_mask(["catalog", "secret-catalog"], lambda: words)
    text = "catalog" * 20_000  # one token, and no word

    assert mask(text) == "[hidden]"


def test_g20_a_run_with_such_a_password_and_key_prints_its_line(
    shell: Shell, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://success:success@proxy.example")
    shell.set(DATABASE_URL=sqlite_url, API_KEY="gva_live_models.unchanged")
    body = json.dumps({"ok": True, "code": 200, "message": "", "data": {"mode": "image", "total": 0, "models": []}})
    image = says(response("200 OK", body.encode()))
    with RudeServer(image=image, video=says(response("200 OK", body.replace("image", "video").encode()))) as api:
        printed = output(shell("sync", "--base-url", api.url))
    assert printed.startswith("run 1 success: ")
    assert "[hidden]" not in printed
