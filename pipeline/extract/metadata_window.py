"""The part of a long page that is searched for metadata: looking at all of it would cost as much as the text does."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_FIRST, _LAST = 400, 100  # elements of a long body
_BEFORE, _BEHIND = 80, 200  # elements around a heading of the first rank
_MOST_HEADINGS, _MOST_NAMED, _MOST_INSIDE = 3, 100, 20
_NAMES = re.compile(
    r"author|byline|writer|headline|published|pubdate|dateline|(?:^|[\s_-])(?:date|posted|dt-published|p-name)(?:$|[\s_-])"
    r"|(?:entry|post|article)[_-]{1,2}(?:title|date|meta|header|info)",
    re.IGNORECASE,
)
_LONGEST_NAMES = 300  # characters of an attribute that is looked at
_ATTRIBUTES = ("class", "id", "itemprop", "rel", "data-testid", "data-component", "pubdate")
_APART = re.compile(r"comment|related|recommend|sidebar|teaser|promo|widget|footer|disqus", re.IGNORECASE)


def window_of(tree: HtmlElement) -> HtmlElement:
    """Return the tree with the parts of its body where pages say who wrote them and when; a short page as it is.

    These are the first and last elements, those around the headings of the first rank, elements that are named as
    title, byline or date, and all JSON-LD. The rest is left out of a copy.
    """
    body = tree.find("body")
    if body is None or sum(1 for _ in body.iter()) <= _FIRST + _LAST:
        return tree
    tree = deepcopy(tree)
    body = tree.find("body")
    elements = list(body.iter())
    kept = {*elements[:_FIRST], *elements[-_LAST:], *_around_headings(elements)}
    for element in islice(_named(elements), _MOST_NAMED):
        kept.update(islice(element.iter(), _MOST_INSIDE))
    kept.update(element for element in body.iter("script") if element.get("type") == "application/ld+json")
    kept |= {above for element in kept for above in element.iterancestors()}
    for element in elements[_FIRST:]:
        parent = element.getparent()
        if element not in kept and parent in kept:
            parent.remove(element)
    return tree


def _around_headings(elements: list[HtmlElement]) -> Iterator[HtmlElement]:
    places = (place for place, element in enumerate(elements) if element.tag == "h1")
    for place in islice(places, _MOST_HEADINGS):
        yield from elements[max(place - _BEFORE, 0) : place + _BEHIND]


def _named(elements: list[HtmlElement]) -> Iterator[HtmlElement]:
    """Yield the elements behind the first ones that are named as metadata, but for those of comments and teasers."""
    for element in elements[_FIRST:]:
        if isinstance(element.tag, str) and _has(element, _NAMES, _ATTRIBUTES):
            if any(_has(above, _APART, ("class", "id")) for above in islice(element.iterancestors(), 20)):
                continue
            yield element


def _has(element: HtmlElement, names: re.Pattern[str], attributes: tuple[str, ...]) -> bool:
    for name, value in element.items():  # noqa: SIM110 - asked of every element, and a generator costs twice as much
        if name in attributes and _says(names, value or name):
            return True
    return False


@lru_cache(maxsize=20_000)  # pages repeat their names
def _says(names: re.Pattern[str], value: str) -> bool:
    return len(value) < _LONGEST_NAMES and names.search(value) is not None
