"""Captured bodies that a browser could take for markup: none makes it open as much as a connection to a host outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.pipeline.web.pages.library import Library, at, served
from tests.pipeline.web.pages.test_browser_pages import chromium, outside, pytestmark
from tests.site import Site, answer

__all__ = ["chromium", "outside", "pytestmark"]

XHTML = "http://www.w3.org/1999/xhtml"
WHEN = at("2026-01-01T00:00:00")
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/><foreignObject width="9" '
    f'height="9"><iframe xmlns="{XHTML}" src="OUT/f"/><object xmlns="{XHTML}" data="OUT/o"/><embed xmlns="{XHTML}" '
    'src="OUT/e"/></foreignObject><image href="OUT/i" width="9" height="9"/><!--NAME--></svg>'
)
PAGE = (
    "<link rel=preconnect href='OUT'><link rel=dns-prefetch href='OUT'><link rel=manifest href='OUT/m'>"
    "<link rel=prerender href='OUT/p'><iframe src='OUT/f'></iframe><object data='OUT/o'></object><embed src='OUT/e'>"
    "<iframe srcdoc=\"<iframe src='OUT/s'></iframe>\"></iframe><svg><foreignObject><iframe src='OUT/n'></iframe>"
    "</foreignObject></svg><svg><a href='OUT/a' ping='OUT/g'><text>x</text></a></svg><!--NAME-->"
)
XML = f'<html xmlns="{XHTML}"><head><link rel="preconnect" href="OUT"/></head><body><iframe src="OUT/f"/>NAME</body></html>'
STYLED = (
    '<?xml version="1.0"?><?xml-stylesheet type="text/css" href="OUT/x.css"?><?xml-stylesheet type="text/xsl" '
    f'href="OUT/x.xsl"?><a xmlns:h="{XHTML}"><h:iframe src="OUT/f"/>NAME</a>'
)
MIXED = "--x\r\nContent-Type: text/html\r\n\r\n" + PAGE + "\r\n--x--"
PDF = (
    "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/OpenAction<</S/URI/URI(OUT/pdf)>>>>endobj\n2 0 obj<</Type/Pages/Kids"
    "[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>NAME"
)
# Name: the Content-Type, more header lines, and the body.
BODIES: dict[str, tuple[str, str, str]] = {
    "svg": ("image/svg+xml", "", SVG),
    "svg-upper": ("IMAGE/SVG+XML; x=y", "", SVG),
    "svg-last": ("image/png, image/svg+xml", "", SVG),
    "svg-twice": ("image/png", "CONTENT-TYPE: image/svg+xml\r\n", SVG),
    "picture-markup": ("image/x+xml", "", XML),
    "video-markup": ("video/x+xml", "", XML),
    "font-markup": ("font/x+xml", "", XML),
    "xhtml": ("application/xhtml+xml", "", XML),
    "xml": ("text/xml", "", STYLED),
    "xml-application": ("application/xml", "", STYLED),
    "xsl": ("text/xsl", "", XML),
    "mathml": ("application/mathml+xml", "", XML),
    "mixed": ("multipart/x-mixed-replace; boundary=x", "", MIXED),
    "message": ("message/rfc822", "", "Content-Type: text/html\r\n\r\n" + PAGE),
    "page": ("text/html", "", PAGE),
    "page-last": ("image/png, text/html", "", PAGE),
    "page-twice": ("image/png", "content-TYPE: text/html\r\n", PAGE),
    "page-links": ("text/html", "Link: <OUT>; rel=preconnect\r\nLink: <OUT/x>; rel=prefetch\r\n", PAGE),
    "rules": ("text/html", 'Speculation-Rules: "OUT/rules"\r\n', PAGE),
    "pdf": ("application/pdf", "", PDF),
    "named-png": ("image/png", "", PAGE),
    "no-type": ("", "", PAGE),
    "picture-named-text": ("text/plain", "", "GIF89a NAME"),
    "any": ("*/*", "", PAGE),
    "odd": ("text/html\x0bx", "", PAGE),
}


def _keep(library: Library, out: str) -> None:
    made = [
        (f"https://evil.example/{name}", WHEN, {
            "kind": kind, "head": head.replace("OUT", out), "body": body.replace("OUT", out).replace("NAME", name).encode(),
        })
        for name, (kind, head, body) in BODIES.items()
    ]  # fmt: skip
    frames = "".join(f"<iframe src='/{name}'></iframe><object data='/{name}'></object>" for name in BODIES)
    pictures = "".join(f"<img src='/{name}'><div style='background:url(/{name})'>x</div>" for name in BODIES)
    library.keep(*made, ("https://evil.example/all", WHEN, {"body": (frames + pictures).encode()}))


def _visit(chromium: Any, *urls: str) -> None:
    """Open addresses one after the other; what no browser shows is offered to be saved, and declined."""
    from playwright.sync_api import Error

    context = chromium.new_context(accept_downloads=False)
    page = context.new_page()
    for url in urls:
        try:
            page.goto(url, wait_until="load")
        except Error as error:
            assert "Download is starting" in str(error), url  # noqa: PT017 - any other error is one
    page.wait_for_timeout(300)
    context.close()


@pytest.mark.full
def test_no_body_makes_a_browser_connect_outside(
    chromium: Any, library: Library, outside: Site, tmp_path: Path
) -> None:
    """In frames, as pictures and as documents: connections are counted, for a connection alone tells who reads."""
    _keep(library, outside.url("").rstrip("/"))
    alone = ("svg", "svg-last", "svg-twice", "xhtml", "xml", "page-twice", "pdf")
    with served(library, tmp_path) as running:
        _visit(chromium, *(f"{running.replay}/20260101000000/https://evil.example/{name}" for name in ("all", *alone)))
        assert outside.connections == 0, "replay"
        _visit(chromium, *(f"{running.pages}/web/20260101000000id_/https://evil.example/{name}" for name in alone))
        assert outside.connections == 0, "captures as they were"


@pytest.mark.parametrize("name", ["svg", "xml", "page"])
def test_markup_connects_where_nothing_stands_in_its_way(chromium: Any, outside: Site, name: str) -> None:
    kind, _, body = BODIES[name]
    with Site() as site:
        site.answers["/"] = answer(body.replace("OUT", outside.url("").rstrip("/")).encode(), kind=kind)
        _visit(chromium, site.url("/"))
        assert outside.connections > 0, "it is no attempt"


def test_a_picture_that_is_markup_is_shown_in_a_page_of_ours(chromium: Any, library: Library, tmp_path: Path) -> None:
    _keep(library, "http://127.0.0.1:9")
    with served(library, tmp_path) as running:
        page = chromium.new_page()
        page.goto(f"{running.replay}/20260101000000/https://evil.example/svg", wait_until="load")
        assert page.evaluate("document.contentType") == "text/html"
        assert page.locator("img").evaluate("it => it.naturalWidth") == 9
        page.close()


DOCUMENT = {"sec-fetch-dest": "document"}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}  # over HTTP to another machine
PICTURE = {"accept": "image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8"}
SAFE = {"text/plain", "application/octet-stream", "application/pdf", "image/png"}


@pytest.mark.parametrize(
    "asks", [DOCUMENT, BROWSER, {"user-agent": "Mozilla/5.0"}], ids=["document", "accept", "agent"]
)
def test_a_document_has_one_type_and_it_is_never_markup(library: Library, tmp_path: Path, asks: dict[str, str]) -> None:
    from pipeline.web.app import create_app
    from pipeline.web.common.archive_reader import Reading

    _keep(library, "http://127.0.0.1:9")
    client = TestClient(create_app(Reading(library.archive), 8081), follow_redirects=False)
    for name in BODIES:
        reply = client.get(f"/web/20260101000000id_/https://evil.example/{name}", headers=asks)
        (kind,) = reply.headers.get_list("content-type")
        assert kind in SAFE, name


def test_programs_are_given_the_one_type_that_browsers_go_by(library: Library, tmp_path: Path) -> None:
    from pipeline.web.app import create_app
    from pipeline.web.common.archive_reader import Reading

    _keep(library, "http://127.0.0.1:9")
    client = TestClient(create_app(Reading(library.archive), 8081))
    for name, wanted in (
        ("svg-twice", "image/svg+xml"),
        ("page-last", "text/html"),
        ("no-type", "application/octet-stream"),
    ):
        reply = client.get(f"/web/20260101000000id_/https://evil.example/{name}")
        assert reply.headers.get_list("content-type") == [wanted]


@pytest.mark.parametrize(
    ("name", "asks", "wanted"),
    [
        ("svg", {}, "text/html; charset=utf-8"),
        ("svg", DOCUMENT, "text/html; charset=utf-8"),
        ("svg", {"sec-fetch-dest": "iframe"}, "text/html; charset=utf-8"),
        ("svg", {"sec-fetch-dest": "object"}, "text/html; charset=utf-8"),
        ("svg", {"sec-fetch-dest": "embed"}, "text/html; charset=utf-8"),
        ("svg", BROWSER, "text/html; charset=utf-8"),
        ("svg", PICTURE, "image/svg+xml"),
        ("svg", {"sec-fetch-dest": "image"}, "image/svg+xml"),
        ("svg-twice", {"sec-fetch-dest": "image"}, "image/svg+xml"),
        ("video-markup", {"sec-fetch-dest": "video"}, "text/plain; charset=utf-8"),
        ("font-markup", {"sec-fetch-dest": "font"}, "text/plain; charset=utf-8"),
        ("mixed", {"sec-fetch-dest": "image"}, "text/plain; charset=utf-8"),
        ("named-png", DOCUMENT, "image/png"),
        ("picture-named-text", {"sec-fetch-dest": "image"}, "image/gif"),
    ],
)
def test_replay_gives_markup_as_a_picture_only(
    library: Library, tmp_path: Path, name: str, asks: dict[str, str], wanted: str
) -> None:
    from pipeline.web.common.archive_reader import Reading
    from pipeline.web.replay.app import create_replay

    _keep(library, "http://127.0.0.1:9")
    client = TestClient(create_replay(Reading(library.archive), 8080), follow_redirects=False)
    reply = client.get(f"/20260101000000/https://evil.example/{name}", headers=asks)
    assert reply.headers.get_list("content-type") == [wanted]
    assert (b"<iframe" in reply.content) <= (wanted != "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (("text/html",), "text/html"),
        (("text/html; charset=utf-8", "text/html"), "text/html; charset=utf-8"),
        (("text/html; charset=utf-8", "text/html; charset=x"), "text/html; charset=x"),
        (("text/html; charset=utf-8, image/png",), "image/png"),
        (('image/png; x="a,text/html"',), 'image/png; x="a,text/html"'),
        (("image/png", "*/*"), "image/png"),
        (("image/png", "nonsense"), "image/png"),
        (("",), ""),
        ((), ""),
    ],
)
def test_the_one_type_is_that_of_browsers(values: tuple[str, ...], wanted: str) -> None:
    from pipeline.web.common.media_types import content_type

    assert content_type(tuple(("Content-Type", value) for value in values)) == wanted
