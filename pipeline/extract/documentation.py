"""What pages of documentation have and articles do not: sections named by their headings, notes in boxes, cards."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.main_content import letters, prose_of, text_in
from pipeline.extract.plain_text import lines_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CALLOUT = re.compile(
    r"(?:^|[\s_-])(?:admonition|callout|notes?|notice|tip|hint|warning|caution|important|danger|alert|pitfall|attention"
    r"|remark|template-box|starlight-aside)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LONGEST_NAMES = 300  # characters of a class attribute that is looked at
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_RUNNING = {"p", "pre", "ul", "ol", "dl", "table", "div", "section", *_HEADINGS[1:]}
_BLOCKS = ("p", "div", "ul", "ol", "dl", "table", "blockquote", "pre", "section", "article", "form", *_HEADINGS)
_LEAST_WORDS = 4  # of a note
_FEWEST_CARDS, _MOST_LINKS, _MOST_PARAGRAPHS = 3, 5_000, 2_000
_LEAST_CARD, _LONGEST_CARD = 30, 600  # characters of a card's words
_MAIN, _HIGHEST = {"main", "article"}, 40
_APART = {"nav", "header", "footer", "aside"}


def free_of_its_name(element: HtmlElement) -> None:
    """Take the id of a section that repeats its heading: "related-hidden-fields" says nothing of what it is for."""
    name = element.get("id")
    if name is None or not len(element) or len(name) >= _LONGEST_NAMES:
        return
    heading = next((child for child in islice(element, 3) if child.tag in _HEADINGS), None)
    if heading is not None and (words := letters(name)) and letters(text_in(heading)[:_LONGEST_NAMES]) in words:
        del element.attrib["id"]


def note_in_box(element: HtmlElement) -> None:
    """Make a note that stands among paragraphs one of them, whatever the element of its box."""
    names = element.get("class")
    named = element.get("role") == "note" or (names is not None and is_callout(names))
    if not named or not _stands_in_text(element):
        return
    if next(element.iterdescendants(*_BLOCKS), None) is not None:
        if element.tag == "aside":
            element.tag = "div"
            element.attrib.clear()
    elif prose_of(element) or len(text_in(element).split()) >= _LEAST_WORDS:
        element.tag = "p"
        element.attrib.clear()


@lru_cache(maxsize=20_000)  # pages repeat their names
def is_callout(names: str) -> bool:
    """Return whether a class attribute is that of a note, a tip, a warning and the like."""
    return len(names) < _LONGEST_NAMES and _CALLOUT.search(names) is not None


def _stands_in_text(element: HtmlElement) -> bool:
    near = (element.getprevious(), element.getnext())
    tags = {beside.tag for beside in near if beside is not None}
    return bool(tags) and tags <= _RUNNING and not tags <= {"div", "section"}


def open_cards(tree: HtmlElement) -> None:
    """Make paragraphs of cards, which are links with a description, where the main part of a page is made of them."""
    groups: dict[HtmlElement, list[HtmlElement]] = defaultdict(list)
    for link in islice(tree.iter("a"), _MOST_LINKS):
        if len(link) and _is_card(link) and (box := _grid(link)) is not None:
            groups[box].append(link)
    grids = [cards for cards in groups.values() if len(cards) >= _FEWEST_CARDS]
    if not grids:
        return
    if _is_article(tree):
        return
    cards = [card for group in grids for card in group]
    inside = {paragraph for card in cards for paragraph in card.iter("p")}
    prose = sum(prose_of(each) for each in islice(tree.iter("p"), _MOST_PARAGRAPHS) if each not in inside)
    if prose > sum(len(text_in(card)) for card in cards):
        return
    for card in cards:
        _open(card)


def _is_card(link: HtmlElement) -> bool:
    if next(link.iterdescendants("div", "p"), None) is None or next(link.iterdescendants("time"), None) is not None:
        return False
    return _LEAST_CARD <= len(" ".join(text_in(link).split())) <= _LONGEST_CARD


def _grid(link: HtmlElement) -> HtmlElement | None:
    """Return the box of a card's row, None where it lies outside of the main part of a page."""
    box = link.getparent()
    while box is not None and len(box) == 1:  # each card may have a box of its own
        box = box.getparent()
    if box is None:
        return None
    for above in islice(link.iterancestors(), _HIGHEST):
        if above.tag in _APART:
            return None
        if above.tag in _MAIN or above.get("role") == "main":
            return box
    return None


def _is_article(tree: HtmlElement) -> bool:
    """Return whether a page says that it is an article: its cards are teasers of others."""
    for meta in tree.iter("meta"):
        if meta.get("property") == "og:type" and (meta.get("content") or "").lower() == "article":
            return True
    data = (script.text or "" for script in tree.iter("script") if "ld+json" in (script.get("type") or ""))
    return any("NewsArticle" in text for text in data)


def _open(card: HtmlElement) -> None:
    lines, tail = lines_of(card), card.tail
    card.clear()
    card.tag, card.tail = "div", tail
    for line in lines:
        paragraph = card.makeelement("p")
        paragraph.text = line
        card.append(paragraph)
