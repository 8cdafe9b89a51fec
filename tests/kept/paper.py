"""The Lantern, a paper of a few pages that changes from day to day: what the kept archives are captured from.

The articles are in `paper.txt`. Every page is plain on purpose: one article of sixty words or more, an author and a day
in `meta` elements, no line that three pages share. So a later extractor has no reason to read it differently.
"""

from __future__ import annotations

import gzip
import io
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.site import Answer, Talk, answer, chunked, redirect

ORIGIN = "http://lantern.example"
BOARD = "http://board.lantern.example"
HOSTS = ("lantern.example", "board.lantern.example")

FERRY = "/2025/ferry.html"
LAMPS = "/2025/lamps.html"
MARKET = "/2025/market.html"
LETTER = "/2025/letter.html"
BRIDGE = "/2025/bridge.html"
RECIPE = "/2025/recipe.html"
DRAFT = "/drafts/budget.html"
NOTICE = "/notices/tender.html"
WITNESS = "/people/witness.html"
OLD_NOTICE = "/old/tender"
MISSING = "/2025/never-printed.html"
TABLE = "/data/tides.txt"
FEED = "/feed.atom"


@dataclass(frozen=True)
class Piece:
    """One article, as it is printed from a first day to a last: its paragraphs are its text, word for word."""

    address: str
    paragraphs: tuple[str, ...]
    title: str
    author: str
    day: str
    lang: str = "en"
    first: int = 1
    last: int = 1000

    def html(self, charset: str = "utf-8") -> bytes:
        """Return the page as it is sent."""
        prose = "\n".join(f"<p>{paragraph}</p>" for paragraph in self.paragraphs)
        style, picture = _FERRY_NEEDS if self.address == FERRY else ("", "")
        page = f"""<!doctype html>
<html lang="{self.lang}"><head><meta charset="{charset}"><title>{self.title}</title>
<meta name="author" content="{self.author}"><meta property="article:published_time" content="{self.day}">
{style}</head><body><main><article><h1>{self.title}</h1>
{picture}{prose}
</article></main></body></html>
"""
        return page.encode(charset)


_FERRY_NEEDS = ('<link rel="stylesheet" href="/style/paper.css">\n', '<img src="/img/quay.png" alt="The north quay">\n')


def _read() -> list[Piece]:
    """Return the articles of `paper.txt`: a heading with the address, lines of settings, and the paragraphs."""
    pieces = []
    for section in re.split(r"^# ", Path(__file__).with_name("paper.txt").read_text(), flags=re.MULTILINE)[1:]:
        head, *paragraphs = section.strip().split("\n\n")
        address, *lines = head.splitlines()
        settings: dict[str, Any] = dict(line.split(": ", 1) for line in lines)
        for name in {"first", "last"} & settings.keys():
            settings[name] = int(settings[name])
        pieces.append(Piece(address, tuple(paragraphs), **settings))
    return pieces


_TABLE = "".join(f"{day:02} October  high {day % 12:02}:{day * 7 % 60:02}  low {(day + 6) % 12:02}:{day * 11 % 60:02}\n"
                 for day in range(1, 32)).encode()  # fmt: skip
_BOARD_DATA = b"""{"title": "Arrivals at the coal quay", "lines": [
"The barque Meridian is expected on the evening tide with four hundred barrels of lamp oil and a cargo of slate.",
"The tug Patience brings two empty lighters from the upper lock; they wait at the dolphins until the basin is clear.",
"The mail boat is late by an hour, because its pilot was called to a collier that lay aground off the old mole.",
"No vessel may berth at the north quay before noon while the divers look for the anchor that the ferry lost."]}
"""
_BOARD = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Arrivals at the coal quay</title></head>
<body><main><article id="board"></article></main><script src="/board.js"></script></body></html>
"""
_BOARD_SCRIPT = b"""fetch('/data/board.json').then(answer => answer.json()).then(board => {
  const article = document.getElementById('board');
  article.append(Object.assign(document.createElement('h1'), {textContent: board.title}));
  for (const line of board.lines) article.append(Object.assign(document.createElement('p'), {textContent: line}));
});
"""


def site(day: int) -> dict[str, Answer]:
    """Return every answer of the paper on a day: some articles are edited as time goes by, and one is taken away."""
    pieces = {piece.address: piece for piece in _read() if piece.first <= day <= piece.last and piece.address[0] == "/"}
    answers: dict[str, Answer] = {path: answer(piece.html()) for path, piece in pieces.items()}
    answers[FERRY] = answer(gzip.compress(pieces[FERRY].html(), mtime=0), headers=("Content-Encoding: gzip",))
    answers[LAMPS] = _with_etag(pieces[LAMPS].html(), '"forty-lamps"')
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    answers[MARKET] = head.encode() + chunked(pieces[MARKET].html(), 300)
    answers[BRIDGE] = answer(pieces[BRIDGE].html("iso-8859-1"), kind="text/html; charset=iso-8859-1")
    answers[OLD_NOTICE] = redirect(NOTICE, "301 Moved Permanently")
    answers[TABLE] = answer(_TABLE, kind="text/plain; charset=utf-8")
    answers[FEED] = answer(_feed(_read()), kind="application/atom+xml")
    answers["/style/paper.css"] = answer(b"article { max-width: 40em; background: #fdf6e3 }\n", kind="text/css")
    answers["/img/quay.png"] = answer(_png(), kind="image/png")
    answers["/robots.txt"] = answer(b"User-agent: *\nDisallow: /private/\n", kind="text/plain")
    answers["/board"] = answer(_BOARD)
    answers["/board.js"] = answer(_BOARD_SCRIPT, kind="text/javascript")
    answers["/data/board.json"] = answer(_BOARD_DATA, kind="application/json")
    return answers


def foreign() -> bytes:
    """Return a WARC file as another program wrote it years before: two pages."""
    file = io.BytesIO()
    writer = WARCWriter(file, gzip=True, warc_version="1.0")
    pieces = [piece for piece in _read() if piece.address.startswith("http:")]
    for number, piece in enumerate(pieces, 1):
        body = piece.html()
        headers = [("Content-Type", "text/html"), ("Content-Length", str(len(body)))]
        names = {
            "WARC-Date": f"2019-03-1{number}T07:00:00Z",
            "WARC-Record-ID": f"<urn:uuid:0000000{number}-2019-4000-8000-000000000000>",
        }
        record = writer.create_warc_record(
            piece.address,
            "response",
            payload=io.BytesIO(body),
            http_headers=StatusAndHeaders("200 OK", headers, "HTTP/1.1"),
            warc_headers_dict=names,
        )
        writer.write_record(record)
    return file.getvalue()


def _with_etag(body: bytes, etag: str) -> Answer:
    async def send(talk: Talk) -> None:
        if f"if-none-match: {etag}".encode() in talk.request.lower():
            await talk.send(f"HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n".encode())
        else:
            await talk.send(answer(body, headers=(f"ETag: {etag}",)))

    return send


def _feed(pieces: list[Piece]) -> bytes:
    entries = "".join(
        f'<entry><title>{piece.title}</title><link rel="alternate" href="{ORIGIN}{piece.address}"/>'
        f"<id>tag:lantern.example,2025:{piece.address}</id><updated>{piece.day}T06:00:00Z</updated></entry>\n"
        for piece in pieces
        if piece.address in {LAMPS, MARKET, LETTER, BRIDGE}
    )
    feed = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>The Lantern</title>'
        f"<id>{ORIGIN}{FEED}</id><updated>2025-10-05T06:00:00Z</updated>\n{entries}</feed>\n"
    )
    return feed.encode()


def _png() -> bytes:
    """Return a grey picture, 16 by 16."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes(range(row, row + 16)) for row in range(16))
    header = struct.pack("!IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
