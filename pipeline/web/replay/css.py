"""Style sheets for replay: every url(), @import and image-set() leads to the archive (CSS Syntax 3, CSS Images 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.web.replay.replay_urls import SHEET, Place

if TYPE_CHECKING:
    from tinycss2.ast import Node

_STRINGS = {"image-set", "-webkit-image-set", "src", "image"}  # functions whose plain strings are addresses
_DEEPEST = 100  # blocks within one another; writers of style sheets use five
_KEPT_DATA = re.compile(r"data:(?!text/html|application/xhtml)", re.IGNORECASE)
_NOTHING = "data:,"
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")


def rewrite_css(text: str, place: Place) -> str:
    """A style sheet, a <style> or a style attribute whose addresses lead to the archive; what is none is emptied."""
    if "(" not in text and "@" not in text and "\\" not in text:
        return _TAG.sub(r"\\3c ", text)
    import tinycss2

    nodes = tinycss2.parse_component_value_list(text, skip_comments=True)
    if not _rewrite(nodes, place):
        return ""
    return _TAG.sub(r"\\3c ", str(tinycss2.serialize(nodes)))


def _rewrite(nodes: list[Node], place: Place) -> bool:
    """Change the addresses in place; False when blocks lie too deep within one another to be written again."""
    stack: list[tuple[Iterator[Node], bool]] = [(iter(nodes), False)]
    keyword = ""  # of the at-rule whose address may follow
    while stack:
        if len(stack) > _DEEPEST:
            return False
        walk, strings = stack[-1]
        node = next(walk, None)
        if node is None:
            stack.pop()
        elif node.type == "at-keyword":
            keyword = node.lower_value
        elif node.type != "whitespace":
            imports = keyword == "import"
            keyword = keyword if keyword == "namespace" and node != ";" else ""
            if keyword:
                continue
            inner = _address(node, place, strings=strings or imports, kind=SHEET if imports else "")
            if inner is not None:
                stack.append((iter(inner), node.type == "function" and node.lower_name in _STRINGS))
    return True


def _address(node: Node, place: Place, *, strings: bool, kind: str) -> list[Node] | None:
    """Change a node that is an address; otherwise give what it holds, to be looked through."""
    if node.type == "url":
        node.representation = f'url("{_replaced(node.value, place, kind)}")'
    elif node.type == "string" and strings:
        node.representation = f'"{_replaced(node.value, place, kind)}"'
    else:
        if node.type == "function" and node.lower_name == "url":
            for part in node.arguments:
                if part.type == "string":
                    part.representation = f'"{_replaced(part.value, place, kind)}"'
        inner = getattr(node, "arguments", None) or getattr(node, "content", None)
        return inner if isinstance(inner, list) else None
    return None


def _replaced(value: str, place: Place, kind: str) -> str:
    if value.startswith("#"):  # a part of this very document
        return re.sub(r"[^\w#.:-]", "", value)
    if _KEPT_DATA.match(value):
        return re.sub(r"""["\\\r\n\f<]""", lambda found: f"%{ord(found[0]):02X}", value)
    return place.path(value, kind) or _NOTHING
