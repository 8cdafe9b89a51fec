"""What opens a connection and asks for nothing, tried in Chromium: sockets that a server outside accepts are counted."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.web.pages.library import Library, at, served
from tests.pipeline.web.pages.test_browser_pages import chromium, no_browser, outside
from tests.site import Site, answer
from tests.waiting import wait_for

pytestmark = [no_browser, pytest.mark.full]

__all__ = ["chromium", "outside"]  # fixtures

_SVG = "xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'"
PAGES = {
    "preconnect": "<link rel=preconnect href='OUT'><link rel='stylesheet preconnect' href='OUT/p' crossorigin>",
    "dns": "<meta http-equiv=x-dns-prefetch-control content=on><link rel=dns-prefetch href='OUT'><a href='OUT/a'>x</a>",
    "icons": "<link rel=icon href='OUT/i'><link rel=manifest href='OUT/m'><link rel=apple-touch-icon href='OUT/t'>",
    "prerender": "<link rel=prerender href='OUT/r'><link rel=next href='OUT/n'>",
    "speculation": '<script type=speculationrules>{"prefetch":[{"source":"list","urls":["OUT/s"],"eagerness":"immediate"}]}</script>',
    "late": "<body onload=\"var l=document.createElement('link');l.rel='preconnect';l.href='OUT';document.head.append(l)\">",
    "template": "<template shadowrootmode=open><link rel=preconnect href='OUT'><img src='OUT/t'></template>",
    "noscript": "<noscript><link rel=preconnect href='OUT'><img src='OUT/n'></noscript>",
    "srcdoc": "<iframe srcdoc=\"<link rel=preconnect href='OUT'><iframe srcdoc='<link rel=preconnect href=OUT>'></iframe>\"></iframe>",
    "svg": f"<svg {_SVG}><use href='OUT/u#a'/><use xlink:href='OUT/x#a'/><image xlink:href='OUT/y'/><style>@import 'OUT/z'</style></svg>",
    "svg-foreign": "<svg><foreignObject><iframe xmlns='http://www.w3.org/1999/xhtml' src='OUT/f'></iframe></foreignObject></svg>",
    "svg-data": f"<iframe src=\"data:image/svg+xml,<svg {_SVG}><image href='OUT/d'/></svg>\"></iframe><object data=\"data:image/svg+xml,<svg {_SVG}><image href='OUT/e'/></svg>\"></object>",
    "entities": "<link rel='&#112;reconnect' href='&#104;ttp&colon;//HOST'><LINK REL=PRECONNECT HREF=//HOST>",
    "spaces": "<link rel=' preconnect\n' href='\thttp:/\\HOST'><img src='\x01http:\n//HOST/s'>",
    "broken": "<link rel=preconnect href='OUT' <img src='OUT/b' a='<'><link/rel=preconnect/href='OUT'>",
    "comment": "<!--><link rel=preconnect href='OUT'>--><!--!><img src='OUT/c'><![CDATA[><link rel=preconnect href='OUT'>]]>",
    "math": "<math><mi xlink:href='OUT/m'>x</mi><mtext><link rel=preconnect href='OUT'></mtext></math>",
    "css": "<style>a{b:image-set(url(OUT/1) 1x);cursor:url(OUT/2),auto;list-style:url(OUT/3);mask:url(OUT/4);--x:url(OUT/5);c:var(--x)}@font-face{font-family:q;src:url(OUT/6)}@namespace url(OUT/7);p{font-family:q;shape-outside:url(OUT/8);clip-path:url(OUT/9#a)}</style><p style='background:-webkit-cross-fade(url(OUT/a),url(OUT/b),50%)'>x",
    "track": "<video controls><source src='OUT/v'><track default src='OUT/w'></video><portal src='OUT/p'></portal><fencedframe src='OUT/f'></fencedframe>",
}
DOCUMENTS = {
    "image/svg+xml": f"<?xml-stylesheet href='OUT/s'?><svg {_SVG}><image href='OUT/a'/><a href='OUT'/></svg>",
    "application/xhtml+xml": "<?xml-stylesheet href='OUT/x'?><html xmlns='http://www.w3.org/1999/xhtml'><head>"
    "<link rel='preconnect' href='OUT'/></head><body><img src='OUT/y'/></body></html>",
    "application/xml": "<?xml-stylesheet type='text/xsl' href='OUT/t'?><!DOCTYPE a SYSTEM 'OUT/d'><a/>",
    "text/css": "@import 'OUT/c';",
    "text/html; charset=utf-7": "+ADw-img src=OUT/7+AD4-<link rel=preconnect href='OUT'>",
    "multipart/x-mixed-replace; boundary=b": "--b\r\nContent-Type: text/html\r\n\r\n<link rel=preconnect href='OUT'>\r\n--b--",
}
_HEAD = (
    "Link: <OUT>; rel=preconnect, <OUT/l>; rel=stylesheet\r\nReport-To: {\"endpoints\":[{\"url\":\"OUT/r\"}]}\r\n"
    "Content-Security-Policy: default-src 'none'; report-uri OUT/c\r\nRefresh: 0;url=OUT/f\r\nSourceMap: OUT/m\r\n"
    "Speculation-Rules: \"OUT/s\"\r\nContent-Location: OUT/\r\nAccept-CH: DPR\r\nAlt-Svc: h2=\"HOST\"\r\n"
)  # fmt: skip


def test_no_page_that_is_viewed_opens_a_connection(
    chromium: Any, library: Library, tmp_path: Path, outside: Site
) -> None:
    out = outside.url("").rstrip("/")

    def made(text: str) -> str:
        return text.replace("OUT", out).replace("HOST", out.partition("//")[2])

    head = made(_HEAD)
    captures = {
        name: {"body": made(f"<!doctype html>{text}<p>x").encode(), "head": head} for name, text in PAGES.items()
    }
    for number, (kind, text) in enumerate(DOCUMENTS.items()):
        captures[f"d{number}"] = {"body": made(text).encode(), "kind": kind, "head": head}
    tags = "<iframe src=/d{0}></iframe><object data=/d{0}></object><embed src=/d{0}>"
    captures["frames"] = {"body": "".join(tags.format(number) for number in range(len(DOCUMENTS))).encode()}
    moment = at("2026-01-01T00:00:00")
    library.keep(*((f"https://evil.example/{name}", moment, each) for name, each in captures.items()))
    with served(library, tmp_path) as running:
        context = chromium.new_context(accept_downloads=False)
        for base in (f"{running.replay}/20260101000000", f"{running.pages}/web/20260101000000id_"):
            for name in captures:
                with suppress(Exception):  # what is given out as a file, to be downloaded
                    context.new_page().goto(f"{base}/https://evil.example/{name}")
            context.pages[-1].wait_for_timeout(1000)
            assert outside.connections == 0, (base, outside.paths)
        context.close()
    context = chromium.new_context()
    with Site() as plain:
        plain.answers["/"] = answer(made(PAGES["preconnect"]).encode())
        context.new_page().goto(plain.url("/"))
        wait_for(lambda: outside.connections > 0)  # without replay it does
    context.close()
