"""Streamed pages (React 18): later parts come at the end, hidden, and a script moves each one to its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST_PARTS = 500  # of a streamed page; a real one has dozens
_STREAMED = etree.XPath("//div[@hidden and starts-with(@id, 'S:')]")
_PLACES = etree.XPath("//*[starts-with(@id, 'B:') or starts-with(@id, 'P:')]")


def put_in_place(tree: HtmlElement) -> None:
    """Move each later part of a streamed page to the template that it belongs to, as the page's script would."""
    parts = _STREAMED(tree)
    if not 0 < len(parts) <= _MOST_PARTS:
        return
    places: dict[str, HtmlElement] = {}
    for place in _PLACES(tree):
        places.setdefault(place.get("id"), place)
    for part in parts:
        number = part.get("id")[1:]
        place = places.get(f"B{number}", places.get(f"P{number}"))
        del part.attrib["hidden"]
        if place is None or place.getparent() is None or any(above is part for above in place.iterancestors()):
            continue
        part.tail = None  # it would move along
        place.addnext(part)
