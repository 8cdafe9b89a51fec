"""The article in the data that a page's scripts would draw: __NEXT_DATA__, __NUXT__, window.__STATE__ and alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LONGEST = 8_000_000  # characters of one script; a longer one is looked at no further
_MOST_SCRIPTS, _MOST_NODES, _DEEPEST = 50, 200_000, 100
_OTHER_KINDS = {"application/ld+json", "importmap", "speculationrules"}
_LONGEST_ID = 10  # characters before the colon of a line of React's
_LEAST = 60  # words of an article; less is a description
_KEYS = re.compile(r"body|content|html|text|article|story|markdown|paragraphs?|blocks|children|main", re.IGNORECASE)
_NO_KEYS = re.compile(
    r"terms|privacy|cookie|consent|legal|disclaimer|translation|i18n|locale|messages|footer|related|comment|css|style|script|svg"
    r"|schema|config|newsletter|query",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(
    r"(?:window|self|globalThis)(?:\.|\[[\"'])([\w$]{2,60})(?:[\"']\])?\s{0,9}=\s{0,9}(JSON\.parse\(\s{0,9})?"
)
_FLIGHT = re.compile(r"self\.__next_f\.push\(")
_HTML_STRING = re.compile(r"\"((?:[^\"\\]|\\.){300,})\"")  # in a script that is no JSON
_TAG = re.compile(r"<[^<>]{0,5000}>")
_PARAGRAPHS = re.compile(r"<p[\s>]|<br\b", re.IGNORECASE)
_SENTENCE = re.compile(r"\w[^.!?\u3002]{15,}[.!?\u3002\u2026]")
_BLOCK_TAGS = {"p", "li", "blockquote", "h2", "h3", "h4"}
_TITLES = ("title", "headline", "name", "heading")


@dataclass(frozen=True, slots=True)
class _Candidate:
    html: str  # or a text of several lines
    words: int
    score: float


def article_in_data(tree: HtmlElement, *, titled: bool) -> str | None:
    """Return the text of the longest article in a page's data, which may be HTML; None where it holds no article.

    `titled` asks for one that the data holds with the page's own title.
    """
    walk = _Walk(_titles(tree), titled=titled)
    for data in _documents(tree):
        walk.look_at(data)
    best = max(walk.found, key=lambda each: each.score, default=None)
    return best.html if best else None


def _titles(tree: HtmlElement) -> str:
    found = ["".join(each.itertext()) for each, _ in zip(tree.iter("title", "h1"), range(5), strict=False)]
    found += [each.get("content") or "" for each in tree.iter("meta") if each.get("property") == "og:title"][:1]
    return " ".join(" ".join(found).lower().split())[:2_000]


def _documents(tree: HtmlElement) -> Iterator[Any]:
    """Yield what a page's scripts hold as data; what cannot be read is passed over."""
    flight: list[str] = []
    for script, _ in zip(tree.iter("script"), range(_MOST_SCRIPTS), strict=False):
        code = (script.text or "").strip()
        kind = (script.get("type") or "").strip().lower().partition(";")[0]
        if not code or len(code) > _LONGEST or kind in _OTHER_KINDS:
            continue
        if kind.endswith("json") or (script.get("id") or "").startswith("__"):
            yield from _parsed(code)
        elif pushed := _FLIGHT.match(code):
            flight += [part for data in _parsed(code, pushed.end()) for part in _strings(data)]
        else:
            yield from _assigned(code)
    for line in "".join(flight).splitlines():
        at = line.find(":")
        if 0 < at < _LONGEST_ID:
            yield from _parsed(line, at + 1)
    for element in tree.iter("div"):
        if (props := element.get("data-page")) and props.startswith("{") and len(props) < _LONGEST:
            yield from _parsed(props)


def _assigned(code: str) -> Iterator[Any]:
    """Yield what a script assigns to names of the window."""
    for assigned, _ in zip(_ASSIGNED.finditer(code), range(20), strict=False):
        read = list(_parsed(code, assigned.end()))
        if assigned[2]:
            read = [data for text in read if isinstance(text, str) for data in _parsed(text)]
        yield from read
        if not read and "NUXT" in assigned[1]:  # a function that is called with what it fills in
            yield [text for literal in _HTML_STRING.finditer(code) for text in _parsed(f'"{literal[1]}"')]


def _parsed(text: str, at: int = 0) -> Iterator[Any]:
    try:
        yield json.JSONDecoder(strict=False).raw_decode(text, at)[0]
    except (ValueError, RecursionError):  # json's reader is recursive: strangers nest a million brackets
        return


def _strings(data: Any) -> list[str]:
    return [each for each in data if isinstance(each, str)] if isinstance(data, list) else []


class _Walk:
    def __init__(self, titles: str, *, titled: bool) -> None:
        self._titles = titles
        self._titled = titled
        self._left = _MOST_NODES
        self.found: list[_Candidate] = []

    def look_at(self, root: Any) -> None:
        """Collect the articles of one document."""
        stack: list[tuple[Any, str, bool, int]] = [
            (root, "", False, 0)
        ]  # with its key, whether its object has the title
        while stack and self._left > 0:
            node, key, titled, depth = stack.pop()
            self._left -= 1
            if isinstance(node, str):
                self._take(node, key, titled)
            elif isinstance(node, dict):
                titled = titled or self._is_titled(node)
                if depth < _DEEPEST:
                    stack += [(value, str(name)[:60], titled, depth + 1) for name, value in node.items() if value]
            elif isinstance(node, list):
                if blocks := _lines(node):
                    self._take("".join(f"<p>{escape(line)}</p>" for line in blocks), key, titled)
                if depth < _DEEPEST:
                    stack += [(value, key, titled, depth + 1) for value in node if value]

    def _is_titled(self, node: dict[str, Any]) -> bool:
        titles = (node.get(name) for name in _TITLES)
        return any(
            isinstance(title, str) and 3 < len(title) < 500 and " ".join(title.lower().split()) in self._titles
            for title in titles
        )

    def _take(self, text: str, key: str, titled: bool) -> None:
        if len(text) < 200 or _NO_KEYS.search(key) or (self._titled and not titled):
            return
        bare = _TAG.sub(" ", text[:_LONGEST])
        words = len(bare.split())
        if words < _LEAST or len(bare) > 15 * words or len(_SENTENCE.findall(bare)) < max(words / 60, 2):
            return
        weight = (3 if titled else 1) * (2 if _KEYS.search(key) else 1) * (2 if _PARAGRAPHS.search(text) else 1)
        self.found.append(_Candidate(text, words, min(words, 5_000) * weight))


def _lines(nodes: list[Any]) -> list[str]:
    """Return the texts of a list of blocks, as editors store them, one for each; nothing where it is another list."""
    if len(nodes) < 2 or len(nodes) > 5_000:
        return []
    if nodes[0] == "$":  # an element of React: its children are looked at by themselves
        return []
    lines = [line for node in nodes if (line := _line(node))]
    return lines if len(lines) >= max(2, len(nodes) / 2) else []


def _line(node: Any) -> str:
    """Return the text of one block: the words of its spans."""
    if (
        isinstance(node, list)
        and len(node) == 4
        and node[0] == "$"
        and node[1] in _BLOCK_TAGS
        and isinstance(node[3], dict)
    ):
        return _spans(node[3].get("children"), 0)
    if not isinstance(node, dict):
        return ""
    for name in ("text", "children", "content", "value", "html", "data", "paragraph"):
        if name in node and (line := _spans(node[name], 0)):
            return _TAG.sub("", line)
    return ""


def _spans(node: Any, depth: int) -> str:
    if isinstance(node, str):
        return node
    if depth > 6:
        return ""
    if isinstance(node, list):
        if len(node) == 4 and node[0] == "$" and isinstance(node[3], dict):
            return _spans(node[3].get("children"), depth + 1)
        return "".join(_spans(each, depth + 1) for each in node[:500])
    if isinstance(node, dict):
        inner = next((node[name] for name in ("text", "children", "content", "value") if name in node), None)
        return _spans(inner, depth + 1)
    return ""
