"""The authors that a page's own markup names: in its head, and in the line below its heading."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.author_names import names_in
from pipeline.extract.main_content import has_at_most, words_of_line
from pipeline.extract.seen_parts import is_hidden

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CITED = {"citation_author", "dc.creator", "dcterms.creator", "dc.contributor.author"}  # one each
_SAID = {
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "byl",
    "article:author_name",
    "cxenseparse:author",
}
_WRITTEN = "written by"
_BYLINE = re.compile(
    r"\s*(?:by|written by|posted by|published by|words by|von|de|par|por|di|door)\b[\s:]+(?P<names>\S.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_PROFILE = re.compile(
    r"/(?:authors?|profiles?|people|staff|contributors?|writers?|editors|team|reporters?)/", re.IGNORECASE
)
_ENDS = re.compile(
    r"\s+(?:on|at|am|in|le|el)\s+\S*\d.*\Z|\s*[|\u2022\u00b7/]\s.*\Z|\s+[-\u2013\u2014]\s.*\Z"
    r"|[,\s]+(?:published|updated|posted|last updated|reviewed|fact.checked|medically|edited)\b.*\Z"
    r"|[,\s]+\w+\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}.*\Z|[,\s]+\d{1,4}[\s./-].*\Z",
    re.DOTALL | re.IGNORECASE,
)
_APART = re.compile(r"comment|related|recommend|sidebar|teaser|footer|disqus", re.IGNORECASE)
_BEFORE, _BEHIND = 40, 160  # elements around a heading of the first rank
_LONGEST, _LONGEST_NAME, _MOST_WORDS = 120, 60, 5
_NO_BYLINES = {"script", "style", "noscript", "h1", "h2", "h3", "meta", "link", "svg"}


def authors_in_head(tree: HtmlElement) -> str | None:
    """Return the authors that the <meta> elements name, "; " between them."""
    cited: list[str] = []
    said: list[str] = []
    labels: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("name") or meta.get("property") or "").strip().lower()
        value = " ".join((meta.get("content") or "").split())
        if not value or "://" in value or len(value) > 4 * _LONGEST:
            continue
        if name in _CITED:
            cited.append(_in_order(value) if name.startswith("citation") else value)
        elif name in _SAID:
            said.append(_separated(value))
        elif name.startswith("twitter:label"):
            labels[name[-1:]] = value.lower()
        elif name.startswith("twitter:data") and labels.get(name[-1:]) == _WRITTEN:
            said.append(value)
    return next((names for found in ("; ".join(cited), *said) if (names := names_in(found))), None)


def author_in_microdata(tree: HtmlElement) -> str | None:
    """Return the author of the first thing that microdata describe, or None."""
    for element in tree.iter("span", "div", "a", "p", "meta", "address", "li"):
        if element.get("itemprop") == "author" and not _stands_apart(element, None):
            inner = next((each for each in element.iter() if each.get("itemprop") == "name"), element)
            words = " ".join((inner.get("content") or _words(inner)).split())
            return names_in(words) if len(words) <= _LONGEST_NAME else None
    return None


def author_in_byline(tree: HtmlElement) -> str | None:
    """Return the authors that the line above or below the page's heading names, or None."""
    around, above = _around_heading(tree)
    for element in around:
        words = words_of_line(element, _LONGEST)
        match = _BYLINE.match(words) if words is not None else None
        if match and (names := _names(match["names"])) and _is_of_page(element, above):
            return names
    for element in around:
        if element.tag != "a":
            continue
        leads = element.get("rel") == "author" or _PROFILE.search((element.get("href") or "")[:300])
        if leads and (names := _names(" ".join(_words(element).split()))) and _is_of_page(element, above):
            return names
    return None


def _words(element: HtmlElement) -> str:
    """Return the words in an element, those of each inner one apart."""
    return " ".join(element.itertext())


def _around_heading(tree: HtmlElement) -> tuple[list[HtmlElement], set[HtmlElement]]:
    """Return the elements near the first heading that may hold a line, and those that the heading is in."""
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    place = next((place for place, element in enumerate(elements) if element.tag == "h1"), None)
    if place is None:
        return [], set()
    above = set(elements[place].iterancestors())
    near = elements[max(place - _BEFORE, 0) : place + _BEHIND]
    near = [element for element in near if element.tag not in _NO_BYLINES and element not in above]
    return [element for element in near if has_at_most(element, 2 * _LONGEST)], above


def _is_of_page(element: HtmlElement, above: set[HtmlElement]) -> bool:
    return not is_hidden(element) and not _stands_apart(element, above)


def _stands_apart(element: HtmlElement, fine: set[HtmlElement] | None) -> bool:
    """Return whether an element is in comments or in other stories, by the names of what it is in."""
    for above in islice(element.iterancestors(), 20):
        if above.tag in {"body", "html"} or (fine is not None and above in fine):
            return False
        if _names_others(f"{above.get('class') or ''} {above.get('id') or ''}"[:300]):
            return True
    return False


@lru_cache(maxsize=20_000)  # pages repeat their names
def _names_others(names: str) -> bool:
    return _APART.search(names) is not None


def _separated(value: str) -> str:
    """Return "Ada Lovelace; Mary Kay" for "Ada Lovelace, Mary Kay"; degrees are not separated."""
    parts = [part.strip() for part in re.split(r",|\s+and\s+|\s*&\s*", value)]
    return "; ".join(parts) if len(parts) > 1 and all(" " in part for part in parts) else value


def _names(words: str) -> str | None:
    """Return the names in a byline, without the day and the newspaper behind them; None where there are no names."""
    words = _ENDS.sub("", words).strip(" ,.:;|")
    parts = [part.strip() for part in re.split(r",\s+|\s+and\s+|\s*&\s*|;", words) if part.strip()]
    kept = [part for part in parts if _is_name(part)]
    return names_in("; ".join(kept)) if kept and kept[0] == parts[0] else None


def _is_name(words: str) -> bool:
    """Return whether some words can be a name: two to five, each with a capital, or without letters that have any."""
    each = words.split()
    if (
        not 1 <= len(each) <= _MOST_WORDS
        or len(words) > _LONGEST_NAME
        or any(character.isdigit() for character in words)
    ):
        return False
    return all(
        word[:1].isupper() or word in {"de", "van", "von", "der", "la", "al", "bin", "di", "da", "del"} for word in each
    )


def _in_order(name: str) -> str:
    """Return "Ada Lovelace" for "Lovelace, Ada"."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma and first.strip() and "," not in first else name
