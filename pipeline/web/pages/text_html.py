"""A document's text as HTML: paragraphs, headings, lists, quotations, and links to the web that tell it nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

from pipeline.web.common.safe_text import harmless

_HEADING = re.compile(r"(#{1,6})\s+(\S.*)")
_ITEM = re.compile(r"[-*\u2022]\s+(\S.*)")
_NUMBERED = re.compile(r"(\d{1,6})[.)]\s+(\S.*)")
_QUOTE = re.compile(r">\s?(.*)")
_LINK = re.compile(
    r"\[([^\[\]]{1,500})\]\((https?://[^\s()<>\"]{1,2000})\)|(https?://[^\s<>\"\u201c\u201d()\[\]{}]{1,2000})"
)
_TRAILING = ".,;:!?'\u2019"
_REL = "noreferrer noopener nofollow external"


def prose_of(text: str) -> Markup:
    """Return a text's lines as paragraphs and the like; every character of it is escaped."""
    return Markup("\n").join(_blocks(harmless(text).split("\n")))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    """Lines one by one; those of a list or a quotation that follow each other are one block."""
    levels = [len(match[1]) for line in lines if (match := _HEADING.fullmatch(line.strip()))]
    highest = min(levels, default=1)  # it comes right below the page's own title
    position = 0
    while position < len(lines):
        line = lines[position].strip()
        position += 1
        if not line:
            continue
        if match := _HEADING.fullmatch(line):
            level = min(len(match[1]) - highest + 2, 6)
            yield Markup('<h{0} dir="auto">{1}</h{0}>').format(level, inline(match[2]))
        elif kind := next((kind for kind in (_ITEM, _NUMBERED, _QUOTE) if kind.fullmatch(line)), None):
            begin = position - 1
            while position < len(lines) and kind.fullmatch(lines[position].strip()):
                position += 1
            yield _group(kind, [line.strip() for line in lines[begin:position]])
        else:
            yield Markup('<p dir="auto">') + inline(line) + Markup("</p>")


def _group(kind: re.Pattern[str], lines: list[str]) -> Markup:
    matches = [match for line in lines if (match := kind.fullmatch(line))]
    if kind is _QUOTE:
        parts = [Markup('<p dir="auto">') + inline(match[1]) + Markup("</p>") for match in matches if match[1].strip()]
        return Markup("<blockquote>") + Markup("").join(parts) + Markup("</blockquote>")
    if kind is _ITEM:
        items = [Markup('<li dir="auto">') + inline(match[1]) + Markup("</li>") for match in matches]
        return Markup("<ul>") + Markup("").join(items) + Markup("</ul>")
    numbered = [
        Markup('<li dir="auto" value="{}">{}</li>').format(int(match[1]), inline(match[2])) for match in matches
    ]
    return Markup("<ol>") + Markup("").join(numbered) + Markup("</ol>")


def inline(line: str) -> Markup:
    """Return a line with its web addresses as links."""
    parts: list[Markup] = []
    position = 0
    for match in _LINK.finditer(line):
        url, label = (match[2], match[1]) if match[2] else (match[3].rstrip(_TRAILING), "")
        end = match.end() if match[2] else match.start() + len(url)
        parts += [escape(line[position : match.start()]), link(url, label or url)]
        position = end
    return Markup("").join([*parts, escape(line[position:])])


def link(url: str, label: str) -> Markup:
    """Return a link to the web of today, which sends no referrer.

    Text where it is no web address.
    """
    if not url.lower().startswith(("http://", "https://")):
        return Markup("<bdi>{}</bdi>").format(label)
    return Markup('<a href="{}" rel="{}"><bdi>{}</bdi></a>').format(url, _REL, label)
