"""Chromium, driven by Playwright, on a machine that may be busy: whatever is waited for may take two minutes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = 120_000  # milliseconds


class Chromium:
    """A browser whose contexts and pages are patient."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    def new_context(self, **options: Any) -> Any:
        made = self._browser.new_context(**options)
        made.set_default_timeout(PATIENCE)
        return made

    def new_page(self, **options: Any) -> Any:
        made = self._browser.new_page(**options)
        made.set_default_timeout(PATIENCE)
        return made


@contextmanager
def started(*arguments: str) -> Iterator[Chromium]:
    """Start a browser, and end it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *arguments], timeout=PATIENCE
        )
        try:
            yield Chromium(browser)
        finally:
            browser.close()
