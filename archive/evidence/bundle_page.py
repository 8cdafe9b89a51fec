"""The page in a bundle for readers who have no program for it: the text, the picture, and what proves them.

It is made of what else the bundle holds: the check of a bundle makes it again and compares. It has no script and asks
nobody; what strangers wrote is escaped. Part of layout version 2: it stays as it is.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from archive.times import iso

NAME = "index.html"
TEXT = "text.txt"
PICTURES = {b"\x89PNG\r\n\x1a\n": "picture.png", b"\xff\xd8\xff": "picture.jpg"}
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_STYLE = (
    "body{font:1.05rem/1.6 Georgia,serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;"
    "background:#fff;overflow-wrap:anywhere}main p{margin:0 0 1em}.said,footer,figcaption{font:1rem/1.5 sans-serif}"
    ".said{border:1px solid #767676;padding:1rem;border-radius:.4rem}img{max-width:100%;border:1px solid #767676}"
    "code{font-size:.85em}h1{line-height:1.25}li{margin:.3em 0}"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says: of which snapshot, by whose word, and what proves it."""

    url: str
    date: str  # WARC-Date
    signer: str
    origin: str  # of the log
    runs: int  # in it
    software: str
    stamps: Sequence[tuple[datetime, str]]  # time stamps, and who gave them
    title: str
    text: str
    extractor: str
    made_of: str  # the file of the record that the text was made of
    picture: str | None  # the file
    records: Sequence[tuple[str, str]]  # files, and what they are


def render(shown: Shown) -> bytes:
    """Return the page, UTF-8."""
    title = _safe(shown.title or shown.url)
    paragraphs = "\n".join(f'<p dir="auto">{_safe(line)}</p>' for line in shown.text.split("\n") if line.strip())
    picture = (
        f'<figure><img src="{shown.picture}" alt="The page as a browser showed it when it was captured">'
        "<figcaption>The page as a browser showed it when it was captured.</figcaption></figure>"
        if shown.picture
        else ""
    )
    text = paragraphs or "<p>No text was found in it.</p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<header class="said">
<p>This is the web page <strong dir="ltr">{_safe(shown.url)}</strong></p>
<p>Captured on {_day(shown.date)} with {_safe(shown.software)},
for the archive whose log <strong>{_safe(shown.signer)}</strong> signs.
Unaltered since: this was checked when this file was made.</p>
<p>To check it again, without the archive: <code>onrecord evidence verify FILE</code>. Without that check this page is a
convenience and proves nothing: anybody can write such a page.</p>
</header>
<main>
<h1 dir="auto">{title}</h1>
{text}
{picture}
</main>
{_footer(shown)}
</body>
</html>
""".encode()


def _footer(shown: Shown) -> str:
    stamps = "".join(
        f"<li>{_safe(authority)} says that it existed on {_day(iso(time))}.</li>" for time, authority in shown.stamps
    )
    records = "".join(f"<li><code>{_safe(name)}</code>: {_safe(what)}</li>" for name, what in shown.records)
    return f"""<footer>
<h2>What proves it</h2>
<ul>
<li>The records below are, byte for byte, what was written when the page was captured.</li>
<li>They are part of a log of {shown.runs:,} runs, {_safe(shown.origin)}, that {_safe(shown.signer)} signed.</li>
{stamps or "<li>No time-stamping authority was asked: since when it exists is the signer's word.</li>"}
<li>The text above was made by {_safe(shown.extractor or "no extractor")}
of the record <code>{_safe(shown.made_of)}</code>.
It is no part of what is signed: to check it, make it again from that record.</li>
</ul>
<h2>What does not</h2>
<ul>
<li>Nothing here proves that the server sent this to others too, or that what the page says is true.</li>
<li>The name of the signer is what the key says of itself: ask its holder whether the key is theirs.</li>
</ul>
<h2>Records</h2>
<ol>{records}</ol>
</footer>"""


def _safe(text: str) -> str:
    return html.escape(_UNSEEN.sub("", text))


def _day(date: str) -> str:
    """Return a date as a reader knows it; as it is where it is of another form."""
    found = re.match(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)", date, re.ASCII)
    if found is None or not 1 <= int(found[2]) <= 12:
        return _safe(date)
    return f"{int(found[3])} {_MONTHS[int(found[2]) - 1]} {found[1]} at {found[4]} UTC"


def picture_name(beginning: bytes) -> str | None:
    """Return the name of a picture in a bundle, by its first bytes; None for what browsers would run or cannot show."""
    return next((name for magic, name in PICTURES.items() if beginning.startswith(magic)), None)
