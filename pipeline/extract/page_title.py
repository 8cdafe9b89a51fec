"""The title that readers see above a page, without the name of its site."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.extract.main_content import letters
from pipeline.extract.seen_parts import is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml.html import HtmlElement

_SILENT = {"button", "script", "style", "svg", "noscript", "template", "select"}
_ELSEWHERE = {"nav", "aside", "footer", "dialog", "template", "noscript"}
_MOST_HEADINGS, _LONGEST, _HIGHEST = 10, 400, 200  # headings, characters of one, elements above one
_ALIKE = 0.4  # of the words of the shorter of two titles, in the other: then they name the same page
_LEAST_WORDS = 2  # of a heading that is preferred to a title in other words
_SEPARATOR = re.compile(
    r"\s+[|\-\u2013\u2014\u00b7\u2022\u00bb\u203a:~/]{1,2}\s+|\s*[|\u00bb\uff5c]\s*|:\s+|\s+\[(?=[^\]]*\]\Z)|:(?=\S+\Z)"
)
_VIEW = re.compile(r".*\b(?:view topic|thema anzeigen|voir le sujet|ver tema|thread)\s*[-\u2022:]\s+", re.IGNORECASE)
_PAGE = re.compile(r"\s+[-|\u2013]\s+(?:page|seite|p\.)\s*\d+(?: of \d+)?\s*\Z", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_PERMALINK = re.compile(r"[\s\u00b6#\u00a7\u200b\ue000-\uf8ff\U0001f517]+\Z")
_SITE_PROPERTIES = {"og:site_name", "application-name", "apple-mobile-web-app-title", "al:ios:app_name", "twitter:site"}
_LEAST_LABEL = 4  # letters of a host's name by which a site is recognised


def title_of(tree: HtmlElement, url: str, found: str | None, headline: str | None) -> str | None:
    """Return a page's title; `found` is what its metadata say, `headline` what its JSON-LD says.

    The name of the site is cut off. What the page's heading says in nearly the same words is preferred, for that is
    what readers see. A title that is nothing but the name of the site is passed over, where there is another.
    """
    names = _Names(tree, url)
    own = _words_of(next(tree.iter("title"), None))
    headings = [text for text in _headings(tree, url) if not names.is_site(text)]
    known = {letters(text) for text in (*headings, headline or "") if letters(text)}
    title = found or own
    if not title or names.is_site(title) or _is_of_another(title, own, headings):
        others = [text for text in (own, *headings) if text and not names.is_site(text)]
        likely = next((text for text in others if _alike(text, own) >= _ALIKE), None)
        title = likely or (title if title and not names.is_site(title) else next(iter(others), title or ""))
    title = _cut(title, known, names)
    fitting = [text for text in headings if _alike(text, title) >= _ALIKE and len(_WORD.findall(text)) >= _LEAST_WORDS]
    if len(headings) == 1 and fitting and letters(fitting[0]) != letters(title):
        title = _cut(fitting[0], set(), names)
    return _PERMALINK.sub("", title) or None


class _Names:
    """The names of a page's site."""

    def __init__(self, tree: HtmlElement, url: str) -> None:
        self._names = {
            letters(meta.get("content") or "")
            for meta in tree.iter("meta")
            if (meta.get("property") or meta.get("name") or "").strip().lower() in _SITE_PROPERTIES
        } - {""}
        host = (urlsplit(url).hostname or "").removeprefix("www.")
        self._host = letters(host)
        self._labels = {letters(label) for label in host.split(".")[:-1] if len(letters(label)) >= _LEAST_LABEL}

    def is_site(self, text: str) -> bool:
        """Return whether a text is the name of the site, or the home page of it."""
        name = letters(text)
        if not name:
            return True
        if name in self._names or name == self._host:
            return True
        return any(_one_begins(name, label) for label in self._labels)


def _one_begins(name: str, label: str) -> bool:
    """Return whether two names are nearly one: "The Gazette" and "gazette", "Gazette UK" and "gazette"."""
    name = name.removeprefix("the") if len(name) > _LEAST_LABEL + len("the") else name
    label = label.removeprefix("the") if len(label) > _LEAST_LABEL + len("the") else label
    if len(name) < _LEAST_LABEL:
        return name == label
    return (name.startswith(label) or label.startswith(name)) and abs(len(name) - len(label)) <= _LEAST_LABEL


def _headings(tree: HtmlElement, url: str) -> list[str]:
    """Return the words of the headings of the first rank, each once; not those of a logo."""
    found: list[str] = []
    for heading in islice(tree.iter("h1"), _MOST_HEADINGS):
        if is_hidden(heading) or any(above.tag in _ELSEWHERE for above in islice(heading.iterancestors(), _HIGHEST)):
            continue
        if _leads_home(heading, url):
            continue
        text = _PERMALINK.sub("", _words_of(heading))
        if text and len(text) < _LONGEST and letters(text) not in {letters(other) for other in found}:
            found.append(text)
    return found


def _leads_home(heading: HtmlElement, url: str) -> bool:
    link = heading.find(".//a")
    if link is None and (above := heading.getparent()) is not None and above.tag == "a":
        link = above
    if link is None:
        return False
    target, page = urlsplit((link.get("href") or "").strip()), urlsplit(url)
    is_home = target.path in {"", "/"} and not target.query and not target.fragment
    return is_home and page.path not in {"", "/"} and bool(link.get("href")) and target.netloc in {"", page.netloc}


def _words_of(element: HtmlElement | None) -> str:
    """Return what an element says, without its buttons."""
    if element is None:
        return ""
    parts: list[str] = []

    def say(each: HtmlElement, depth: int) -> None:
        parts.append(each.text or "")
        for child in each:
            if isinstance(child.tag, str) and child.tag not in _SILENT and depth < _HIGHEST and not is_hidden(child):
                parts.append(" " if child.tag in {"br", "div", "p"} else "")
                say(child, depth + 1)
            parts.append(child.tail or "")

    say(element, 0)
    return " ".join("".join(parts).split())


def _is_of_another(title: str, own: str, headings: Iterable[str]) -> bool:
    """Return whether a title is that of a box on the page: the page's own <title> has not a word of it."""
    return bool(own) and not _alike(title, own) and any(_alike(title, text) == 1 for text in headings)


def _alike(first: str, second: str) -> float:
    """Return how many of the words of the shorter of two texts the other one has, from 0 to 1."""
    ours, theirs = ({*_WORD.findall(text.lower())} for text in (first, second))
    fewest = min(len(ours), len(theirs))
    return len(ours & theirs) / fewest if fewest else 0.0


def _cut(title: str, known: set[str], names: _Names) -> str:
    """Return a title without what stands before or behind it: the name of the site, and of the part of it."""
    title = _PAGE.sub("", _VIEW.sub("", title, count=1))
    places = [(match.start(), match.end()) for match in islice(_SEPARATOR.finditer(title[:_LONGEST]), 12)]
    if not places or letters(title) in known:
        return title
    parts = [part for begin, end in places for part in (title[:begin], title[end:])]
    for part in sorted(parts, key=len, reverse=True):
        if letters(part) in known:
            return part.strip()
    first, last = places[0], places[-1]
    if names.is_site(title[last[1] :].rstrip("]")):
        return _cut(title[: last[0]].strip(), known, names)
    if names.is_site(title[: first[0]]) and letters(title[first[1] :]):
        return _cut(title[first[1] :].strip(), known, names)
    return title
