"""Fault A1 over TLS, with real certificates: which of them are accepted, and the error lines for the others."""

from __future__ import annotations

import ssl

import pytest

from tests.support.certificates import Authority, over_tls
from tests.support.commands import error_line, output
from tests.support.rude_server import RudeServer
from tests.support.synced_database import STATUS, SyncedDatabase, image, video


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority")).make()


@pytest.fixture
def synced(synced_sqlite: SyncedDatabase, monkeypatch: pytest.MonkeyPatch) -> SyncedDatabase:
    """A synced database, in an environment that does not name a certificate authority."""
    # requests reads these variables, and a developer may have set them.
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    return synced_sqlite


def server(context: ssl.SSLContext) -> RudeServer:
    return RudeServer(over_tls(context, image=image(), video=video()), before_request=True)


def refused(synced: SyncedDatabase, context: ssl.SSLContext, host: str = "localhost") -> str:
    before = synced.catalog()
    with server(context) as api:
        line = error_line(synced.shell("sync", "--accept-base-url", "--base-url", f"https://{host}:{api.port}/api"), 4)
    synced.require_unchanged(before)
    assert synced.query(STATUS)[-1] == ("failed",)
    return line


def test_a1_a_private_authority_is_accepted_when_the_environment_names_it(
    synced: SyncedDatabase, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with server(authority.certificate()) as api:
        printed = output(synced.shell("sync", "--accept-base-url", "--base-url", f"https://localhost:{api.port}/api"))

    assert "run 2 success: image 4 models: nothing changed" in printed


def test_a1_an_unknown_authority_is_exit_4_and_the_line_names_the_setting_for_it(
    synced: SyncedDatabase, authority: Authority
) -> None:
    line = refused(synced, authority.certificate())

    assert "the TLS certificate is not valid (unable to get local issuer certificate" in line
    assert "for a private certificate authority, set REQUESTS_CA_BUNDLE to its file" in line


def test_a1_a_certificate_for_another_host_is_exit_4(
    synced: SyncedDatabase, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    line = refused(synced, authority.certificate("api.example"))

    assert "Hostname mismatch, certificate is not valid for 'localhost'" in line


def test_a1_an_expired_certificate_is_exit_4(
    synced: SyncedDatabase, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    line = refused(synced, authority.certificate(days=-1))

    assert "certificate has expired" in line
    assert "check this host's clock" in line
