"""What a style sheet loads: url(), @import, image-set(), image(), src() (CSS Syntax 3, CSS Images 4, CSS Values 5).

One walk serves both who looks for addresses and who writes a sheet anew for replay: what is found is what is rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.discover.css_scan import addresses_in
from pipeline.discover.outlinks import Collector, Findings, Hop

if TYPE_CHECKING:
    from tinycss2.ast import Node

_STRINGS = {"image-set", "-webkit-image-set", "image", "src"}  # functions whose plain strings are addresses
_NAMESPACE = "namespace"  # names a vocabulary, loads nothing

# Attributes whose value is CSS: SVG has more of them than HTML (SVG 2 §6.6, presentation attributes).
STYLED = frozenset(
    {"style", "fill", "stroke", "filter", "mask", "clip-path", "cursor"}
    | {"marker", "marker-start", "marker-mid", "marker-end"}
)


class NestedTooDeep(Exception):
    """The blocks of a style sheet lie deeper within one another than the caller allows."""


@dataclass(frozen=True, slots=True)
class CssReference:
    """One address in a style sheet, and the node that holds it."""

    node: Node
    imported: bool  # by @import: it leads to another sheet

    @property
    def address(self) -> str:
        """The address as it is written, escapes undone."""
        return str(self.node.value)

    def replace(self, address: str) -> None:
        """Put another address in its place; it must hold nothing that needs an escape in double quotes."""
        self.node.representation = f'url("{address}")' if self.node.type == "url" else f'"{address}"'


def references(nodes: Iterable[Node], *, deepest: int | None = None) -> Iterator[CssReference]:
    """Yield every address that parsed CSS loads, in order.

    Nested blocks are walked with a stack, for strangers nest them deep. Raises NestedTooDeep for more than `deepest`.
    """
    stack: list[tuple[Iterator[Node], bool]] = [(iter(nodes), False)]
    keyword = ""  # of the at-rule whose address may follow
    while stack:
        if deepest is not None and len(stack) > deepest:
            raise NestedTooDeep
        walk, strings = stack[-1]
        node = next(walk, None)
        if node is None:
            stack.pop()
        elif node.type == "at-keyword":
            keyword = node.lower_value
        elif node.type != "whitespace" and not (keyword == _NAMESPACE and node != ";"):
            imported, keyword = keyword == "import", ""
            if node.type == "url" or (node.type == "string" and (strings or imported)):
                yield CssReference(node, imported)
                continue
            name = node.lower_name if node.type == "function" else ""
            inner = getattr(node, "arguments", None) or getattr(node, "content", None)
            if not isinstance(inner, list):
                continue
            if name == "url":
                yield from (CssReference(part, imported) for part in inner if part.type == "string")
            stack.append((iter(inner), name in _STRINGS))


def findings_of_css(text: str, url: str) -> Findings:
    """Return what a whole style sheet loads."""
    collector = Collector(url)
    add_css(collector, text, "css")
    return Findings(collector.outlinks, left_out=collector.left_out)


def add_css(collector: Collector, text: str, context: str, base: str | None = None) -> None:
    """Add what a piece of CSS loads: a sheet, a <style>, a style attribute."""
    if "(" not in text and "@" not in text:
        return
    found = addresses_in(text)
    for address, imported in _parsed_addresses(text) if found is None else found:
        collector.add(address, Hop.EMBED, f"{context} {'@import' if imported else 'url()'}", base)


def _parsed_addresses(text: str) -> Iterator[tuple[str, bool]]:
    import tinycss2

    for found in references(tinycss2.parse_component_value_list(text, skip_comments=True)):
        yield found.address, found.imported
