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
_LINK_NAMES = re.compile(
    r"(?:^|[\s#_-])(?:foot|end)?-?(?:notes?|fn|ftn|ref|cite|anmerkung)(?:$|[\s_\d:.-])", re.IGNORECASE
)
_LONGEST = 200  # characters of an attribute that is looked at
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


def write_note_links(element: HtmlElement) -> None:
    """Bracket the number of a link to a note, and put the number of a note before its words."""
    href = (element.get("href") or "")[:_LONGEST]
    if not href.startswith("#") or element.getparent() is None or element.getparent().tag == "sup":
        return
    names = f"{href} {element.get('id') or ''} {element.get('class') or ''}"[: 3 * _LONGEST]
    match = _NOTE_MARK.match(text_in(element)[:20])
    if match is None or not _LINK_NAMES.search(names):
        return
    number, tail = f"[{match[1]}]", element.tail
    words = _words_behind(element)
    if words is not None:
        words.text = f"{number} {(words.text or '').lstrip()}"
        number = ""
    element.clear()
    element.text, element.tail, element.tag = number, tail, NO_TAG


def _words_behind(element: HtmlElement) -> HtmlElement | None:
    """Return the paragraph of a note whose number stands before it in a box of its own."""
    after = element.getnext()
    if (
        element.getprevious() is not None
        or (element.tail or "").strip()
        or after is None
        or after.tag not in {"div", "p"}
    ):
        return None
    return after if after.tag == "p" else next(after.iter("p"), after)


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
