"""What a page says of its article in JSON-LD (schema.org): the text, and whether it may be read without paying."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LONGEST = 8_000_000  # characters of one script; a longer one is data
_MOST_SCRIPTS = 50
_MOST_NODES = 50_000  # objects and lists that are looked at, in all
_DEEPEST = 60  # objects within each other
_HELD_IN = ("@graph", "mainEntity", "mainEntityOfPage", "hasPart", "itemListElement", "item", "review", "subjectOf")
_TEXTS = ("articleBody", "reviewBody", "text")
_TEXT_TYPES = {"socialmediaposting", "discussionforumposting", "blogposting", "review", "report", "legislation"}
_ARTICLE = ("article", "posting", "report", "review", "webpage", "creativework", "legislation")

_DATED = re.compile(r"(?:article|posting|report|webpage)\b")  # a review on a page has a date of its own
_WRITTEN = {"question", "book", "recipe", "howto", "course", "techarticle", "podcastepisode", "message"}
_MOST_AUTHORS, _LONGEST_NAME = 50, 200
_LISTS = {"itemlist", "collectionpage", "blog"}  # pages of several articles


@dataclass(frozen=True, slots=True)
class Structured:
    """The longest text that a page's JSON-LD holds, which may be HTML, and what it says of access."""

    text: str | None = None
    accessible_for_free: bool | None = None
    published: str | None = None  # datePublished of the first article, or of the page
    headline: str | None = None  # of the first article, or the name of the page
    authors: tuple[str, ...] = ()  # persons, of the first article that names any
    organisations: tuple[str, ...] = ()  # in the place of persons


def structured_of(tree: HtmlElement) -> Structured:
    """Return what a parsed page's JSON-LD says of its article; what cannot be read is passed over."""
    text: str | None = None
    free: bool | None = None
    published: dict[bool, str] = {}
    headlines: dict[bool, str] = {}
    authors: tuple[list[str], list[str]] = [], []
    lists = False
    budget = _Budget()
    for script in _scripts(tree):
        nodes = list(_nodes(script, budget))
        names = {str(node["@id"]): node for node in nodes if "@id" in node and "name" in node}
        for node in nodes:
            found = _text_of(node)
            if found and len(found) > len(text or ""):
                text = found
            if _is_article(node):
                free = _free(node) if free is None else free
                if isinstance(date := node.get("datePublished"), str) and _DATED.search(" ".join(_types(node))):
                    published.setdefault("webpage" in _types(node), date)
                if isinstance(headline := node.get("headline") or node.get("name"), str):
                    headlines.setdefault("webpage" in _types(node), unescape(headline))
            if _has_author(node) and not any(authors):
                authors = _names(node.get("author"), names)
            lists = lists or bool(_LISTS & set(_types(node)))
    if lists:
        return Structured(text, free)
    headline = headlines.get(False, headlines.get(True))
    return Structured(
        text, free, published.get(False, published.get(True)), headline, tuple(authors[0]), tuple(authors[1])
    )


def _names(value: Any, known: dict[str, dict[str, Any]]) -> tuple[list[str], list[str]]:
    """Return the names of persons, and of organisations: texts, objects, references to objects, or a list of any."""
    found: tuple[list[str], list[str]] = [], []
    for author in (value if isinstance(value, list) else [value])[:_MOST_AUTHORS]:
        names, kind = author, ""
        if isinstance(author, dict):
            whole = author if author.get("name") else known.get(str(author.get("@id")), {})
            names, kind = whole.get("name"), " ".join(_types(whole))
        for name in names if isinstance(names, list) else [names]:
            if isinstance(name, str) and (plain := " ".join(unescape(name).split())[:_LONGEST_NAME]):
                named = found["organi" in kind or "corporation" in kind]
                if "://" not in plain and plain not in named:
                    named.append(plain)
    return found


def _has_author(node: dict[str, Any]) -> bool:
    types = _types(node)
    return "author" in node and "webpage" not in types and (_is_article(node) or bool(_WRITTEN & set(types)))


class _Budget:
    """How many nodes may still be looked at."""

    def __init__(self) -> None:
        self._left = _MOST_NODES

    def spend(self) -> bool:
        self._left -= 1
        return self._left >= 0


def _scripts(tree: HtmlElement) -> Iterator[Any]:
    count = 0
    for script in tree.iter("script"):
        if (script.get("type") or "").strip().lower().partition(";")[0] != "application/ld+json":
            continue
        count += 1
        text = script.text or ""
        if count > _MOST_SCRIPTS:
            return
        if len(text) > _LONGEST:
            continue
        try:
            yield json.loads(_bare(text), strict=False)  # real pages carry raw line ends in strings
        except (ValueError, RecursionError):  # json's reader is recursive: strangers nest a million brackets
            continue


def _bare(text: str) -> str:
    """Without what old pages wrap around it: comments of HTML, CDATA, a semicolon."""
    text = text.strip()
    for before, after in (("<!--", "-->"), ("//<![CDATA[", "//]]>"), ("<![CDATA[", "]]>")):
        if text.startswith(before):
            text = text[len(before) :].removesuffix(after).strip()
    return text.removesuffix(";")


def _nodes(root: Any, budget: _Budget) -> Iterator[dict[str, Any]]:
    """Yield the objects of a document that stand for things, outermost first."""
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if not budget.spend():
            return
        if isinstance(node, dict):
            yield node
            held = [node[name] for name in _HELD_IN if name in node]
        else:
            held = list(node) if isinstance(node, list) else []
        if depth < _DEEPEST:
            stack.extend((inner, depth + 1) for inner in reversed(held) if isinstance(inner, dict | list))


def _types(node: dict[str, Any]) -> list[str]:
    types = node.get("@type")
    return [str(name).lower() for name in (types if isinstance(types, list) else [types])[:10]]


def _is_article(node: dict[str, Any]) -> bool:
    return any(name.endswith(_ARTICLE) for name in _types(node))


def _text_of(node: dict[str, Any]) -> str | None:
    names = _TEXTS if _TEXT_TYPES & set(_types(node)) else _TEXTS[:2]
    texts = [value for name in names if isinstance(value := node.get(name), str)]
    return max(texts, key=len, default=None)


def _free(node: dict[str, Any]) -> bool | None:
    value = node.get("isAccessibleForFree")
    if isinstance(value, bool):
        return value
    spelled = {"true": True, "false": False}
    return spelled.get(value.strip().lower().rpartition("/")[2]) if isinstance(value, str) else None
