"""Paragraphs that are spans: a style attribute, or a simple rule of the page's style sheet, makes blocks of them."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.hiding_rules import block_names, is_hidden_by
from pipeline.extract.main_content import text_in

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_BLOCK_STYLE = re.compile(r"(?:^|[;\s])display\s{0,3}:\s{0,3}(?:block|flex|grid|list-item|table)\b", re.IGNORECASE)
_LONGEST_STYLE, _MOST = 300, 20_000  # characters of a style attribute; spans
_LEAST = 20  # characters of a span that can be a paragraph
_PARENTS = {"p", "div", "article", "section", "main", "td", "blockquote", "span"}


def open_block_spans(tree: HtmlElement) -> None:
    """Make paragraphs of the spans that a page shows as blocks, one below the other."""
    groups: dict[HtmlElement, list[HtmlElement]] = defaultdict(list)
    for span in islice(tree.iter("span"), _MOST):
        parent = span.getparent()
        if parent is None or parent.tag not in _PARENTS or not (span.get("style") or span.get("class")):
            continue
        if not (span.tail and span.tail.strip()):  # words behind it are those of a line
            groups[parent].append(span)
    likely = [(parent, spans) for parent, spans in groups.items() if len(spans) > 1 and _are_long(spans)]
    if not likely:
        return
    names: frozenset[str] | None = None
    for parent, spans in likely:
        styled = [span for span in spans if _has_block_style(span)]
        if len(styled) < len(spans) and names is None:
            names = block_names(tree)
        blocks = [
            span for span in spans if span in styled or is_hidden_by(names or frozenset(), None, span.get("class"))
        ]
        if len(blocks) > 1 and _are_long(blocks):
            for span in blocks:
                span.tag = "p"
            if parent.tag in {"p", "span"}:
                parent.tag = "div"


def _are_long(spans: list[HtmlElement]) -> bool:
    return sum(len(text_in(span).strip()) >= _LEAST for span in spans) > 1


def _has_block_style(span: HtmlElement) -> bool:
    style = span.get("style")
    return style is not None and len(style) < _LONGEST_STYLE and _BLOCK_STYLE.search(style) is not None
