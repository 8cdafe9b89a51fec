"""The numbers of an ordered list, as browsers draw them (WHATWG HTML §4.4.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST = 2_000  # items that are numbered; longer lists are data
_INTEGER = re.compile(r"\s*([+-]?\d{1,9})")
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip


def numbered(element: HtmlElement) -> Iterator[tuple[HtmlElement, str]]:
    """The items of an <ol> with their numbers: "1.", or "a." or "iv." as its type says."""
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
