"""Whether a page that was answered with 200 holds what it promises, or says that it is gone, or stands behind a wall.

Only plain signs count, for a page that is wrongly marked is read by nobody: what it says in its title or first heading
about itself, with hardly a text beside; or that a stub ends with the demand to pay or to log in. A long text is never
marked, whatever it is about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extract.json_ld import Structured, structured_of
from pipeline.extract.main_content import text_in
from pipeline.extract.phrases import (
    CONSENT,
    CONSENT_TITLE,
    GONE_SENTENCE,
    GONE_TITLE,
    LOGIN,
    LOGIN_TITLE,
    SUBSCRIBE,
)

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LONG = 1_800  # characters of a text that is no stub, whatever the page says of itself
_TINY = 700  # characters of a text that a page without content may have
_STUB = 1_400  # of one that a page announces as paid: such stubs run to a few paragraphs
_END = 500  # characters at a text's end in which a demand stands
_NO_TEXT = 150  # characters
_AT_FIRST = 250  # characters in which a page that wants consent says so
_QUOTES = "\"'\u201c\u201e\u00ab\u2018\u201a\u2039\u300c"
_LONGEST_TITLE = 300
_MOST_WORDS = 60_000  # characters of a page's visible words that are looked at
_UNSEEN = {"script", "style", "noscript", "template", "head", "svg", "nav", "footer", "header", "select"}
_HEADINGS = ("h1", "h2")
_WALL_NAMES = re.compile(
    r"(?:^|[\s_-])(?:paywall(?:ed)?|pay-wall|piano-(?:offer|paywall)|tp-(?:modal|container|backdrop)|regwall|meteredcontent"
    r"|subscription-(?:wall|required)|subscriber-only|premium-(?:wall|gate)|barrier-(?:page|overlay)|article-gate)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)


def availability_of(
    tree: HtmlElement, text: str | None, *, status: int = 200, structured: Structured | None = None
) -> str | None:
    """Return what stands in the way of a page's content; None when nothing does, or it is not certain.

    `text` is what was extracted from the tree, without comments; `structured` what its JSON-LD says, where it is known.
    One of "soft-404", "consent-wall", "login-wall", "paywalled". An answer that is no 2xx says itself what it is: None.
    """
    text = text or ""
    if not 200 <= status < 300 or len(text) > _LONG:
        return None
    says = structured if structured is not None else structured_of(tree)
    if says.text is not None and len(says.text) > _LONG and len(text) > _TINY:
        return None
    titles = _titles(tree)
    words = _words(tree)
    if _is_gone(titles, text, words):
        return "soft-404"
    if _wants_consent(titles, text, words):
        return "consent-wall"
    if _is_paywalled(tree, text, words, says):
        return "paywalled"
    if _is_login(tree, titles, text, words):
        return "login-wall"
    return None


def _titles(tree: HtmlElement) -> list[str]:
    """Return what the page calls itself: its title and its first headings."""
    titles = [_squeezed(text_in(found)) for found in tree.iter("title")][:1]
    for name in _HEADINGS:
        titles += [_squeezed(text_in(found)) for _, found in zip(range(3), tree.iter(name), strict=False)]
    return [title for title in titles if title]


def _squeezed(text: str) -> str:
    return " ".join(text[:_LONGEST_TITLE].split())


def _words(tree: HtmlElement) -> str:
    """Return the words that a page shows, menus and the like left out, as far as they are looked at."""
    body = tree.find("body")
    parts: list[str] = []
    size = 0
    stack = [body] if body is not None else []
    while stack and size < _MOST_WORDS:
        element = stack.pop()
        if isinstance(element, str):
            parts.append(element)
            size += len(element)
            continue
        if isinstance(element.tag, str) and element.tag not in _UNSEEN:
            inner = [element.text or ""]
            for child in element:
                inner += [child, child.tail or ""]
            stack.extend(reversed([part for part in inner if not isinstance(part, str) or part.strip()]))
    return " ".join(" ".join(parts).split())


def _wants_consent(titles: list[str], text: str, words: str) -> bool:
    """Hardly any words, and the first of them ask for consent; not those of a bar beside a text."""
    if len(text) >= _TINY or len(words) >= 3 * _TINY:
        return False
    first = text if len(text) > _NO_TEXT else words
    return any(CONSENT_TITLE.match(title) for title in titles) or CONSENT.search(first[:_AT_FIRST]) is not None


def _demands(expression: re.Pattern[str], text: str) -> bool:
    """Whether a text says something in its own words, and does not quote it."""
    return any(text[max(match.start() - 1, 0)] not in _QUOTES for match in expression.finditer(text))


def _is_gone(titles: list[str], text: str, words: str) -> bool:
    """Return whether the title says so, with no text beside, or hardly any words at all, which say so."""
    if len(text) >= _TINY:
        return False
    if any(GONE_TITLE.search(title) for title in titles):
        return len(words) < 4 * _TINY
    return len(words) < _TINY and GONE_SENTENCE.search(words) is not None


def _is_paywalled(tree: HtmlElement, text: str, words: str, says: Structured) -> bool:
    end = text[-_END:]
    if says.accessible_for_free is False and len(text) < _STUB:
        return not (says.text is not None and len(says.text) <= len(text))
    if _demands(SUBSCRIBE, end):
        return len(text) < _STUB
    at = _after(text, words)
    return len(text) < _STUB and bool(text) and _has_wall(tree) and _demands(SUBSCRIBE, at)


def _after(text: str, words: str) -> str:
    """Return what a page says where its text ends."""
    last = next((line for line in reversed(text.splitlines()) if len(line) > 20), "")
    at = words.rfind(" ".join(last[-60:].split()))
    return words[at : at + 2 * _END] if at >= 0 else words[:_END]


def _has_wall(tree: HtmlElement) -> bool:
    """Whether an element is named as a paywall is."""
    for element in tree.iter("div", "section", "aside", "article"):
        for name in ("class", "id"):
            value = element.get(name)
            if value and len(value) < _LONGEST_TITLE and _WALL_NAMES.search(value):
                return True
    return False


def _is_login(tree: HtmlElement, titles: list[str], text: str, words: str) -> bool:
    """Return whether a page is named "Log in" and asks for a password, or is a stub that ends with that demand."""
    asks = any((field.get("type") or "").lower() == "password" for field in tree.iter("input"))
    if len(text) >= _TINY:
        return False
    if asks and any(LOGIN_TITLE.match(title) for title in titles) and len(words) < 4 * _TINY:
        return True
    return _demands(LOGIN, words[-2 * _END :] if len(words) < 3 * _TINY else text[-_END:])
