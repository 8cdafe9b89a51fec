"""Who began a forum's thread, and when: what stands beside its first post."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.days import day_in
from pipeline.extract.forum_posts import posts_of
from pipeline.extract.main_content import text_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_ATTRIBUTES = ("data-author", "data-username", "author")
_AUTHOR_NAMES = re.compile(
    r"(?:^|\s)(?:(?:big|large)?user-?names?|nickname|post[-_]?author|author[-_]?(?:name|information)|poster-?name|creator|ipsUsername|post__author"
    r"|message-name|poster|author|userstrip|member-?name|PostUser-name)(?:$|\s)",
    re.IGNORECASE,
)
_PROFILE = re.compile(r"profile|members?[/.]|/u(?:ser)?s?/|viewprofile|/people/|/@|\bu=\d", re.IGNORECASE)
_HIGHEST, _MOST, _LONGEST = 9, 400, 60  # elements above a post, elements in one, characters of a name
_LONGEST_TEXT = 400  # characters of an element that says when something was posted
_JOINED = re.compile(r"join|registered|member since|registriert|inscri|last (?:edited|visit|active)", re.IGNORECASE)
_THREADS = ("shreddit-post", "div")


def beginning_of(tree: HtmlElement, language: str | None, host: str | None) -> tuple[str | None, str | None]:
    """Return who wrote the first post of a thread, and the day of it; None for what the page does not say."""
    if (thread := _named_thread(tree)) is not None:
        return thread.get("author") or thread.get("data-author"), day_in(thread.get("created-timestamp") or "")
    posts = posts_of(tree)
    if not posts:
        return None, None
    author = next((name for box in islice(posts[0].iterancestors(), _HIGHEST) if (name := _in_attributes(box))), None)
    day = None
    others = set(posts[1:])
    for box in islice((posts[0], *posts[0].iterancestors()), _HIGHEST):
        if box.tag in {"body", "html"} or any(element in others for element in islice(box.iter(), 20 * _MOST)):
            break
        author = author or _author_in(box, posts[0])
        day = day or _day_in(box, posts[0], language, host)
        if author and day:
            break
    return author, day


def _named_thread(tree: HtmlElement) -> HtmlElement | None:
    """Return the element of a page that has a thread's author among its attributes."""
    for element in tree.iter(*_THREADS):
        if element.tag != "div" and element.get("author"):
            return element
        if (
            element.get("data-author")
            and " thing " in f" {element.get('class') or ''} "
            and "link" in element.get("class")
        ):
            return element
    return None


def _beside(box: HtmlElement, post: HtmlElement) -> Iterator[HtmlElement]:
    """Yield the elements in a box that are no part of the post's words."""
    inside = set(post.iter()) if box is not post else set()
    for element in islice(box.iter(), 20 * _MOST):
        if element not in inside and isinstance(element.tag, str):
            yield element


def _in_attributes(box: HtmlElement) -> str | None:
    return next((value for name in _ATTRIBUTES if (value := (box.get(name) or "").strip())), None)


def _author_in(box: HtmlElement, post: HtmlElement) -> str | None:
    elements = list(islice(_beside(box, post), _MOST)) if box is not post else []
    for element in elements:
        if element.get("itemprop") == "author" and (name := _name_in(element)):
            return name
    for element in elements:
        linked = element.tag == "a" and _PROFILE.search((element.get("href") or "")[:300])
        named = _AUTHOR_NAMES.search((element.get("class") or "")[:300])
        if (linked or named) and (name := _name_in(element)):
            return name
    return next((name for element in elements if element.tag == "dt" and (name := _name_in(element))), None)


def _name_in(element: HtmlElement) -> str | None:
    """Return the name that an element holds: in what it calls one, in its first link, or in its words."""
    for inner in element.iter():
        if inner.get("itemprop") == "name" and (name := inner.get("content") or _short(inner)):
            return name
    links = [link for link in element.iter("a", "strong") if _short(link)]
    return _short(links[0]) if links else _short(element)


def _short(element: HtmlElement) -> str | None:
    words = " ".join(text_in(element).split()).strip(" \u00b7\u2022\u00bb:,")
    return words if 1 < len(words) <= _LONGEST and any(character.isalpha() for character in words) else None


def _day_in(box: HtmlElement, post: HtmlElement, language: str | None, host: str | None) -> str | None:
    if box is post:
        return None
    elements = list(islice(_beside(box, post), _MOST))
    for element in elements:
        if element.tag in {"time", "relative-time", "abbr"} or element.get("itemprop") in {
            "datePublished",
            "dateCreated",
        }:
            for value in (element.get("datetime"), element.get("content"), element.get("title"), text_in(element)):
                if value and (day := day_in(value, language, host)):
                    return day
    for element in elements:
        words = text_in(element) if not any(True for _ in element.iterchildren("div", "table", "p", "li")) else ""
        if 8 <= len(words) <= _LONGEST_TEXT and not _JOINED.search(words) and (day := day_in(words, language, host)):
            return day
    return None
