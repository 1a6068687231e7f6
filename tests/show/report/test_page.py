"""The page of a report: what it says, and that no text of the API becomes a part of it."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest

from sync.catalog.history.report_data import Acceptance, Held, IgnoredField, RejectedModel, WatchedMode
from sync.show.report import cards
from sync.show.report.page import GENERATOR, ReportHead, report_page
from tests.support.report_values import (
    BEGIN,
    END,
    HEAD,
    LONG,
    MARKUP,
    REVERSING,
    RIGHT_TO_LEFT,
    WIDE,
    day,
    event,
    intervals,
    model,
    page,
    report,
)


class _Reader(HTMLParser):
    """The tags of a page, its attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._skipped = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._skipped = tag if tag in ("style", "script") else self._skipped

    def handle_endtag(self, tag: str) -> None:
        self._skipped = "" if tag == self._skipped else self._skipped

    def handle_data(self, data: str) -> None:
        self.text += "" if self._skipped else f"{data} "


def text(html: str) -> str:
    return " ".join(_Reader(html).text.split())


def test_an_empty_catalog_has_a_page_that_says_so() -> None:
    printed = text(page(mode_begins={}, watched=[WatchedMode("image", None, frozenset())]))

    assert "This catalog has no successful sync yet" in printed
    assert "Held back now: nothing" in printed
    assert "Net movers" not in printed


def test_a_period_before_the_history_says_when_that_begins() -> None:
    printed = text(page(mode_begins={"image": END + timedelta(days=1)}))

    assert "Nothing was observed in this period: the history begins at 2026-05-31 00:00 UTC." in printed


def test_a_period_that_begins_before_the_history_is_cut_to_it() -> None:
    printed = text(page([model("acme/a", (10, "1"))], mode_begins={"image": day(10)}))

    assert "2026-03-11 00:00 to 2026-05-30 00:00 UTC (80 days)" in printed
    assert "the report was asked for from 2026-03-01 00:00 on" in printed
    assert "1 model unchanged" in printed


def test_a_single_model_that_never_changed_has_a_whole_report() -> None:
    printed = text(page([model("acme/a", (-5, "1.25"))]))

    assert "Models listed 1 1 image" in printed
    assert "No model that was listed at both ends has another cost." in printed
    assert "No cost changed and no model came or went." in printed
    assert "1 model unchanged" in printed
    assert "Acme image 1 1 1.25 1.25 1.25" in printed


def test_the_summary_counts_models_providers_changes_and_days() -> None:
    models = [model("acme/a", (-5, "1")), model("b/b", (-5, None), provider="B"), model("c/c", (-5, "1"), (9, "gone"))]
    events = [
        event("acme/a", "increase", "1", "2"),
        event("acme/a", "decrease", "2", "1"),
        event("x", "added", None, "1"),
    ]
    printed = text(page(models, events))

    assert "Models listed 2 2 image" in printed
    assert "Providers 2 1 model without a cost" in printed
    assert "▲ Costs up 1 changes in the period ▼ Costs down 1" in printed
    assert "Other events 1 1 added" in printed
    assert "Last successful sync 10d 0h ago, 2026-05-20 00:00 UTC" in printed
    assert "80 of 90 days without a successful sync" in printed


def test_days_before_the_first_that_is_on_record_are_not_counted() -> None:
    days = frozenset({f"{day(60):%Y-%m-%d}"})
    html = page([model("acme/a", (-5, "1"))], watched=[WatchedMode("image", day(80), days, day(60).date())])
    later = page([model("acme/a", (-5, "1"))], watched=[WatchedMode("image", day(80), days, day(95).date())])

    assert "29 of 30 days without a successful sync" in text(html)
    assert re.findall(r'class="o(?:n|ff)" d="M([\d.]+) ', html) == ["677.78", "666.67"]
    assert "; not on record" in text(later)


def test_a_row_of_the_feed_has_old_new_delta_percent_and_both_times() -> None:
    printed = text(page([], [event("acme/a", "increase", "2", "2.5")]))

    assert "2026-03-11 00:00 after 2026-03-10 00:00 acme/a Acme · image ▲ up 2 2.5 +0.5 +25.00 %" in printed


def test_an_added_model_has_no_old_cost_and_a_removed_one_no_new_cost() -> None:
    printed = text(page([], [event("a", "added", None, "3"), event("b", "removed", "4", None)]))

    assert "a Acme · image new 3 2026" in printed
    assert "b Acme · image removed 4 Providers" in printed


def test_a_price_from_zero_is_a_new_price_without_a_percentage() -> None:
    printed = text(page([model("acme/a", (-5, "0"), (10, "3"))]))

    assert "acme/a Acme · image 0 3 ▲ up 3 new price" in printed
    assert "inf" not in printed.lower().replace("information", "")


@pytest.mark.parametrize(
    ("costs", "mean"),
    [
        (["0", "123456789012.1234"], "61728394506.0617"),
        (["1", "1", "2"], "1.3333"),
        (["0.000001", "0.000002", "0.000002"], "0.00000166667"),
        (["0"], "0"),
        ([None], ""),
    ],
)
def test_a_mean_has_four_decimals_or_six_digits(costs: list[str | None], mean: str) -> None:
    html = page([model(f"a{number}", (-5, cost)) for number, cost in enumerate(costs)])

    assert re.findall(r'class="n mean">(.*?)<', html) == [mean]


def test_the_largest_moves_come_first() -> None:
    html = page([model("a", (-5, "10"), (9, "11")), model("b", (-5, "10"), (9, "2")), model("c", (-5, "0"), (9, "1"))])
    movers = html[html.index('id="movers"') : html.index('id="feed"')]

    assert re.findall(r'class="id">(\w)<', movers) == ["b", "a", "c"]


def test_what_waits_for_a_person_is_listed() -> None:
    printed = text(
        page(
            held=[Held("image", 7, "costs", ("acme/a", "acme/b"), 2)],
            rejected=[RejectedModel("video", None, "id is missing", day(3), None)],
            rejected_count=12,
            ignored=[IgnoredField("models.rank", day(2), day(4), "kim", "noise")],
            accepted=[Acceptance(9, day(5), {"by": "kim", "why": "asked", "removals": {"image": 3}})],
        )
    )

    assert "image: costs of 2 models held back run 7 acme/a, acme/b" in printed
    assert "Rejected models 12 The newest 1. video: a model without a readable id since 2026-03-04 00:00" in printed
    assert "models.rank 2026-03-03 00:00 to 2026-03-05 00:00 noise (by kim)" in printed
    assert "kim accepted 3 removals of image run 9, 2026-03-06 00:00 asked" in printed


def test_markup_in_any_text_stays_text() -> None:
    hostile = report_page(
        report(
            [model(MARKUP, (-5, "1"), (9, "2"), name=MARKUP, provider=MARKUP)],
            [event(MARKUP, "increase", "1", "2", provider=MARKUP)],
            held=[Held("image", 7, "costs", (MARKUP,), 1)],
            rejected=[RejectedModel("video", MARKUP, MARKUP, day(3), None)],
            rejected_count=1,
            ignored=[IgnoredField(MARKUP, day(2), None, MARKUP, MARKUP)],
            accepted=[Acceptance(9, day(5), {"by": MARKUP, "why": MARKUP, "base_url": {"to": MARKUP}})],
            other_changes={MARKUP: 3},
        ),
        ReportHead(MARKUP, END, "1.2.3", "image", MARKUP),
    )
    plain = _Reader(page([model("a", (-5, "1"), (9, "2"))]))
    read = _Reader(hostile)

    assert {tag for tag, _ in read.tags} - {tag for tag, _ in plain.tags} == {"ul", "li", "br", "details", "summary"}
    assert [attributes for tag, attributes in read.tags if tag == "script"] == [{}]
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "style"]
    assert read.text.count(MARKUP) > 12


@pytest.mark.parametrize("name", [LONG, WIDE, RIGHT_TO_LEFT, MARKUP])
def test_an_unusual_name_is_in_the_page_as_it_is(name: str) -> None:
    assert name in unescape(page([model(name, (-5, "1"), name=name, provider=name)]))


def test_characters_that_reverse_a_line_or_cannot_be_written_are_left_out() -> None:
    html = page([model("a\ud800b\x00c", (-5, "1"), name=REVERSING)])

    assert "abc def" in html
    assert html.encode()
    assert not {"\u202e", "\ud800", "\x00"} & set(html)


def test_the_policy_allows_the_style_and_the_script_of_the_page_alone() -> None:
    html = page([model("a", (-5, "1"))])
    policy = next(each["content"] for tag, each in _Reader(html).tags if each.get("http-equiv"))
    sources = {tag: re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL) for tag in ("style", "script")}
    hashes = {
        tag: base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        for tag, found in sources.items()
        if found
    }

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}';"
        " base-uri 'none'; form-action 'none'"
    )


def test_the_page_refers_to_nothing_outside_itself() -> None:
    references = [
        value
        for _, attributes in _Reader(page([model("a", (-5, "1"))])).tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "poster", "data")
    ]

    assert references
    assert [each for each in references if not (each or "").startswith("#")] == []


def test_a_report_is_known_by_its_first_bytes() -> None:
    assert GENERATOR in page()[:200]


def test_a_thousand_models_and_three_years_are_small_and_fast() -> None:
    """33 changes of each model: more than the catalogs that are known have in ten years."""
    models = [
        model(
            f"provider-{number % 40}/model-{number:04}-turbo-preview",
            *((step * 33 + number % 33, str(step % 9 + 1)) for step in range(33)),
            provider=f"Provider {number % 40}",
        )
        for number in range(1000)
    ]
    models.sort(key=lambda each: (each.mode, each.provider, each.model_id))
    events = [event(f"provider-1/model-{number:04}-turbo-preview", "increase", "1.25", "2.5") for number in range(3000)]
    values = report(models, events)
    whole = type(values.asked)(BEGIN, BEGIN + timedelta(days=1095))
    began = time.process_time()
    html = report_page(report(models, events, asked=whole), HEAD)
    seconds = time.process_time() - began

    assert len(html.encode()) < 5_000_000
    assert seconds < 5


def test_very_many_unchanged_models_are_a_list_without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "MOST_UNCHANGED", 2)
    models = [model(f"m{number}", (-5, "1.5")) for number in range(3)]
    drawn, listed = page(models[:2]), page([*models, model("moved", (-5, "1"), (9, "2"))])

    assert (drawn.count("<article"), listed.count("<article")) == (2, 1)
    assert "m2 1.5" in text(listed)


def test_a_model_with_four_thousand_changes_is_one_chart_like_the_others() -> None:
    costs = [(number * 90 / 4000, str(number % 7 + 1)) for number in range(4000)]
    html = page([model("a", *costs), model("b", (-5, "1"))])

    assert "3999 changes" in html
    assert len(html) < 300_000
    assert intervals(*costs)[-1].valid_to is None
