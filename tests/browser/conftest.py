"""A real Chromium, and pages in it that record what they should not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bi.chromium import FLAGS, chromium_program
from tests.support.database_servers import required

SCHEMES = ("light", "dark")
WIDTHS = (375, 1440)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this system. Where there is none the tests are skipped, or fail if it is required."""
    try:
        program = chromium_program()
    except FileNotFoundError as error:
        if "chromium" in required():
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@dataclass
class OpenReport:
    """A report in a browser, with what went wrong in it."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    """Messages of the console, errors of scripts, dialogs, and requests but the one for the page."""

    def texts(self, selector: str) -> list[str]:
        """The texts of the elements, with single blanks."""
        found: list[str] = self.page.eval_on_selector_all(
            selector, "all => all.map(each => each.textContent.replace(/\\s+/g, ' ').trim())"
        )
        return found

    def rows(self, selector: str) -> list[list[str]]:
        """The texts of the cells of each row of a table."""
        script = "rows => rows.map(row => [...row.cells].map(each => each.textContent.replace(/\\s+/g, ' ').trim()))"
        found: list[list[str]] = self.page.eval_on_selector_all(f"{selector} tbody tr", script)
        return found

    def open_all(self) -> None:
        """Unfolds everything."""
        self.page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")


OpenPage = Callable[..., OpenReport]


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens a page, given as text or as a file, at a width and in a colour scheme."""
    contexts = []

    def opens(source: str | Path, width: int = 1440, scheme: Any = "light", *, script: bool = True) -> OpenReport:
        file = source if isinstance(source, Path) else tmp_path / "page.html"
        if isinstance(source, str):
            file.write_text(source, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        opened = OpenReport(context.new_page())
        _record(opened, file.as_uri())
        opened.page.goto(file.as_uri())
        return opened

    yield opens
    for context in contexts:
        context.close()


def _record(opened: OpenReport, url: str) -> None:
    page, troubles = opened.page, opened.troubles
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: None if request.url == url else troubles.append(f"request: {request.url}"))

    def dismiss(dialog: Any) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
