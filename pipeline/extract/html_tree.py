"""From a page's text to a tree of elements, and what makes trafilatura faster on it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.extract.frames import open_frames
from pipeline.extract.parse_limits import bounded, flattened
from pipeline.extract.readability_bound import compare_extraction
from pipeline.extract.wellformed import make_wellformed, without_controls
from pipeline.extract.xpath_cache import by_kind
from pipeline.extract.xpath_guard import NameGuard

if TYPE_CHECKING:
    from lxml.html import HtmlElement, HTMLParser

_MARKUP = re.compile(r"<[a-zA-Z]")
_BEGINNING = 100_000  # characters
# Expressions that find nothing on most pages; the other ones would be asked all the same.
_GUARDED = {
    "BODY_XPATH", "COMMENTS_XPATH", "REMOVE_COMMENTS_XPATH", "REMOVE_COMMENTS_AND_LISTS_XPATH", "RAW_TREE_PRUNE_XPATH",
    "TEASER_DISCARD_XPATH", "DISCARD_IMAGE_ELEMENTS", "COMMENTS_DISCARD_XPATH", "CATEGORIES_XPATHS", "TAGS_XPATHS",
    "TITLE_XPATHS",
}  # fmt: skip
_guard = NameGuard()


def parsed(text: str) -> HtmlElement | None:
    """Return a page's tree, or None when there is nothing to parse.

    What trafilatura takes for a fragment is parsed all the same: browsers show it, and its links lead somewhere. Names
    and text of the tree are such that any XML library can copy them.
    """
    from trafilatura.utils import HTML_PARSER, load_html

    if not text.strip():
        return None
    _speed_up()
    text = without_controls(bounded(text))
    tree = load_html(text)
    if tree is None and _MARKUP.search(text, 0, _BEGINNING):
        tree = _fragment(text)
    if tree is not None and _was_cut(HTML_PARSER):
        whole = _fragment(flattened(text), huge=True)
        tree = tree if whole is None else whole
    if tree is not None:
        _take_in_what_follows(tree)
        open_frames(tree, _fragment)
        make_wellformed(tree)
    return tree


def _take_in_what_follows(tree: HtmlElement) -> None:
    """Move what stands behind an early </html> into the page's body (WHATWG HTML §13.2.6.4.22).

    libxml2 makes further roots of it, which nothing that begins at the first root reaches.
    """
    later = [each for each in tree.itersiblings("*") if isinstance(each.tag, str)]
    body = tree.find("body")
    if not later or body is None:
        return
    for root in later:
        parts = [part for child in root for part in (child if child.tag in {"head", "body"} else (child,))]
        words = [each.text for each in (root, *root.iterchildren("body")) if each.text and each.text.strip()]
        if words:
            before = body.makeelement("div")
            before.text = " ".join(words)
            body.append(before)
        body.extend(parts)


def _was_cut(parser: HTMLParser) -> bool:
    """Whether libxml2 ended the page early, in silence: at 256 elements within each other, or a text of 10 MB."""
    error = parser.error_log.last_error
    return error is not None and error.type_name == "ERR_RESOURCE_LIMIT"


def _fragment(text: str, *, huge: bool = False) -> HtmlElement | None:
    """Return what trafilatura takes for no document, or libxml2 for too much, parsed all the same."""
    from lxml import etree, html

    try:
        parser = html.HTMLParser(
            encoding="utf-8", collect_ids=False, remove_comments=True, remove_pis=True, huge_tree=huge
        )
        tree: HtmlElement = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, ValueError):
        return None
    return tree


def mark_names(tree: HtmlElement) -> None:
    """Note in a page's tree, before it is copied, which of trafilatura's expressions may find anything in it.

    No attribute may be given another value from then on.
    """
    _guard.mark(tree)


@cache
def _speed_up() -> None:
    """Make three things faster that give the same results.

    All elements are of one class: lxml.html asks a Python function for the class of each. And the expressions that find
    menus, bylines and the like are evaluated once for each kind of element, some only where a page has
    something that they look for. Readability runs where it can be chosen.
    """
    from lxml import etree, html
    from trafilatura import core, xpaths
    from trafilatura.utils import HTML_PARSER

    for name, expressions in vars(xpaths).items():
        if isinstance(expressions, list) and all(isinstance(entry, etree.XPath) for entry in expressions):
            quick = [(entry.path, by_kind(entry)) for entry in expressions]
            expressions[:] = [_guard.guarded(*entry) if name in _GUARDED else entry[1] for entry in quick]
    plain = etree.ElementDefaultClassLookup(
        html.HtmlElement, html.HtmlComment, html.HtmlProcessingInstruction, html.HtmlEntity
    )
    cascade: Any = core  # its names are looked up at each call
    cascade.compare_extraction = compare_extraction
    HTML_PARSER.set_element_class_lookup(plain)  # what forms and inputs can do besides, nobody asks of them
