"""What a watch calls news: which changes are alerts, how soon they are confirmed, and when alerts rest.

The archive keeps every capture and its whole text. These rules only decide which changes are sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.watch.line_kinds import DEFAULT_KINDS, KINDS

KEYS = {"only", "ignore", "keywords", "least_words"}
LISTS = {"only.css", "only.regex", "ignore.css", "ignore.regex", "ignore.kinds", "keywords"}
_MOST_WORDS = 10_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts of a page: elements by CSS selectors, lines or pieces of them by regular expressions."""

    css: tuple[str, ...] = ()
    regex: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextRules:
    """Which changes of a text are alerts.

    `only` chooses the parts that are compared, `ignore` those that are not, `kinds` (names in KINDS) the lines that are
    compared without their numbers. With `keywords`, only that one of them appears or vanishes is an alert; a change of
    fewer than `least_words` words raises no alert.
    """

    only: Parts = field(default_factory=Parts)
    ignore: Parts = field(default_factory=Parts)
    kinds: tuple[str, ...] = DEFAULT_KINDS
    keywords: tuple[str, ...] = ()
    least_words: int = 1

    @property
    def selects(self) -> bool:
        """Whether only parts of a page are compared."""
        return self.only != Parts()

    @property
    def reads_markup(self) -> bool:
        """Whether the page's markup is needed, not its text alone."""
        return bool(self.only.css or self.ignore.css)


def text_rules_of(table: Mapping[str, Any]) -> TextRules:
    """Return the rules in a watch's table; raises ValueError, with what to write instead."""
    only, ignore = _parts(table, "only", {"css", "regex"}), _parts(table, "ignore", {"css", "regex", "kinds"})
    kinds = table.get("ignore", {}).get("kinds")
    keywords, least = _keywords(table.get("keywords", [])), table.get("least_words", 1)
    if isinstance(least, bool) or not isinstance(least, int) or not 1 <= least <= _MOST_WORDS:
        raise ValueError(f"`least_words` is a number of words from 1 to {_MOST_WORDS:,}, as least_words = 5")
    if keywords and "least_words" in table:
        raise ValueError("`keywords` and `least_words` are two answers to one question; write one")
    return TextRules(only, ignore, DEFAULT_KINDS if kinds is None else _kinds(kinds), keywords, least)


def _parts(table: Mapping[str, Any], name: str, known: set[str]) -> Parts:
    given = table.get(name, {})
    if not isinstance(given, dict) or not set(given) <= known:
        wrong = next((key for key in given if key not in known), None) if isinstance(given, dict) else None
        said = f"`{name}.{wrong}` is no rule" if wrong is not None else f"`{name}` is no table"
        raise ValueError(f"{said}; write [watch.{name}] with {', '.join(sorted(known))}")
    found = {key: _list(given[key], f"{name}.{key}") for key in ("css", "regex") if key in given}
    for selector in found.get("css", ()):
        _check_selector(selector, f"{name}.css")
    for expression in found.get("regex", ()):
        try:
            re.compile(expression)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"`{name}.regex`: {expression[:100]!r} is no regular expression: {error}") from error
    return Parts(**found)


def _list(value: object, name: str) -> tuple[str, ...]:
    texts = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
    if not texts or not isinstance(value, list):
        raise ValueError(f'`{name}` is a list of texts: ["...", "..."]')
    return tuple(value)


def _check_selector(selector: str, name: str) -> None:
    from cssselect import SelectorError
    from lxml.cssselect import CSSSelector
    from lxml.etree import XPathError
    from lxml.html import fragment_fromstring

    try:
        CSSSelector(selector, translator="html")(fragment_fromstring("<p>"))
    except (SelectorError, XPathError, RecursionError) as error:
        raise ValueError(
            f"`{name}`: {selector[:100]!r} is no CSS selector: {error}; write one as in a style sheet"
        ) from error


def _kinds(value: object) -> tuple[str, ...]:
    named = _list(value, "ignore.kinds") if value != [] else ()
    for name in named:
        if name not in KINDS:
            raise ValueError(f"`ignore.kinds`: {name!r} is no kind of line; known are {', '.join(KINDS)}")
    return named


def _keywords(value: object) -> tuple[str, ...]:
    named = _list(value, "keywords") if value != [] else ()
    for word in named:
        if not word.isprintable() or not any(map(str.isalnum, word)):
            raise ValueError(f"`keywords`: {word!r} is no word; write words, phrases, or their beginning as recall*")
    return named
