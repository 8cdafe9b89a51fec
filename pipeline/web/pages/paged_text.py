"""A document's text beside pictures of its pages: paragraphs by the page on which they begin, hits marked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from markupsafe import Markup, escape

from archive.model import Article, Passage, Structure
from pipeline.web.common.safe_text import harmless

PAGES = 10  # of a document, shown at once
_TERM = re.compile(r'(-?)(?:(?:title|author|text|comments):)?(?:"([^"]*)"|(\S+))')
_MOST_TERMS = 40
_MOST_HITS = 200  # boxes on one page


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page with its paragraphs, and the boxes of the paragraphs that have all the words."""

    number: int
    width: float
    height: float
    paragraphs: tuple[Markup, ...]
    hits: tuple[tuple[float, float, float, float], ...]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class PagedText:
    """Some pages of a document, which of `count` groups they are, and the number of the first page with a hit."""

    pages: tuple[ShownPage, ...]
    group: int
    count: int
    hit: int | None


def paged(article: Article, structure: Structure, looked_for: str, group: int) -> PagedText:
    """Return a group of pages, counted from 1; 0 for that of the first hit, or the first."""
    terms = _terms(looked_for)
    text = article.text or ""
    hits = [each for each in structure.paragraphs if terms and _has(text[each.start : each.end], terms)]
    first = next((int(each.boxes[0][0]) for each in hits if each.boxes), None)
    count = max(-(-len(structure.pages) // PAGES), 1)
    group = min(group or (((first or 1) - 1) // PAGES + 1), count)
    numbers = range((group - 1) * PAGES + 1, min(group * PAGES, len(structure.pages)) + 1)
    by_page: dict[int, list[Passage]] = {number: [] for number in numbers}
    for passage in structure.paragraphs:
        page = int(passage.boxes[0][0]) if passage.boxes else len(structure.pages)
        if page in by_page:
            by_page[page].append(passage)
    marked = set(map(id, hits))
    pages = tuple(
        ShownPage(
            number,
            *structure.pages[number - 1],
            tuple(_written(text[each.start : each.end], each.kind, is_hit=id(each) in marked) for each in found),
            _boxes(hits, number),
        )
        for number, found in by_page.items()
    )
    return PagedText(pages, group, count, first)


def _boxes(hits: list[Passage], page: int) -> tuple[tuple[float, float, float, float], ...]:
    found = [box[1:] for each in hits for box in each.boxes if box[0] == page][:_MOST_HITS]
    return tuple((left, top, right - left, foot - top) for left, top, right, foot in found)


def _written(text: str, kind: str, *, is_hit: bool) -> Markup:
    tag = "h3" if kind == "heading" else "p"
    name = " ".join(filter(None, ("note" if kind == "note" else "", "hit" if is_hit else "")))
    opening = Markup('<{} dir="auto" class="{}">').format(tag, name)
    return opening + escape(harmless(text)) + Markup("</{}>").format(tag)


def _terms(looked_for: str) -> list[str]:
    """Return the words and phrases that must be there, without accents and in small letters."""
    found = [(sign, phrase or word) for sign, phrase, word in _TERM.findall(looked_for)[:_MOST_TERMS]]
    terms = (_plain(term).strip("* ") for sign, term in found if not sign)
    return [term for term in terms if any(letter.isalnum() for letter in term)]


def _has(text: str, terms: list[str]) -> bool:
    plain = _plain(text)
    return all(term in plain for term in terms)


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
