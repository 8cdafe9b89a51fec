"""What readers wrote below an article, where it lies in a page, for it is no part of the article's text."""

from __future__ import annotations

import re
from copy import deepcopy
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.main_content import text_in
from pipeline.extract.plain_text import lines_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_TAGS = ("div", "section", "ol", "ul", "li", "article", "aside", "details", "dl", "table", "form")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_COMMENTS = {
    "comment", "comments", "commentlist", "commentaires", "commentaire", "kommentar", "kommentare", "comentarios",
    "comentario", "commenti", "commento", "reacties", "commentbox", "commentsection", "commentary-thread", "disqus",
    "respond", "talkback", "leserkommentare", "opinions-readers", "replies", "webmentions", "webmention", "isso",
    "utterances",
    "giscus", "hyvor", "cusdis", "coral",
}  # fmt: skip
# Words beside these in names of other things: how many there are, where to write one, whether one may.
_OTHER = {
    "count", "counter", "number", "num", "link", "links", "off", "closed", "open", "status", "has", "no", "disabled",
    "enabled", "policy", "button", "btn", "icon", "toggle", "with", "allow", "code", "editor", "is", "free",
    "type", "opinion",
}  # fmt: skip
_HEADING = re.compile(
    r"\s*(?:(?:\d[\d.,]*|one|two|three|four|five|no)\s+(?:reader\s+)?(?:comments?|responses?|replies|reactions?"
    r"|thoughts?"
    r"|kommentare?|leserkommentare?|commentaires?|comentarios?|commenti|commento|reacties?)\b.{0,120}"
    r"|(?:readers?.?.?\s+)?(?:comments?|responses|replies|kommentare|leserkommentare|commentaires|comentarios|commenti"
    r"|reacties|discussion"
    r"|join the (?:conversation|discussion))\s*(?:[(\[:]?\s*\d*\s*[)\]]?)|leave a (?:comment|reply).{0,40})\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
_COUNTED = re.compile(r"\d|\b(?:one|two|three|four|five)\b", re.IGNORECASE)
_CONTROLS = re.compile(
    r"(?:- )?(?:reply|report|share|like"
    r"|permalink|edit|delete|flag|quote|log in to reply|antworten|r\u00e9pondre|responder)\W*\Z",
    re.IGNORECASE,
)
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")
_BOXES = {
    "div",
    "section",
    "ol",
    "ul",
    "article",
    "details",
    "dl",
    "table",
    "form",
    "aside",
    "a",
    "script",
    "hr",
    "button",
}
_LONGEST_NAMES, _LONGEST_HEADING, _LEAST = 300, 200, 10  # characters
_FRAME = {"footer", "nav", "aside", "form", "header"}
_HIGHEST = 200  # elements above one that are looked at


def comment_areas(tree: HtmlElement) -> list[HtmlElement]:
    """Return the outermost elements that hold readers' comments, with the headings above them, in their order.

    A page on which nothing else is written has none: there, they are the text.
    """
    found: dict[HtmlElement, None] = {}
    inside: set[HtmlElement] = set()
    for element in tree.iter(*_TAGS, *_HEADINGS):
        if element in inside:
            continue
        for area in _below_heading(element) if element.tag in _HEADINGS else _named_area(element):
            found[area] = None
            inside.update(area.iter())
    return list(found) if found and _is_written_beside(tree, found, inside) else []


def without(tree: HtmlElement, areas: list[HtmlElement]) -> HtmlElement:
    """Return a copy of a tree without some of its elements."""
    copied = deepcopy(tree)
    wanted = set(areas)
    gone = [copy for element, copy in zip(tree.iter(), copied.iter(), strict=True) if element in wanted]
    for element in gone:
        if element.getparent() is not None:
            element.drop_tree()
    return copied


def comments_in(areas: list[HtmlElement]) -> str | None:
    """Return the readers' comments in some elements of a prepared page, without buttons; None where there are none."""
    lines = [line for area in areas if area.tag not in _HEADINGS for line in lines_of(area)]
    return "\n".join(line for line in lines if not _CONTROLS.match(line) and not _HEADING.match(line)) or None


def _named_area(element: HtmlElement) -> list[HtmlElement]:
    """Return an element that is named as comments are, and the heading above it, if that says so."""
    if not _is_area(element):
        return []
    before = element.getprevious()
    return [before, element] if before is not None and before.tag in _HEADINGS and _heads(before) else [element]


def _is_area(element: HtmlElement) -> bool:
    names = [value for name in ("id", "class") if (value := element.get(name)) and len(value) < _LONGEST_NAMES]
    if not any(_named_comments(value) for value in names):
        return False
    if any(True for _ in element.iter("h1", "main")) or _is_chapter(element):
        return False
    return not any(inner.get("itemprop") == "articleBody" for inner in element.iter("div", "section", "article"))


def _is_chapter(element: HtmlElement) -> bool:
    """Return whether an element is a chapter on comments: paragraphs below a heading, with no box for each reader."""
    if element.find("p") is None or not any(child.tag in _HEADINGS for child in element):
        return False
    if any(True for _ in element.iter("form", "article", "li", "details", "textarea")):
        return False
    return not any(_named_comments((inner.get("class") or "")[:_LONGEST_NAMES]) for inner in element.iterdescendants())


@lru_cache(maxsize=20_000)  # pages repeat their names
def _named_comments(value: str) -> bool:
    for name in value.split():
        words = {word.lower() for word in _WORDS.findall(name)}
        if words & _COMMENTS and not words & _OTHER:
            return True
    return False


def _heads(heading: HtmlElement) -> bool:
    words = text_in(heading)
    return len(words) < _LONGEST_HEADING and _HEADING.match(words) is not None


def _below_heading(heading: HtmlElement) -> list[HtmlElement]:
    """Return a heading such as "3 comments" and the boxes behind it, up to the end of what it lies in."""
    if not _heads(heading) or not _COUNTED.search(text_in(heading)):
        return []
    behind = [element for element in heading.itersiblings() if isinstance(element.tag, str)]
    if not behind or not all(element.tag in _BOXES or _is_silent(element) for element in behind):
        return []
    return [heading, *behind]


def _is_silent(element: HtmlElement) -> bool:
    return not text_in(element).strip() or element.tag in _HEADINGS


def _is_written_beside(tree: HtmlElement, areas: dict[HtmlElement, None], inside: set[HtmlElement]) -> bool:
    """Return whether there is a paragraph, or text in an article, outside of the comments and of what frames a page."""
    holding = {above for area in areas for above in islice(area.iterancestors(), _HIGHEST)}
    for element in tree.iter("p", "article", "blockquote", "pre"):
        if element in inside or (element.tag == "article" and element in holding):
            continue
        if len(text_in(element).strip()) < _LEAST:
            continue
        if not any(above.tag in _FRAME for above in islice(element.iterancestors(), _HIGHEST)):
            return True
    return False
