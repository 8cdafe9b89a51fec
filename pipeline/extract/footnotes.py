"""Footnotes: the marks that refer to them, the ways back, and the parts of a page that hold them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from pipeline.extract.inline_markup import NO_TAG, has_name
from pipeline.extract.main_content import text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_NOTES = re.compile(r"(?:^|[\s_-])(?:foot-?notes?|end-?notes?)(?:$|[\s_-])", re.IGNORECASE)
_NOTE_ROLES = {"doc-footnote", "doc-endnote", "doc-endnotes", "footnote", "footnotes", "endnote", "endnotes"}
_BACK = re.compile(r"[\s\ufe0e\[\]()]*[\u21a9\u2191\u2934\u21b5^][\s\ufe0e\[\]()]*\Z")
_NOTE_MARK = re.compile(r"\s*[\[(]?\s*(\d{1,4}|[a-z]|[ivxl]{1,6}|[*\u2020\u2021\u00a7])\s*[\])]?\s*\Z", re.IGNORECASE)
_MAYBE_NOTES = etree.XPath(
    "//*[self::aside or self::section or self::div or self::ol]"
    "[contains(@class, 'note') or contains(@id, 'note') or contains(@role, 'note') or contains(@epub:type, 'note')]",
    namespaces={"epub": "http://www.idpf.org/2007/ops"},
)


def bracket_mark(element: HtmlElement) -> None:
    """Put the number that refers to a note in brackets, apart from the word before it."""
    link = element if element.getparent().tag == "a" else element.find("a")
    if link is not None and (match := _NOTE_MARK.match(text_in(element)[:20])):
        tail = element.tail
        element.clear()
        element.text, element.tail = f"[{match[1]}]", tail
        element.tag = NO_TAG


def drop_way_back(element: HtmlElement) -> None:
    """Take out the arrow that leads from a note to its place: it is no text."""
    if (element.get("href") or "").startswith("#") and _BACK.match(text_in(element)[:20]):
        element.drop_tree()


def note_containers(tree: HtmlElement) -> list[HtmlElement]:
    """Return the elements of a page that hold its footnotes."""
    return [element for element in _MAYBE_NOTES(tree) if _named_notes(element)]


def _named_notes(element: HtmlElement) -> bool:
    get = element.get
    role = get("role") or get("epub:type")
    if role and role.lower() in _NOTE_ROLES:
        return True
    return has_name(_NOTES, get("class")) or has_name(_NOTES, get("id"))
