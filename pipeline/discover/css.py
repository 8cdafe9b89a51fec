"""What a style sheet loads: url(), @import, image-set() (CSS Syntax 3, CSS Images 4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pipeline.discover.outlinks import Collector, Findings, Hop

if TYPE_CHECKING:
    from tinycss2.ast import Node

_IMAGE_SETS = {"image-set", "-webkit-image-set", "src"}
_NAMESPACE = "namespace"  # names a vocabulary, loads nothing


def findings_of_css(text: str, url: str) -> Findings:
    """What a whole style sheet loads."""
    collector = Collector(url)
    add_css(collector, text, "css")
    return Findings(collector.outlinks, left_out=collector.left_out)


def add_css(collector: Collector, text: str, context: str, base: str | None = None) -> None:
    """Add what a piece of CSS loads: a sheet, a <style>, a style attribute."""
    if "(" not in text and "@" not in text:
        return
    import tinycss2

    nodes = tinycss2.parse_component_value_list(text, skip_comments=True)
    for reference, how in _references(nodes):
        collector.add(reference, Hop.EMBED, f"{context} {how}", base)


def _references(nodes: Iterable[Node]) -> Iterator[tuple[str, str]]:
    """References with how they are made; nested blocks are walked with a stack, for strangers nest them deep."""
    stack: list[tuple[Iterator[Node], bool]] = [(iter(nodes), False)]
    keyword = ""  # of the at-rule whose address may follow
    while stack:
        walk, strings = stack[-1]
        node = next(walk, None)
        if node is None:
            stack.pop()
            continue
        kind = node.type
        if kind == "whitespace":
            continue
        if kind == "at-keyword":
            keyword = node.lower_value
            continue
        if keyword == _NAMESPACE and node != ";":
            continue
        address = _address(node, wanted=strings or keyword == "import")
        if address is not None:
            yield address, "@import" if keyword == "import" else "url()"
        keyword = ""
        inner = getattr(node, "arguments", None) or getattr(node, "content", None)
        if address is None and isinstance(inner, list):
            stack.append((iter(inner), kind == "function" and node.lower_name in _IMAGE_SETS))


def _address(node: Node, *, wanted: bool) -> str | None:
    """The address that a token is, if it is one; a plain string counts where one is `wanted`."""
    if node.type == "url":
        return str(node.value)
    if node.type == "string" and wanted:
        return str(node.value)
    if node.type == "function" and node.lower_name == "url":
        return next((str(part.value) for part in node.arguments if part.type == "string"), None)
    return None
