"""Where a page's prose lies: the smallest element that holds most of it, and how much of it a text has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Elements that hold what is no part of a text.
_NEVER = {
    "head", "script", "style", "noscript", "template", "nav", "button", "select", "textarea", "svg", "math", "iframe",
    "object", "dialog", "menu",
}  # fmt: skip
_APART = {*_NEVER, "aside", "footer", "header", "form"}
_APART_NAMES = re.compile(
    r"(?:^|[\s_-])(?:comments?|commentlist|disqus\w*|respond|sidebar|footer|related|recommend\w*|cookies?|consent|gdpr|newsletter"
    r"|modal|popup|breadcrumbs?|navigation|navbar|menu|share|sharing|teasers?)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LONGEST_NAMES = 300  # characters of a class attribute that is looked at
_BLOCKS = {"p", "li", "blockquote", "pre", "dd", "dt", "h2", "h3", "h4", "h5", "h6"}
_LEAST = 60  # characters of a paragraph that counts as prose
_LONG = 200  # characters of a paragraph that needs no other beside it
_RUNNING = {"p", "ul", "ol", "blockquote", "h2", "h3", "h4", "pre"}
_MOST_OF_IT = 0.75  # of the prose of an element, in one of its children: then the child is looked at
_MOST_BLOCKS = 50_000  # paragraphs and the like that are looked at; hostile pages have a million
_DEEPEST = 200  # elements above a paragraph that are told of it; more are markup gone wrong
_NO_LETTERS = re.compile(r"[\W_]+")
_SEEN = 40  # letters by which a block is recognised


def letters(text: str) -> str:
    """Return a text with nothing but its letters and digits, for comparing."""
    return _NO_LETTERS.sub("", text).lower()


def text_in(element: HtmlElement) -> str:
    """All the text in an element."""
    return "".join(element.itertext())


def has_at_most(element: HtmlElement, most: int) -> bool:
    """Return whether an element has so many characters at most; a longer one is not read to its end."""
    size = 0
    for part in element.itertext():
        size += len(part)
        if size > most:
            return False
    return True


def words_of_line(element: HtmlElement, most: int) -> str | None:
    """Return the words in an element, one space between any two and between its pieces; None for over `most` signs.

    A long one is not read to its end: what is read of it is never longer than the whole.
    """
    parts, size = [], -1
    for part in element.itertext():
        if words := " ".join(part.split()):
            size += 1 + len(words)
            if size > most:
                return None
            parts.append(words)
    return " ".join(parts)


def prose_of(element: HtmlElement) -> int:
    """Characters of prose in a paragraph: its text that is no link, when there is enough of it."""
    whole = len(text_in(element).strip())
    if whole < _LEAST:
        return 0
    prose = whole - sum(len(text_in(link)) for link in element.iter("a"))
    return prose if prose >= _LEAST else 0


def container_of(tree: HtmlElement) -> HtmlElement | None:
    """Return the smallest element that holds most of a page's prose; None when there is hardly any."""
    body = tree.find("body") if tree.tag == "html" else tree
    if body is None:
        return None
    found = _container(body, strict=True)
    return found if found is not None else _container(body, strict=False)


def _container(body: HtmlElement, *, strict: bool) -> HtmlElement | None:
    """Return the same; when not `strict`, in what a careless page calls header, form or comments as well."""
    weights: dict[Any, int] = {}
    for element in _blocks(body, "p", strict=strict):
        if (prose := prose_of(element)) and _runs(element, prose):
            weights[element] = weights.get(element, 0) + prose
            for _, above in zip(range(_DEEPEST), element.iterancestors(), strict=False):
                weights[above] = weights.get(above, 0) + prose
    if weights.get(body, 0) < 2 * _LEAST:
        return None
    at = body
    while True:
        best = max((child for child in at if child in weights), key=lambda child: weights[child], default=None)
        if best is None or best.tag == "p" or weights[best] < _MOST_OF_IT * weights[at]:
            return at
        at = best


def share_in(text: str, container: HtmlElement) -> float:
    """How much of a container's blocks a text has, by their length, from 0 to 1."""
    found = letters(text)
    had = wanted = 0
    for element in _blocks(container, *_BLOCKS, strict=True):
        if is_link(element):
            continue
        if element.tag == "p" and not _runs(element, 0):
            continue
        if element.tag not in {"p", "pre"} and any(True for _ in element.iterdescendants(*_BLOCKS)):
            continue
        own = text_in(element).strip()
        if start := letters(own[: 3 * _SEEN])[:_SEEN]:
            wanted += len(own)
            had += len(own) if start in found else 0
    return had / wanted if wanted else 1.0


def words_of(tree: HtmlElement) -> str:
    """Return the text of everything on a page that does not lie apart, as comments do."""
    body = tree.find("body") if tree.tag == "html" else tree
    if body is None:
        return ""
    return "\n".join(text_in(element) for element in _blocks(body, *_BLOCKS, strict=True))


def share_kept(first: str, second: str) -> float:
    """How much of one text's lines another text has, by their length, from 0 to 1."""
    found = letters(second)
    had = wanted = 0
    for line in first.splitlines():
        if start := letters(line[: 3 * _SEEN])[:_SEEN]:
            wanted += len(line)
            had += len(line) if start in found else 0
    return had / wanted if wanted else 1.0


def _blocks(root: HtmlElement, *tags: str, strict: bool) -> Iterator[HtmlElement]:
    """Yield the elements of some names that a page's text can be in, in document order; not those that lie apart."""
    known: dict[Any, bool] = {root: False}
    for element in islice(root.iter(*tags), _MOST_BLOCKS):
        if not _lies_apart(element, known, strict=strict):
            yield element


def _lies_apart(element: HtmlElement, known: dict[Any, bool], *, strict: bool) -> bool:
    """Whether an element is in, or is, one that is there for other things than the text; what is learnt is `known`."""
    path = []
    answer = False
    at = element
    while at is not None:
        if (before := known.get(at)) is not None:
            answer = before
            break
        path.append(at)
        at = at.getparent()
    for step in reversed(path):
        answer = known[step] = answer or _apart(step, strict=strict)
    return answer


def _apart(element: HtmlElement, *, strict: bool) -> bool:
    tag = element.tag
    if tag in {"p", "li", "h2", "h3", "a", "span"}:
        return False
    get = element.get
    if tag in _NEVER or get("hidden") is not None or get("aria-hidden") == "true":
        return True
    return strict and (tag in _APART or _named_apart(get("class")) or _named_apart(get("id")))


@lru_cache(maxsize=20_000)  # pages repeat their names
def _named_apart(names: str | None) -> bool:
    return names is not None and len(names) < _LONGEST_NAMES and _APART_NAMES.search(names) is not None


def _runs(element: HtmlElement, prose: int) -> bool:
    """Whether a paragraph is long, or runs on from another: one alone under a linked heading is a teaser."""
    if prose >= _LONG:
        return True
    for near in (element.getprevious(), element.getnext()):
        if near is not None and near.tag in _RUNNING and not is_link(near):
            return True
    return not prose and len(text_in(element)) >= _LONG


def is_link(element: HtmlElement) -> bool:
    """Whether a link is all there is in an element."""
    return (
        len(element) == 1
        and element[0].tag == "a"
        and not (element.text or "").strip()
        and not (element[0].tail or "").strip()
    )
