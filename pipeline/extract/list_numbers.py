"""The numbers of an ordered list, as browsers draw them (WHATWG HTML §4.4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST = 2_000  # items that are numbered; longer lists are data
_LISTS = {"ol", "ul", "dl"}
_BOXES = {
    "div", "article", "section", "main", "header", "figure", "details", "blockquote", "center", "h1", "h2", "h3", "h4",
    "h5", "h6", *_LISTS,
}  # fmt: skip
_SILENT = {"script", "style", "template", "noscript", "svg", "button", "select", "footer", "nav", "aside", "form"}
_INTEGER = re.compile(r"\s*([+-]?\d{1,9})")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def numbered(element: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    """Yield the items of an <ol> with their numbers: "1.", or "a." or "iv." as its type says."""
    items = [item for item in element if item.tag == "li"][: _MOST + 1]
    if len(items) > _MOST:
        return
    down = element.get("reversed") is not None
    number = _integer(element.get("start"), len(items) if down else 1)
    kind = element.get("type") or "1"
    for item in items:
        number = _integer(item.get("value"), number)
        yield item, f"{_shape(number, kind)}."
        number += -1 if down else 1


def place_for_number(item: HtmlElement) -> HtmlElement | None:
    """Return the element of a list item whose text the number is put before; None where the item shows no text.

    An item's text may begin inside of boxes: a number in the item itself would then stand on a line alone.
    """
    at = item
    while not (at.text or "").strip():
        first = next((child for child in at if _shows_text(child) or (child.tail or "").strip()), None)
        if first is None:
            return None
        if not _shows_text(first) or first.tag not in _BOXES:
            break
        if first.tag in _LISTS:
            return None  # the inner list has its own numbers
        at = first
    return at


def _shows_text(element: HtmlElement) -> bool:
    return element.tag not in _SILENT and any(text.strip() for text in element.itertext())


def _integer(value: str | None, otherwise: int) -> int:
    match = _INTEGER.match(value or "")
    return int(match[1]) if match else otherwise


def _shape(number: int, kind: str) -> str:
    if kind in {"i", "I"} and 0 < number < 4000:
        shaped = _roman(number)
    elif kind in {"a", "A"} and 0 < number <= 26:
        shaped = chr(ord("a") + number - 1)
    else:
        return str(number)
    return shaped if kind.islower() else shaped.upper()


def _roman(number: int) -> str:
    shaped = ""
    for value, sign in _ROMAN:
        while number >= value:
            shaped += sign
            number -= value
    return shaped
