"""The notify file: values, and every mistake by its destination, without the value of a URL."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.notify.destinations import DEFAULT_KINDS, parse_notify_file
from tests.support.docs_pages import ROOT, blocks, page

SECRET = "json://host/s3cr3t"
GOOD = f'[[destination]]\nname = "ops"\nurl = "{SECRET}"\n'


def test_a_short_destination_gets_every_kind_but_changed() -> None:
    [destination] = parse_notify_file(GOOD).destinations

    assert (destination.name, destination.url, destination.kinds) == ("ops", SECRET, DEFAULT_KINDS)
    assert destination.stale_after == timedelta(hours=26)
    assert not destination.each_event
    assert "s3cr3t" not in repr(destination)


def test_every_key_is_read() -> None:
    text = (
        '[[destination]]\nname = "a b-c.d"\nurl_file = "x"\nkinds = ["increase", "stale"]\nmode = "image"\n'
        'provider = "acme"\nmodel = ["m*", "n"]\nmin_pct = 5\nmin_delta = 0.5\neach = "event"\nstale_after = "2h"\n'
    )
    [destination] = parse_notify_file(text).destinations

    assert destination.kinds == {"increase", "stale"}
    assert (destination.url_file, destination.mode, destination.each_event) == ("x", "image", True)
    assert (destination.providers, destination.models) == (frozenset(["acme"]), ("m*", "n"))
    assert (destination.min_pct, destination.min_delta) == (5.0, 0.5)
    assert destination.stale_after == timedelta(hours=2)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "it has no [[destination]]"),
        ("[destination]\nname = 'a'", "destination is not a list of tables: begin each with [[destination]]"),
        ("a = = 'json://h/s3cr3t'", "it is not TOML at line 1, column 5"),
        (GOOD + GOOD, 'destination "ops" has the name of another one'),
        (GOOD + GOOD.replace("ops", "OPS"), 'destination "OPS" has the name of another one'),
        ("destinations = []", '"destinations" is unknown: write destination'),
        ('[[destination]]\nname = "a"', 'destination "a" needs either url or url_file'),
        (GOOD + 'url_file = "x"', 'destination "ops" needs either url or url_file'),
        (GOOD + 'kinds = ["increse"]', 'destination "ops" has the kind "increse", which is unknown: write increase'),
        (GOOD + "kinds = []", 'destination "ops" has kinds that are not a list of texts'),
        (GOOD + 'kinds = "held"', 'destination "ops" has kinds that are not a list of texts'),
        (GOOD + "min_pc = 3", 'destination "ops" has "min_pc", which is unknown: write min_pct'),
        (GOOD + 'min_pct = "3"', 'destination "ops" has a min_pct that is not a number from 0 on'),
        (GOOD + "min_pct = nan", 'destination "ops" has a min_pct that is not a number from 0 on'),
        (GOOD + "min_delta = true", 'destination "ops" has a min_delta that is not a number from 0 on'),
        (GOOD + "min_delta = -1", 'destination "ops" has a min_delta that is not a number from 0 on'),
        (GOOD + 'mode = "audio"', 'destination "ops" has mode "audio", which is neither image nor video'),
        (GOOD + 'each = "day"', 'destination "ops" has each "day", which is neither run nor event'),
        (GOOD + "provider = 3", 'destination "ops" has a provider that is neither a text nor a list of texts'),
        (GOOD + "model = []", 'destination "ops" has a model that is neither a text nor a list of texts'),
        (GOOD + 'stale_after = "soon"', 'destination "ops" has a stale_after that is not a duration such as 2h'),
        (GOOD + 'stale_after = "0h"', 'destination "ops" has a stale_after that is not a duration such as 2h'),
        (
            '[[destination]]\nname = "a"\nurl = "s3cr3t"',
            'destination "a" has a url that is not of the form service://...',
        ),
        ('[[destination]]\nname = "a"\nurl = 3', 'destination "a" has a url that is not a text'),
        (
            f'[[destination]]\nname = "{SECRET}"\nurl = "{SECRET}"',
            "destination 1 needs a name of letters, digits, blanks, dots and hyphens",
        ),
        (
            GOOD + f'mode = "{SECRET}"',
            'destination "ops" has mode a text that looks like a secret, which is neither image nor video',
        ),
    ],
)
def test_a_mistake_is_named_and_no_secret(text: str, mistake: str) -> None:
    found = parse_notify_file(text)

    assert found.destinations == ()
    assert mistake in found.mistakes
    assert "s3cr3t" not in " ".join(found.mistakes)


def test_all_mistakes_are_named_at_once() -> None:
    text = GOOD + 'kinds = ["a"]\nmode = 3\n[[destination]]\nurl = "x"\n'

    assert len(parse_notify_file(text).mistakes) == 4


def test_the_files_of_the_documentation_are_right() -> None:
    example = parse_notify_file((ROOT / "deploy" / "notify.toml.example").read_text())
    short = parse_notify_file(blocks(page("docs/notify.md"), "toml")[0])

    assert (example.mistakes, short.mistakes) == ((), ())
    assert [each.name for each in example.destinations] == ["finance", "ops", "budget-bot"]


@pytest.mark.parametrize("value", [f"0x{'f' * 5000}", "9" * 400, "9" * 5000, "1e16", "-1", "nan", "true"])
@pytest.mark.parametrize("key", ["min_pct", "mode"])
def test_a_number_of_any_size_is_a_mistake_and_no_crash(key: str, value: str) -> None:
    assert len(parse_notify_file(f"{GOOD}{key} = {value}\n").mistakes) == 1


def test_a_wrong_table_is_not_quoted() -> None:
    [mistake] = parse_notify_file(f'{GOOD}each = {{ token = "s3cr3t" }}\n').mistakes

    assert "s3cr3t" not in mistake
