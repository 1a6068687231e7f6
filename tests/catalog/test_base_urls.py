"""Which base URLs are the same address."""

from __future__ import annotations

import pytest

from sync.catalog.base_urls import is_same_source

ADDRESS = "https://api.example/partner/v1"
SAME = [
    *("https://api.example/partner/v1/", "HTTPS://API.example/partner/v1", "https://api.example:443/partner/v1"),
    *("https://api.example:/partner/v1", "https://api.example./partner/v1", "https://api.example/p%61rtner/v1"),
]
OTHER = [
    *("http://api.example/partner/v1", "https://api.example:8443/partner/v1", "https://www.api.example/partner/v1"),
    *("https://api.example/partner/V1", "https://api.example/partner/v2", "https://api.example/partner"),
    *("https://api.example", "https://api.example/v1/partner", "https://api.example.org/partner/v1", "not a URL"),
    *("https://api.example/staging/partner/v1", "https://[::1]/partner/v1", "https://[api/partner/v1"),
]


@pytest.mark.parametrize("spelling", SAME)
def test_another_spelling_is_the_same_source(spelling: str) -> None:
    assert is_same_source(ADDRESS, spelling)
    assert is_same_source(spelling, ADDRESS)


@pytest.mark.parametrize("other", OTHER)
def test_another_address_is_another_source(other: str) -> None:
    assert not is_same_source(ADDRESS, other)
    assert not is_same_source(other, ADDRESS)
    assert is_same_source(other, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://[::1]:8080/v1", "http://[0:0:0:0:0:0:0:1]:8080/v1"),
        ("https://münchen.example/v1", "https://XN--MNCHEN-3YA.example/v1"),
        ("https://api.example/ü", "https://api.example/%C3%BC"),
    ],
)
def test_two_spellings_of_a_host_or_a_path_are_the_same_source(one: str, other: str) -> None:
    assert is_same_source(one, other)
