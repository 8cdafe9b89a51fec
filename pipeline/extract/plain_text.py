"""The lines that an element shows, read plainly: for posts that are too short for a judgement by statistics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extract.seen_parts import is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lxml.html import HtmlElement

_SILENT = {
    "head", "script", "style", "noscript", "template", "nav", "button", "select", "textarea", "svg", "iframe", "object",
    "dialog", "menu", "form", "aside", "footer", "input", "audio", "video", "canvas",
}  # fmt: skip
# Names of what stands beside a post in its box: who wrote it and when, how to share it, what to read next.
_BESIDE = re.compile(
    r"(?:^|[\s_-])(?:meta|post-?info|byline|author\w*|avatar|share\w*|sharing|social|tags?|tag-links|cat-links|categor\w+"
    r"|related|recommend\w*|newsletter|subscribe|breadcrumbs?|pagination|pager|nav|navigation|menu|toolbar|actions?|buttons?"
    r"|controls|likes?|votes?|rating|permalink|timestamp|dateline|sidebar|respond|reply|edit-?link|expand-?link|jump-?link)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LONGEST_NAMES = 300  # characters of an attribute that is looked at
_BLOCKS = {
    "p", "div", "section", "article", "main", "header", "hgroup", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li",
    "dl", "dt", "dd", "blockquote", "pre", "figure", "figcaption", "table", "caption", "tr", "details", "summary",
    "address", "center", "fieldset", "hr", "body",
}  # fmt: skip
_DEEPEST = 200  # elements within each other
_MOST_CHARACTERS = 2_000_000


def lines_of(element: HtmlElement) -> list[str]:
    """Return the lines that a prepared element shows, without menus, forms, and what stands beside a post."""
    reader = _Lines()
    reader.read(element, 0)
    reader.end_line()
    return reader.lines


def plain_text_of(elements: Iterable[HtmlElement]) -> str:
    """Return the lines of several elements, one after another."""
    return "\n".join(line for element in elements for line in lines_of(element))


class _Lines:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._parts: list[str] = []
        self._mark = ""
        self._size = 0

    def read(self, element: HtmlElement, depth: int) -> None:
        """Read an element and what is in it."""
        if depth > _DEEPEST or self._size > _MOST_CHARACTERS:
            return
        tag = element.tag
        if tag == "pre":
            self._verbatim(element)
            return
        block = tag in _BLOCKS
        if tag == "br" or block:
            self.end_line()
        if tag in {"td", "th"} and self._parts:
            self._parts.append(" | ")
        self._say(element.text)
        for child in element:
            if isinstance(child.tag, str) and child.tag not in _SILENT and not self._is_left_out(child):
                if child.tag == "li":
                    self.end_line()
                    self._mark = "- "
                self.read(child, depth + 1)
            self._say(child.tail)
        if block:
            self.end_line()
            if tag == "li":
                self._mark = ""

    def _is_left_out(self, child: HtmlElement) -> bool:
        """Return whether a child is no part of a post; within a line, names do not matter."""
        return is_hidden(child) if "".join(self._parts).strip() else stands_beside(child)

    def _say(self, text: str | None) -> None:
        if text:
            self._parts.append(text)
            self._size += len(text)

    def _verbatim(self, element: HtmlElement) -> None:
        self.end_line()
        self.lines += [line.rstrip() for line in _words(element) if line.strip()]

    def end_line(self) -> None:
        """Close the line that was begun, if it has any words."""
        line = " ".join("".join(self._parts).split())
        self._parts.clear()
        if line:
            self.lines.append(self._mark + line)
            self._mark = ""


def _words(element: HtmlElement) -> Iterator[str]:
    yield from "".join(element.itertext()).splitlines()


def stands_beside(element: HtmlElement) -> bool:
    """Return whether an element is hidden, or named as what stands beside a post in its box."""
    if is_hidden(element):
        return True
    if element.tag in {"p", "h1", "h2", "em", "strong", "b", "i", "blockquote", "li", "article", "main", "body"}:
        return False
    return any(
        name is not None and len(name) < _LONGEST_NAMES and _BESIDE.search(name) is not None
        for name in (element.get("class"), element.get("id"))
    )
