"""A paper of thirty columns, with all that a page needs to be shown: chains of style sheets, fonts, images by density.

`PAPER` serves any number of hosts: it names itself only by paths.
"""

from __future__ import annotations

import gzip
import struct
import zlib

from tests.site import Answer, answer, redirect

COLUMNS = [f"/2026/{number:02}.html" for number in range(1, 31)]
_SUBJECTS = ["the quay", "the bench", "a tax on crates", "night trains", "the lock-keeper", "a bell at noon"]

# Everything below is needed to show a column; nothing else of the paper is.
REQUISITES = [
    "/style/main.css", "/style/type.css", "/style/deep/rules.css", "/style/print.css",
    "/style/fonts/plain.woff2", "/style/deep/paper.png", "/style/mark.svg", "/style/set-1x.png", "/style/set-2x.png",
    "/img/lead.png", "/img/lead-2x.png", "/img/wide.png", "/img/narrow.png", "/img/lazy.png", "/img/inline.png",
    "/img/poster.png", "/img/icon.png", "/frame/ruling.html", "/frame/ruling.css", "/media/bell.ogg", "/js/paper.js",
]  # fmt: skip
LINKED_PDF = "/papers/ruling.pdf"


def png(red: int, green: int, blue: int) -> bytes:
    """A picture of one colour, 8 by 8."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    rows = (b"\0" + bytes((red, green, blue)) * 8) * 8
    header = struct.pack("!IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def column(number: int) -> str:
    """A column's HTML; it links to the next and the one before."""
    subject = _SUBJECTS[number % len(_SUBJECTS)]
    return f"""<!doctype html>
<html lang="en"><head><title>Column {number}: on {subject}</title>
<link rel="stylesheet" href="/style/main.css"><link rel="stylesheet" media="print" href="/style/print.css">
<link rel="icon" href="/img/icon.png"><link rel="canonical" href="{COLUMNS[number - 1]}">
<link rel="alternate" type="application/atom+xml" href="/feed.atom"><script src="/js/paper.js" defer></script>
<style>aside {{ background: url( '/img/inline.png' ) }}</style></head><body>
<nav><a href="/">Front page</a> <a href="/calendar?month=1">Calendar</a> <a href="/drafts/next">Drafts</a></nav>
<article><h1>Column {number}: on {subject}</h1>
<p>This is column number {number} of a paper that prints thirty of them, and it is about {subject}, as the {number}th
always was. A reader who wants <a href="{LINKED_PDF}">the ruling itself</a> will find it behind a link.</p>
<p>What can be said of {subject} in the {number}th week of the year has been said in the {number - 1}th, less well,
and the editor lets it stand. See <a href="{COLUMNS[number % 30]}">the next one</a> and
<a href="{COLUMNS[number - 2]}?utm_source=column">the one before</a>.</p>
<img src="/img/lead.png" srcset="/img/lead.png 1x, /img/lead-2x.png 2x" alt="The quay">
<picture><source media="(min-width: 700px)" srcset="/img/wide.png"><img src="/img/narrow.png" alt=""></picture>
<img class="lazy" data-src="/img/lazy.png" alt="Later">
<video poster="/img/poster.png"></video><audio src="/media/bell.ogg" preload="auto"></audio>
<iframe src="/frame/ruling.html" title="The ruling"></iframe>
<p>The column ends here, on {subject}.</p></article>
<footer>The Quay Gazette prints corrections on page two, and regrets them.</footer></body></html>"""


def _feed(address: str) -> bytes:
    entries = "".join(
        f'<entry><title>Column {number}</title><link rel="alternate" href="{path}"/><id>tag:quay,{number}</id></entry>'
        for number, path in enumerate(COLUMNS, 1)
    )
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><id>{address}</id>{entries}</feed>'.encode()


def paper(origin: str) -> dict[str, Answer]:
    """Every answer of the paper, where it is served at `origin`."""
    css = "text/css; charset=utf-8"
    answers: dict[str, Answer] = {path: answer(column(number).encode()) for number, path in enumerate(COLUMNS, 1)}
    front = "".join(f'<li><a href="{path}">Column {number}</a></li>' for number, path in enumerate(COLUMNS, 1))
    front_page = (
        f'<title>The Quay Gazette</title><link rel="alternate" type="application/atom+xml" href="/feed.atom">{front}'
    )
    urls = "".join(f"<url><loc>{origin}{path}</loc></url>" for path in COLUMNS)
    answers |= {
        "/": answer(front_page.encode()),
        "/robots.txt": answer(
            f"User-agent: *\nDisallow: /drafts/\nSitemap: {origin}/sitemap-index.xml\n".encode(), kind="text/plain"
        ),
        "/sitemap-index.xml": answer(
            f"<sitemapindex><sitemap><loc>{origin}/sitemap-1.xml.gz</loc></sitemap></sitemapindex>".encode(),
            kind="application/xml",
        ),
        "/sitemap-1.xml.gz": answer(
            gzip.compress(f"<urlset>{urls}</urlset>".encode(), mtime=0), kind="application/x-gzip"
        ),
        "/feed.atom": answer(_feed(origin), kind="application/atom+xml"),
        "/old-feed": redirect("/feed.atom", "301 Moved Permanently"),
        "/style/main.css": answer(
            b"@import 'type.css'; @import url(\"deep/rules.css\") screen; body { color: #123 }"
            b" h1 { background: image-set('set-1x.png' 1x, url(set-2x.png) 2x) }",
            kind=css,
        ),
        "/style/type.css": answer(b"@font-face { font-family: Plain; src: url(fonts/plain.woff2) }", kind=css),
        "/style/deep/rules.css": answer(
            b"@import url(../main.css); article { background: url(paper.png) } nav { mask: url('../mark.svg#m') }",
            kind=css,
        ),
        "/style/print.css": answer(b"nav { display: none }", kind=css),
        "/style/fonts/plain.woff2": answer(b"wOF2" + bytes(60), kind="font/woff2"),
        "/style/mark.svg": answer(b'<svg xmlns="http://www.w3.org/2000/svg"/>', kind="image/svg+xml"),
        "/frame/ruling.html": answer(b'<link rel="stylesheet" href="ruling.css"><p>The ruling, in a frame.</p>'),
        "/frame/ruling.css": answer(b"p { font-style: italic }", kind=css),
        "/media/bell.ogg": answer(b"OggS" + bytes(40), kind="audio/ogg"),
        "/js/paper.js": answer(
            b"for (const image of document.querySelectorAll('.lazy')) image.src = image.dataset.src;"
            b"document.documentElement.dataset.read = 'yes';",
            kind="text/javascript",
        ),
        LINKED_PDF: answer(b"%PDF-1.4 a ruling", kind="application/pdf"),
        "/calendar?month=1": answer(b'<title>Calendar</title><a href="/calendar?month=2">Next</a>'),
        "/drafts/next": answer(b"<title>A draft</title><p>What comes next."),
    }
    pictures = [path for path in REQUISITES if path.endswith(".png")]
    answers |= {path: answer(png(at * 9, 90, 200 - at), kind="image/png") for at, path in enumerate(pictures)}
    return answers
