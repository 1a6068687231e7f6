"""The Chromium of this system, for the pictures, the tests of the report and the check of the dashboard."""

from __future__ import annotations

import shutil

FLAGS = ("--no-sandbox", "--disable-dev-shm-usage")  # as root, in containers with a small /dev/shm
_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_program() -> str:
    """The path of the browser. Raises ``FileNotFoundError`` if there is none."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        raise FileNotFoundError("Chromium not found; install Debian's package chromium")
    return program
