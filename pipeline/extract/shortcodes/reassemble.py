"""Puts a page together again around what is taken out, so that no two paragraphs run into one another."""

from __future__ import annotations

import re

from pipeline.extract.shortcodes.scan import Found

_INLINE = r"</?(?:a|abbr|b|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|u)"
_INLINE_END = re.compile(rf"{_INLINE}(?:\s[^<>]{{0,300}})?>\Z", re.IGNORECASE)
_INLINE_START = re.compile(rf"\s*+{_INLINE}\b", re.IGNORECASE)
_BLOCK = re.compile(r"<(?:p|h[1-6])>")
_TAIL = 400  # characters that tell what the text before a gap ends with


class Writer:
    """Copies a page up to each thing found and writes something, or nothing, in its place."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._position = 0
        self._parts: list[str] = []
        self._tail = ""  # the end of the last text or markup written
        self._gap: Found | None = None  # where a paragraph ended and another may begin
        self._closed = False  # whether the last thing taken out was a closing tag

    def text(self) -> str | None:
        """Return the page as it is now, or None when nothing was taken out."""
        if not self._parts:
            return None
        self._copy(len(self._html))
        return "".join(self._parts)

    def take_out(self, found: Found, *, block: bool, end: int = 0) -> None:
        """Leave something out, up to `end` if that is further; `block`: what is beside it is not of one line."""
        self._copy(found.start)
        closing = found.tag is not None and found.tag.closing
        if block or (self._closed and not closing):
            self._gap = found
        self._closed = closing
        self._go_on(max(found.end, end))

    def replace(self, found: Found, html: str, *, opens: bool = False, closes: bool = False, end: int = 0) -> None:
        """Write something else in the place of what was found, up to `end` if that is further.

        `opens`, `closes`: what is written begins or ends a heading around what follows or precedes.
        """
        self._copy(found.start)
        if _BLOCK.search(html) or closes:
            if found.in_paragraph:
                html = f"{'' if closes else '</p>'}{html}{'' if opens else '<p>'}"
            self._gap = None
        self._put(html)
        self._closed = False
        self._go_on(max(found.end, end))

    def put_last(self, start: int, html: str) -> None:
        """Write something in the place of all that follows `start`."""
        self._copy(start)
        self._put(html)
        self._go_on(len(self._html))

    def _go_on(self, end: int) -> None:
        self._position = end
        if not self._parts:
            self._parts.append("")

    def _copy(self, end: int) -> None:
        if end > self._position:
            self._put(self._html[self._position : end])

    def _put(self, text: str) -> None:
        """Append; where two paragraphs would meet in one line they are parted."""
        if not text.strip():
            self._parts.append(text)
            return
        if self._gap is not None and self._in_line(text):
            self._parts.append("</p>\n<p>" if self._gap.in_paragraph else "<br>\n")
        self._gap = None
        self._closed = False
        self._parts.append(text)
        self._tail = text[-_TAIL:].rstrip()

    def _in_line(self, text: str) -> bool:
        before = self._tail
        if not before or (before.endswith(">") and not _INLINE_END.search(before)):
            return False
        return not text.lstrip().startswith("<") or _INLINE_START.match(text) is not None
