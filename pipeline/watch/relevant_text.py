"""What is compared of a text under a watch's rules, and what of it is shown to people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archive.text_diff import Kind, compare
from pipeline.watch.alert_rules import TextRules
from pipeline.watch.line_kinds import by_kinds, without_kinds

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Captured:
    """A captured page as the rules read it: its text, and the markup where a rule names elements."""

    rules: TextRules
    url: str
    text: str
    title: str | None = None
    body: bytes | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Relevant:
    """What of a text matters: `shown` to people, and `compared`; `keywords` are those of the watch that are in it.

    `missing` names the rule whose `only` finds nothing in the page, which is then compared whole.
    """

    shown: str
    compared: str
    keywords: tuple[str, ...] = ()
    missing: str | None = None


def work(captured: Captured) -> Relevant:
    """Return what matters of a captured page."""
    rules, text, missing = captured.rules, captured.text, None
    if rules.reads_markup and captured.body is not None:
        text, missing = _of_elements(captured)
    if rules.only.regex:
        kept = [line for line in text.splitlines() if any(re.search(each, line) for each in rules.only.regex)]
        text, missing = ("\n".join(kept), missing) if kept else (text, "only.regex")
    for expression in rules.ignore.regex:
        text = re.sub(expression, "", text, flags=re.MULTILINE)
    shown = "\n".join(line.strip() for line in text.splitlines() if line.strip())
    found = tuple(word for word in rules.keywords if _is_there(word, shown))
    compared = "\n".join(sorted(found)) if rules.keywords else by_kinds(shown, rules.kinds, captured.title)
    return Relevant(without_kinds(shown, rules.kinds, captured.title), compared, found, missing)


def words_changed(before: str, after: str) -> int:
    """Return how many words a change took away or added, whichever are more."""
    counts = dict.fromkeys(Kind, 0)
    for piece in compare(before + "\n", after + "\n"):
        counts[piece.kind] += len(piece.text.split())
    return max(counts[Kind.DELETED], counts[Kind.INSERTED])


def _is_there(keyword: str, text: str) -> bool:
    """Return whether a word or a phrase is in a text, in any case; `recall*` is the beginning of a word."""
    beginning = keyword.endswith("*")
    words = [re.escape(word) for word in keyword.rstrip("*").split()]
    pattern = r"\s+".join(words)
    if not _CJK.search(keyword):  # scripts without spaces have no ends of words to look for
        pattern = rf"(?<!\w){pattern}" + ("" if beginning else r"(?!\w)")
    return re.search(pattern, text, re.IGNORECASE) is not None


def _of_elements(captured: Captured) -> tuple[str, str | None]:
    """Return the text of the chosen elements, without the ignored ones; what no `only` finds is read whole."""
    from lxml.cssselect import CSSSelector

    from pipeline.extract.encoding import decode
    from pipeline.extract.html_tree import parsed
    from pipeline.extract.seen_parts import shown

    rules = captured.rules
    html, _ = decode(captured.body or b"", captured.content_type)
    tree = parsed(html)
    if tree is None:
        return captured.text, "only.css" if rules.only.css else None
    for selector in rules.ignore.css:
        for element in CSSSelector(selector, translator="html")(tree):
            if element.getparent() is not None:
                element.drop_tree()
    tree = shown(tree)
    if not rules.only.css:
        return _text_of(tree, captured.url), None
    chosen = {each for selector in rules.only.css for each in CSSSelector(selector, translator="html")(tree)}
    outermost = [each for each in tree.iter() if each in chosen and not chosen.intersection(each.iterancestors())]
    text = "\n".join(_lines(each) for each in outermost)
    return (text, None) if text.strip() else (_text_of(tree, captured.url), "only.css")


def _text_of(tree: HtmlElement, url: str) -> str:
    from pipeline.extract.body import body_of

    return body_of(tree, url, seen=True).text or ""


_INLINE = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "big", "button", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "meter", "output", "q", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
_SILENT = frozenset({"script", "style", "template", "noscript", "head"})


def _lines(element: HtmlElement) -> str:
    """Return all that an element shows, a line for each block."""
    from lxml import etree

    parts: list[str] = []
    for event, each in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        silent = not isinstance(each.tag, str) or each.tag in _SILENT
        is_block = not silent and each.tag not in _INLINE
        parts += ["\n" * is_block]
        if event == "start" and not silent:
            parts += [each.text or ""]
        elif event != "start" and each is not element:
            parts += [each.tail or ""]
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)
