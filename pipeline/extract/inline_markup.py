"""Inline markup made plain: elements that a page hides, names that trafilatura judges by, quotations."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

from pipeline.extract.main_content import text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

NO_TAG = "x-none"  # of elements whose words stay: taking tags out one by one takes quadratic time
DROPPED = {"time", "label", "button"}  # which trafilatura drops with their words
_HIDDEN_NAMES = re.compile(
    r"(?:^|[\s_-])(?:sr-only|screen-reader\S*|visually-?hidden|hidden|hide|tooltip\S*|noprint)(?:$|\s)", re.IGNORECASE
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_FRAME = {"nav", "header"}
_NAMED_HIDDEN = etree.XPath(
    "//*[self::nav or self::header or contains(@class, 'hid')"
    " and (self::div or self::section or self::main or self::article)]"
)
_MUCH = 1_000  # characters of paragraphs
_LONGEST_NAMES = 300  # characters of an attribute that is looked at


def hidden(element: HtmlElement) -> bool:
    """Return whether a page hides an element from its readers, as far as the markup says."""
    get = element.get
    return (
        get("hidden") is not None
        or get("aria-hidden") == "true"
        or has_name(_HIDDEN_STYLE, get("style"))
        or has_name(_HIDDEN_NAMES, get("class"))
    )


def uncover(tree: HtmlElement) -> None:
    """Take from what holds most of a page's words the names that trafilatura leaves out: readers see those words.

    Such names hide on small screens only, or stand on a menu whose end the parser did not find.
    """
    half = sum(len(text_in(each)) for each in tree.iter("p")) / 2
    for element in _NAMED_HIDDEN(tree) if half >= _MUCH / 2 else ():
        frame = element.tag in _FRAME
        if (frame or has_name(_HIDDEN_NAMES, element.get("class"))) and _has_paragraphs_of(element, max(half, _MUCH)):
            for name in ("class", "id", "role"):
                element.attrib.pop(name, None)
            if frame:
                element.tag = "div"


def _has_paragraphs_of(element: HtmlElement, least: float) -> bool:
    return sum(len(text_in(each)) for each in element.iter("p")) >= least


@lru_cache(maxsize=20_000)  # pages repeat their names
def has_name(pattern: re.Pattern[str], value: str | None) -> bool:
    """Return whether an attribute's value matches; a value of extreme length is not looked at."""
    return value is not None and len(value) < _LONGEST_NAMES and pattern.search(value) is not None


def make_plain(inner: HtmlElement) -> None:
    """Take from an inline element the names that trafilatura judges it by; take out what it hides."""
    if hidden(inner):
        _take_out(inner)
        return
    if inner.tag in DROPPED:
        inner.tag = "span"
        inner.attrib.clear()
    elif inner.get("class") or inner.get("id"):
        for name in ("class", "id", "style", "role"):
            inner.attrib.pop(name, None)


def _take_out(inner: HtmlElement) -> None:
    """Take out words that nobody sees, which trafilatura keeps. What is read out stays, except in links."""
    get = inner.get
    if get("hidden") is None and not has_name(_HIDDEN_STYLE, get("style")) and inner.getparent().tag != "a":
        return
    if inner.tag not in {"em", "strong", "b", "i", "u"}:
        tail = inner.tail
        inner.clear()
        inner.tail, inner.tag = tail, NO_TAG


def enclose(element: HtmlElement, before: str, after: str) -> None:
    """Put text at an element's beginning and end."""
    element.text = before + (element.text or "")
    if len(element):
        element[-1].tail = (element[-1].tail or "") + after
    else:
        element.text += after


def quote(element: HtmlElement) -> None:
    """Put a short quotation in the marks that browsers draw around it; trafilatura would begin a line."""
    enclose(element, "\u201c", "\u201d")
    element.tag = NO_TAG
