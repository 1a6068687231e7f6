"""The report in a real Chromium, as PNG: the beginning in light colours and the charts in dark ones."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from playwright.sync_api import sync_playwright

from bi.chromium import FLAGS, chromium_program

_WIDTH, _HEIGHT = 900, 904
_PICTURES: dict[Literal["light", "dark"], str] = {"light": "h1", "dark": "#costs"}
"""By the colours, the heading at which the picture begins."""


def draw_report(page: Path, folder: Path) -> None:
    """Writes report-light.png and report-dark.png. Raises ``FileNotFoundError`` without Chromium."""
    program = chromium_program()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for scheme, heading in _PICTURES.items():
            opened = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme=scheme)
            opened.goto(page.as_uri())
            opened.locator(heading).evaluate(
                "heading => scrollTo(0, heading.getBoundingClientRect().top - 76)"
            )  # below the filter
            opened.screenshot(path=folder / f"report-{scheme}.png")
            opened.close()
        browser.close()
