"""One site of sixty pages on loopback, in every form that a writer or reader of archives may meet."""

from __future__ import annotations

import gzip
import zlib

import brotli

from tests.site import ODD, ODD_CLOSING, Answer, Site, Talk, answer, chunked, redirect

ARTICLE = """<!doctype html><html lang="en"><head><title>{title}</title><link rel="stylesheet" href="/style.css"></head>
<body><article><h1>{title}</h1><p>This is the text of {title}. It is long enough to be taken for the text of a page, and
it says what it says in more than one sentence, so that it is not taken for a menu.</p><p>A second paragraph follows the
first, because pages have more than one, and it names {title} again.</p></article>{more}</body></html>"""
_LEFT_OUT = {"/nul-in-header", "/lengths-differ", "/garbage-behind"}  # answers that clients rightly refuse


def _article(title: str, more: str = "") -> bytes:
    return ARTICLE.format(title=title, more=more).encode()


async def _posted(talk: Talk) -> None:
    length = 0
    for line in talk.request.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = await talk.reader.readexactly(length)
    await talk.send(answer(_article(f"Posted {body.decode('latin-1')}")))


def _pages() -> dict[str, Answer]:
    pages: dict[str, Answer] = {f"/article/{number}": answer(_article(f"Article {number}")) for number in range(1, 13)}
    pages |= {path: data for path, data in (ODD | ODD_CLOSING).items() if path not in _LEFT_OUT}
    cp1252 = _article("Smart quotes").replace(b"<head>", b'<head><meta charset="windows-1252">')
    pages |= {
        "/same/1": answer(_article("The same body")),
        "/same/2": answer(_article("The same body")),
        "/moved": redirect("/article/1", "301 Moved Permanently"),
        "/moved-twice": redirect("/moved"),
        "/moved-with-fragment": redirect("/article/2#part"),
        "/frames": answer(_article("Frames", '<iframe src="/framed"></iframe>')),
        "/framed": answer(_article("Framed")),
        "/form": answer(_article("A form", '<form method="post" action="/posted"><input name="q"></form>')),
        "/posted": _posted,
        "/gone": answer(_article("Gone"), status="410 Gone"),
        "/broken": answer(_article("Broken"), status="500 Internal Server Error"),
        "/cp1252": answer(cp1252.replace(b"is long", b"is \x93very\x94 long"), kind="text/html"),
        "/brotli": answer(brotli.compress(_article("Brotli")), headers=("Content-Encoding: br",)),
        "/raw-deflate": answer(_raw_deflate(_article("Raw deflate")), headers=("Content-Encoding: deflate",)),
        "/gzip-members": answer(
            gzip.compress(_article("Two")[:99], mtime=0) + gzip.compress(_article("Two")[99:], mtime=0),
            headers=("Content-Encoding: gzip",),
        ),
        "/x-gzip": answer(gzip.compress(_article("x-gzip"), mtime=0), headers=("Content-Encoding: x-gzip",)),
        "/gzip-twice": answer(
            gzip.compress(gzip.compress(_article("Twice"), mtime=0), mtime=0), headers=("Content-Encoding: gzip, gzip",)
        ),
        "/chunked-article": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunked(_article("In chunks"), 100),
        "/empty": answer(b""),
        "/spaces%20and%20%C3%BC": answer(_article("Spaces")),
        "/query?b=2&a=1&a=%26": answer(_article("A query")),
        "/path;with=parameters,and~tilde'quote": answer(_article("Parameters")),
        "/double//slash": answer(_article("Double slash")),
        "/UPPER/Case": answer(_article("Upper case")),
        "/no-type": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain",
        "/type-twice": answer(_article("Two types"), headers=("Content-Type: text/plain",)),
        "/xhtml": answer(_article("XHTML"), kind="application/xhtml+xml"),
        "/text": answer("Plain text, with an ü.\n".encode() * 9, kind="text/plain; charset=utf-8"),
        "/json": answer(b'{"title": "JSON", "text": "not a page"}', kind="application/json"),
        "/WARC-in-body": answer(
            b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n", kind="text/plain"
        ),
        "/style.css": answer(b"p { color: teal }", kind="text/css"),
        "/picture.png": answer(_picture(), kind="image/png"),
        "/long-header": answer(_article("A long header"), headers=(f"X-Long: {'x' * 9000}",)),
        "/many-headers": answer(_article("Many headers"), headers=tuple(f"X-{number}: y" for number in range(90))),
        "/utf-8-header": answer(_article("UTF-8"), headers=("X-Name: José".encode().decode("latin-1"),)),
    }
    return pages


def _raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(body) + compressor.flush()


def _picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (3).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    rows = zlib.compress(b"".join(b"\0" + bytes(range(at, at + 9)) for at in range(3)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def odd_site() -> Site:
    """Return the site, not yet started; its start page links to every page."""
    pages = _pages()
    links = "".join(f'<li><a href="{path}">{path}</a></li>' for path in pages)
    pages["/"] = answer(_article("Start", f'<ul>{links}</ul><img src="/picture.png">'))
    pages["/robots.txt"] = answer(b"User-agent: *\nAllow: /\n", kind="text/plain")
    return Site(answers=pages, closing={path for path in ODD_CLOSING if path in pages})


def page_paths() -> list[str]:
    """Return the paths of all pages, the start page first."""
    return ["/", *(path for path in _pages() if path != "/posted")]
