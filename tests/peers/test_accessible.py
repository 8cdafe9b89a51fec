"""Every kind of page that `serve` shows, looked at by axe-core in Chromium: light and dark, wide and narrow."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.chromium import started
from tests.peers.conftest import there
from tests.pipeline.web.pages.library import ARABIC, COURT, TAX, Library, Served, furnish, served

pytestmark = pytest.mark.skipif(
    shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_LOOKS = [("light", 1280), ("dark", 390)]
_KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "home": ("/", {}),
    "search": ("/search", {"q": "harbour"}),
    "nothing found": ("/search", {"q": "zeppelin"}),
    "timeline": ("/url", {"url": COURT, "in": "2024-03"}),
    "text": ("/read", {"url": COURT}),
    "tombstone": ("/read", {"url": TAX, "at": "20261005080000"}),
    "text from right to left": ("/read", {"url": ARABIC}),
    "captured page": ("/page", {"url": COURT}),
    "comparison": ("/compare", {"url": COURT}),
    "evidence": ("/evidence", {"url": COURT}),
    "board": ("/board", {}),
    "collections": ("/collections", {}),
    "pages of a host": ("/pages", {"url": "https://gazette.example/", "match": "host"}),
    "unknown page": ("/url", {"url": "https://none.example/"}),
    "error": ("/nowhere", {}),
    "help": ("/help", {}),
}


@pytest.fixture(scope="module")
def axe() -> str:
    return there("package/axe.min.js").read_text()


@pytest.fixture(scope="module")
def running(axe: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("archive")
    library = Library.empty(folder)
    furnish(library)
    with served(library, folder) as both:
        yield both


@pytest.fixture(scope="module")
def chromium(running: Served) -> Iterator[Any]:
    with started() as browser:
        yield browser


def faults(chromium: Any, axe: str, url: str) -> list[str]:
    """What axe-core finds on a page in each look, and whether the page is wider than the window."""
    found = []
    for scheme, width in _LOOKS:
        context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)
        page = context.new_page()
        page.goto(url)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append(f"{scheme}, {width}: wider than the window")
        page.evaluate(axe)
        asked = {"iframes": False, "runOnly": {"type": "tag", "values": _RULES}}  # a captured page is a stranger's
        broken = page.evaluate("asked => axe.run(document, asked)", asked)["violations"]
        found += [f"{scheme}, {width}: {each['id']}: {each['nodes'][0]['html'][:200]}" for each in broken]
        context.close()
    return found


@pytest.mark.full
@pytest.mark.parametrize("kind", _KINDS)
def test_no_page_breaks_a_rule(chromium: Any, axe: str, running: Served, kind: str) -> None:
    path, asked = _KINDS[kind]
    query = "?" + urlencode(asked) if asked else ""
    assert faults(chromium, axe, running.pages + path + query) == []


@pytest.mark.full
def test_an_empty_archive_breaks_no_rule(chromium: Any, axe: str, tmp_path: Path) -> None:
    with served(Library.empty(tmp_path), tmp_path) as both:
        assert faults(chromium, axe, both.pages) == []
