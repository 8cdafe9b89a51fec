"""Names that a page's own style sheet hides, or makes blocks: `.more { display: none }`, for all media."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST = 300_000  # characters of style sheets that are looked at
_MOST_NAMES = 500
_HIDES = re.compile(r"display\s{0,3}:\s{0,3}none")  # begins with a plain word, which is quick to look for
_SHOWS = re.compile(r"display\s{0,3}:\s{0,3}(?!none)\w")
_BLOCK = re.compile(r"display\s{0,3}:\s{0,3}(?:block|flex|grid|list-item|table)\b")
_NAME = re.compile(r"\s*(?:[a-z]{1,20})?([.#][\w-]{1,100})\s*\Z", re.IGNORECASE)
_LONGEST = 2_000  # characters of a rule's selectors


def hiding_names(tree: HtmlElement) -> frozenset[str]:
    """Return the classes (".more") and ids ("#more") that a rule of the page hides on every medium.

    Only selectors of one class or one id count; one that any other rule shows, on a wider screen say, does not.
    """
    sheets = _sheets(tree)
    hidden = {name for css in sheets for name, nested in _named(css, _HIDES) if not nested}
    if hidden:
        hidden -= {name for css in sheets for name, _ in _named(css, _SHOWS)}
    return frozenset(hidden)


def block_names(tree: HtmlElement) -> frozenset[str]:
    """Return the classes and ids that a rule of the page shows as blocks on every medium."""
    return frozenset(name for css in _sheets(tree) for name, nested in _named(css, _BLOCK) if not nested)


def _sheets(tree: HtmlElement) -> list[str]:
    sheets = []
    left = _MOST
    for style in tree.iter("style"):
        if (style.get("media") or "all").strip().lower() in {"all", "screen"} and left > 0:
            css = (style.text or "")[:left]
            left -= len(css)
            sheets.append(css)
    return sheets


def _named(css: str, declaration: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """Yield the names whose rules have a declaration, and whether the rule lies within another, as in @media."""
    depth = at = count = 0
    for match in declaration.finditer(css):
        depth += css.count("{", at, match.start()) - css.count("}", at, match.start())
        at = match.start()
        start = css.rfind("{", 0, at)
        if start < 0 or css.find("}", start, at) >= 0:
            continue
        selectors = css[max(start - _LONGEST, 0) : start]
        selectors = selectors[max(map(selectors.rfind, "{};/")) + 1 :]
        for selector in selectors.split(","):
            if name := _NAME.match(selector):
                yield name[1], depth > 1
                count += 1
        if count > _MOST_NAMES:
            return


def is_hidden_by(names: frozenset[str], own: str | None, classes: str | None) -> bool:
    """Return whether one of the names is an element's id, or one of its classes."""
    if not names:
        return False
    if own and f"#{own}" in names:
        return True
    return classes is not None and any(f".{name}" in names for name in classes.split()[:50])
