"""The prose that a page shows before any click, or that a button of the page reveals: found in one walk over its tree.

The extracted text is held against it (`text_guard`), and it is read instead where an extractor has next to nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

from pipeline.extract.hiding_rules import hiding_names, is_hidden_by
from pipeline.extract.seen_parts import has_hiding_style, hides

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SILENT = frozenset({
    "head", "script", "style", "noscript", "template", "button", "select", "textarea", "svg", "math", "iframe",
    "object", "canvas", "audio", "video", "datalist", "title", "map", "label", "noframes", "nav", "menu",
})  # fmt: skip
_SILENT_ROLES = frozenset(
    {"navigation", "menu", "menubar", "search", "toolbar", "tablist", "dialog", "alertdialog", "tooltip", "listbox"}
)
_APART = frozenset({"aside", "footer"})
_APART_ROLES = frozenset({"contentinfo", "complementary"})
_APART_NAMES = re.compile(
    r"(?:^|[\s_-])(?:comments?|commentlist|comment-?list|disqus\w*|respond|sidebar\w*|footer|related|recommend\w*|cookies?|gdpr"
    r"|newsletter|modal|popup|pop-up|teasers?|promo|disclaimer|copyright|legal|subscribe|widget)(?:$|[\s_-])",
    re.IGNORECASE,
)
_APART_HINTS = (  # one of them is in whatever the expression finds, and they are quicker to look for
    "comment", "disqus", "respond", "sidebar", "footer", "related", "recommend", "cookie", "gdpr", "newsletter",
    "modal", "popup", "pop-up", "teaser", "promo", "disclaimer", "copyright", "legal", "subscribe", "widget",
)  # fmt: skip
_WHOLE = frozenset(
    {"html", "body", "main", "article"}
)  # scripts reveal them, where a page hides them until it is drawn
_INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub", "sup",
    "time", "tt", "u", "var", "wbr", "nobr",
})  # fmt: skip
_NO_BOXES = _INLINE | {"p"}  # whose names do not say that they stand apart
_FEWEST = 8  # words of a block that can be prose
_LINKED = 0.5  # of a block's characters, in links, at which it is a menu
_LONGEST_NAMES = 300  # characters of an attribute that is looked at
_HEADLINE = 4  # words of a link at a block's beginning: a teaser of another page
_MOST = 4_000_000  # characters that are gathered
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_WORDS = re.compile(rf"[{_UNSPACED}]{{1,2}}|[^\W{_UNSPACED}]+")


_SHOWN, _BESIDE, _LEFT_OUT = range(3)
_LOOKED_AT = frozenset({"class", "id", "style", "role"})


@dataclass(frozen=True, slots=True)
class Block:
    """What one block of a page shows; `apart` from its main part: in a footer, a sidebar, readers' comments."""

    text: str
    words: list[str]
    apart: bool


def words_of(text: str) -> list[str]:
    """Return a text's words; two signs count as one word in scripts that set no spaces."""
    return text.split() if text.isascii() or not _IS_UNSPACED.search(text) else _WORDS.findall(text)


def visible_blocks(tree: HtmlElement) -> list[Block]:
    """Return the blocks of prose that a page shows, in document order; menus and what is hidden are left out."""
    body = tree.find("body") if tree.tag == "html" else tree
    return _Walk(body, hiding_names(tree)).blocks() if body is not None else []


class _Walk:
    def __init__(self, body: HtmlElement, hiding: frozenset[str]) -> None:
        self._body = body
        self._hiding = hiding
        self._found: list[Block] = []
        self._seen: set[str] = set()
        self._parts: list[str] = []
        self._length = 0  # characters of the parts
        self._link: HtmlElement | None = None  # that is open
        self._before = 0  # characters of the block before it
        self._apart: HtmlElement | None = None
        self._linked = 0  # characters of the block in links
        self._headed = False  # by a link
        self._size = 0

    def blocks(self) -> list[Block]:
        """Walk over the page and return what it shows."""
        walk = etree.iterwalk(self._body, events=("start", "end"))
        for event, element in walk:
            tag = element.tag
            if event == "start":
                if tag in _SILENT or not isinstance(tag, str) or (kind := _kind_of(element, self._hiding)) == _LEFT_OUT:
                    walk.skip_subtree()
                    if tag not in _INLINE:
                        self._end()
                    continue
                self._begin(element, tag, kind)
                if text := element.text:
                    self._say(text)
                continue
            if element is self._link:
                self._end_link()
            elif tag not in _INLINE and tag not in _SILENT and tag != "br":
                self._end()
                if element is self._apart:
                    self._apart = None
            if (text := element.tail) and element is not self._body:
                self._say(text)
        self._end()
        return self._found

    def _say(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _begin(self, element: HtmlElement, tag: str, kind: int) -> None:
        if tag == "a":
            if self._link is None:
                self._link, self._before = element, self._length
        elif tag == "br":
            self._say("\n")
        elif tag not in _INLINE:
            self._end()
            if self._apart is None and ((kind == _BESIDE and tag not in _NO_BOXES) or tag in _APART):
                self._apart = element

    def _end_link(self) -> None:
        self._link = None
        if not self._linked:  # the first of the block
            words = "".join(self._parts)
            before = words[: self._before]
            self._headed = not before.strip() and len(words[self._before :].split()) >= _HEADLINE
        self._linked += self._length - self._before

    def _end(self) -> None:
        """Close the block that was begun."""
        parts = self._parts
        if not parts:
            return
        text = "".join(parts)
        linked, headed = self._linked, self._headed
        self._linked, self._headed, self._before, self._length = 0, False, 0, 0
        parts.clear()
        if self._link is not None or headed or self._size > _MOST or text.isspace():
            return
        self._size += len(text)
        words = words_of(text)
        if len(words) >= _FEWEST and linked < _LINKED * len(text.strip()) and text not in self._seen:
            self._seen.add(text)  # some pages hold an article several times, and show one of them
            self._found.append(Block(text, words, self._apart is not None))


def _kind_of(element: HtmlElement, hiding: frozenset[str]) -> int:
    """Return whether an element is shown, beside the main part perhaps, or left out."""
    kind = _SHOWN
    classes = own = None
    for name, value in element.items():
        if name in _LOOKED_AT:
            kind = max(kind, _by_attribute(name, value))
            classes = value if name == "class" else classes
            own = value if name == "id" else own
    if hiding and (classes or own) and is_hidden_by(hiding, own, classes):
        kind = _LEFT_OUT
    return kind if kind == _SHOWN or element.tag not in _WHOLE else _SHOWN


@lru_cache(maxsize=20_000)  # pages repeat their names
def _by_attribute(name: str, value: str) -> int:
    if name == "role":
        return _LEFT_OUT if value in _SILENT_ROLES else _BESIDE if value in _APART_ROLES else _SHOWN
    if name == "style":
        return _LEFT_OUT if has_hiding_style(value) else _SHOWN
    if name == "class" and hides(value):
        return _LEFT_OUT
    if len(value) >= _LONGEST_NAMES or not any(map(value.lower().__contains__, _APART_HINTS)):
        return _SHOWN
    return _BESIDE if _APART_NAMES.search(value) else _SHOWN
