"""The report in a real Chromium: it fits, loads nothing, runs nothing foreign, and can be used by everybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

from sync.catalog.history.report_data import Acceptance, Held, IgnoredField, ModelCosts, RejectedModel
from sync.show.report.page import ReportHead, report_page
from tests.browser.conftest import SCHEMES, WIDTHS, OpenPage, OpenReport
from tests.support.report_values import (
    END,
    HEAD,
    LONG,
    MARKUP,
    RIGHT_TO_LEFT,
    WIDE,
    day,
    event,
    model,
    page,
    report,
)

NAMES = (LONG, WIDE, RIGHT_TO_LEFT, MARKUP, "acme/plain")
FAR_APART = [(-5, "0"), (10, "0.000000000001"), (20, None), (30, "gone"), (40, "100000000000"), (60, "0.5")]
LONG_COST = "123456789012.1234567890123456789012345678901234567890"


def _models() -> list[ModelCosts]:
    changed = [model(name, *FAR_APART, name=name, provider=name) for name in NAMES]
    unchanged = [model(f"{name}2", (-5, "4"), name=name, provider=name) for name in NAMES]
    long = [model("acme/long", (-5, "1"), (9, LONG_COST), mode="video"), model("acme/free", (-5, "0"), mode="video")]
    return [*sorted([*changed, *unchanged], key=lambda each: (each.provider, each.model_id)), *long]


def hostile() -> str:
    """A report with every kind of unusual text and number."""
    kinds = ("added", "removed", "relisted", "increase", "decrease", "cost_set", "cost_unset")
    events = [
        event(name, kind, None if kind == "added" else "1", None if kind == "removed" else LONG_COST, provider=name)
        for name in NAMES
        for kind in kinds
    ]
    values = report(
        _models(),
        events,
        held=[Held("image", 7, "costs", NAMES, len(NAMES))],
        rejected=[RejectedModel("video", name, name, day(3), None) for name in NAMES],
        rejected_count=len(NAMES),
        ignored=[IgnoredField(name, day(2), None, name, name) for name in NAMES],
        accepted=[Acceptance(9, day(5), {"by": name, "why": name, "base_url": {"to": name}}) for name in NAMES],
        other_changes={"params": 3, LONG: 1},
    )
    return report_page(values, ReportHead(LONG + MARKUP + RIGHT_TO_LEFT, END, "1.2.3", "image", WIDE))


HOSTILE = hostile()
PAGES = {
    "hostile": HOSTILE,
    "empty": page(mode_begins={}),
    "before": page(mode_begins={"image": END + timedelta(days=1)}),
    "single": page([model("acme/a", (-5, "1"))]),
    "many": page([model("acme/a", *((number * 90 / 4000, str(number % 7 + 1)) for number in range(4000)))]),
}


def wider_than_the_window(opened: OpenReport) -> list[str]:
    """The elements of which a part is outside the window."""
    found: list[str] = opened.page.evaluate(
        """() => [...document.body.querySelectorAll("*")].filter(each => {
            const box = each.getBoundingClientRect();
            return box.width > 1 && box.height > 1 && (box.right > innerWidth + 1 || box.left < -1);
        }).map(each => each.outerHTML.slice(0, 120))"""
    )
    return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows_nothing_is_requested_and_the_console_is_empty(
    open_report: OpenPage, name: str, width: int
) -> None:
    opened = open_report(PAGES[name], width)
    opened.open_all()

    assert opened.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert wider_than_the_window(opened) == []
    assert opened.troubles == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["hostile", "empty", "single"])
def test_axe_finds_nothing_serious(open_report: OpenPage, name: str, width: int, scheme: str) -> None:
    opened = open_report(PAGES[name], width, scheme)
    opened.open_all()
    violations = Axe().run(opened.page).response["violations"]

    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in violations] == []


def test_markup_stays_text(open_report: OpenPage) -> None:
    opened = open_report(HOSTILE)

    assert MARKUP in opened.texts(".card h5")
    assert MARKUP in opened.texts(".feed .id")
    assert opened.page.locator("body script").count() == 1
    assert opened.page.locator("h5 b, td .id b").count() == 0
    assert opened.troubles == []


def test_a_script_that_got_into_the_page_would_not_run(open_report: OpenPage) -> None:
    opened = open_report(
        page([model("acme/a", (-5, "1"))]).replace("</main>", "<script>document.title='taken'</script>")
    )

    assert opened.page.title() == HEAD.title
    assert any("Content Security Policy" in each for each in opened.troubles)


def test_without_a_script_everything_is_there(open_report: OpenPage) -> None:
    opened = open_report(HOSTILE, script=False)

    assert opened.page.locator(".card").count() == len(_models())
    assert opened.page.locator(".feed tbody tr").count() == 35
    assert opened.page.locator("input").count() == 0


def test_the_filter_leaves_what_contains_every_word_and_unfolds_it(open_report: OpenPage) -> None:
    opened = open_report(
        page(
            [
                model("acme/a", (-5, "1")),
                model("acme/b", (-5, "1"), (9, "2")),
                model("b/c", (-5, "1"), provider="Borealis"),
            ]
        )
    )
    opened.page.fill("input[type=search]", "ACME a")
    opened.page.wait_for_selector("output:has-text('2 charts')")

    assert opened.page.locator(".card:visible .id").all_inner_texts() == ["acme/b", "acme/a"]
    opened.page.fill("input[type=search]", "acme/a")
    opened.page.wait_for_selector("output:has-text('1 chart')")
    assert opened.page.locator(".card:visible .id").all_inner_texts() == ["acme/a"]
    opened.page.fill("input[type=search]", "")
    opened.page.wait_for_selector(".card:has-text('acme/b'):visible")
    assert opened.page.locator(".card:visible").count() == 1  # unchanged models are folded away again
    assert opened.troubles == []


def test_a_table_is_sorted_by_number_and_by_text(open_report: OpenPage) -> None:
    models = [model(f"m{number:03}", (-5, "100"), (9, str(number * 7 % 80 + 101))) for number in range(80)]
    opened = open_report(page(models))
    assert opened.page.locator(".movers tbody tr").count() == 80
    opened.page.click(".movers th:has-text('At the end') button")
    costs = [float(row[2]) for row in opened.rows(".movers")]
    assert costs == sorted(costs)
    assert len(costs) == 80
    opened.page.click(".movers th:has-text('At the end') button")
    assert [float(row[2]) for row in opened.rows(".movers")] == sorted(costs, reverse=True)
    assert opened.page.get_attribute(".movers th:has-text('At the end')", "aria-sort") == "descending"
    opened.page.click(".movers th:has-text('Model') button")
    assert [row[0][:4] for row in opened.rows(".movers")] == [f"m{number:03}" for number in range(80)]
    assert opened.troubles == []


def test_a_decrease_is_sorted_below_an_increase(open_report: OpenPage) -> None:
    costs = {"a": "11", "b": "2", "c": "13", "d": "7"}
    opened = open_report(page([model(name, (-5, "10"), (9, cost)) for name, cost in costs.items()]))
    opened.page.click(".movers th:has-text('Net change') button")

    assert [row[3] for row in opened.rows(".movers")] == ["▼ down 8", "▼ down 3", "▲ up 1", "▲ up 3"]


def test_a_report_can_be_used_by_keyboard(open_report: OpenPage) -> None:
    opened = open_report(page([model("acme/a", (-5, "1")), model("acme/b", (-5, "1"), (9, "2"))]))
    opened.page.focus("summary:has-text('unchanged')")
    opened.page.keyboard.press("Enter")

    assert opened.page.locator(".card:visible").count() == 2


def test_the_pointer_on_a_chart_names_the_time_and_the_cost(open_report: OpenPage) -> None:
    opened = open_report(page([model("acme/a", (-5, "1.25"), (45, "2.5"))]))
    opened.page.locator(".card svg").scroll_into_view_if_needed()
    chart = opened.page.locator(".card svg").bounding_box()
    assert chart is not None
    found = opened.page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).querySelector('title').textContent",
        [chart["x"] + chart["width"] * 0.6, chart["y"] + chart["height"] * 0.5],
    )

    assert found == "2026-04-15 00:00 to 2026-05-30 00:00: 2.5"


def test_the_colours_follow_the_scheme_and_print_is_light(open_report: OpenPage) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    opened = open_report(HOSTILE, scheme="dark")
    dark = opened.page.evaluate(background)
    opened.page.emulate_media(media="print")

    assert opened.page.evaluate(background) == "rgb(255, 255, 255)" != dark
    assert not opened.page.locator(".tools").is_visible()
    assert opened.page.pdf()[:4] == b"%PDF"


def test_the_time_axis_is_shared(open_report: OpenPage) -> None:
    opened = open_report(HOSTILE)
    axes = set(opened.page.eval_on_selector_all(".card use", "all => all.map(each => each.getAttribute('href'))"))

    assert axes == {"#a-image", "#a-video"}
    assert opened.texts("symbol:first-of-type text") == ["Apr", "May"]
