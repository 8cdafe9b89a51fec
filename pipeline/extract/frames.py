"""Frames of a page as parts of it: what a reader sees in them is text of the page around them.

A browser capture's markup has what each visible frame showed (`data-frame-markup`); `srcdoc` holds a frame's page in
the page itself (HTML §4.8.5). Other frames are documents of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_DEEPEST = 4
_MOST = 100  # frames of a page
_LONGEST = 2_000_000  # characters of one frame's markup
_LEAST = 40  # words; a frame with fewer is a button, a counter, an advertisement
_NO_PART = re.compile(r"cookie|consent|sp_message|privacy|captcha|googlead|google_ads|doubleclick", re.IGNORECASE)
_SAYS = ("id", "name", "title", "class", "src", "data-frame-url")
_KEPT = ("id", "class", "style", "hidden", "aria-hidden")
_UNREAD = ("script", "style", "noscript", "template")


def open_frames(tree: HtmlElement, parse: Callable[[str], HtmlElement | None]) -> None:
    """Put the content of frames with a text into the places of their elements; `parse` makes a tree of markup."""
    left = _MOST
    layer = [tree]
    for _ in range(_DEEPEST):
        opened = []
        for each in layer:
            for frame in list(each.iter("iframe", "frame")):
                if left > 0 and (part := _part(frame, parse)) is not None:
                    left -= 1
                    opened.append(part)
        layer = opened
    for frames in [each for each in tree.iter("frameset") if any(child.tag == "div" for child in each)]:
        frames.tag = "body" if frames.getparent() is tree and tree.find("body") is None else "div"


def _part(frame: HtmlElement, parse: Callable[[str], HtmlElement | None]) -> HtmlElement | None:
    """Make an element of a frame's content, in the frame's place; None where it has no text, or is no part."""
    markup = frame.get("data-frame-markup") or frame.get("srcdoc") or ""
    url = frame.get("data-frame-url") or ""
    parent = frame.getparent()
    if not markup or len(markup) > _LONGEST or parent is None:
        return None
    if _NO_PART.search(" ".join(frame.get(name) or "" for name in _SAYS)):
        return None
    page = parse(markup)
    if page is None or _words(page) < _LEAST:
        return None
    if url.startswith(("http:", "https:")):
        page.make_links_absolute(url, resolve_base_href=True, handle_failures="ignore")
    body = page.find("body")
    part: HtmlElement = frame.makeelement("div", {name: frame.attrib[name] for name in _KEPT if name in frame.attrib})
    source = page if body is None else body
    part.text = source.text
    part.extend(list(source))
    part.tail = frame.tail
    parent.replace(frame, part)
    return part


def _words(page: HtmlElement) -> int:
    return sum(len(text.split()) for text in _texts(page))


def _texts(element: HtmlElement) -> Iterator[str]:
    for each in element.iter():
        if isinstance(each.tag, str) and each.tag not in _UNREAD and each.text:
            yield each.text
        if each.tail:
            yield each.tail
