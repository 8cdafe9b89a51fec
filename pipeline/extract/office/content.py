"""What a reader of one of the formats gives: paragraphs, notes, links, and what the file says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.extract.office.package import Package, local

if TYPE_CHECKING:
    from lxml.etree import _Element

_LONGEST = 2_000  # characters of one property


@dataclass(slots=True)
class Content:
    """Paragraphs are a kind ("text", "heading") and a text; `properties` go by the names of their elements."""

    paragraphs: list[tuple[str, str]] = field(default_factory=list)
    outline: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)

    def add(self, text: str, level: int = 0) -> None:
        """Take a paragraph; one of a level is a heading."""
        line = " ".join(text.split())
        if line:
            self.paragraphs.append(("heading" if level else "text", line))
            if level:
                self.outline.append((level, line))


def properties_of(package: Package, part: str) -> dict[str, str]:
    """Return the properties that a part of metadata states, the first of each name."""
    root = package.xml(part)
    found: dict[str, str] = {}
    for element in root.iter() if root is not None else ():
        if not len(element) and element.text and element.text.strip():
            found.setdefault(local(element), " ".join(element.text[:_LONGEST].split()))
    return found


def text_within(element: _Element, spaces: frozenset[str], skipped: frozenset[str], texts: frozenset[str]) -> str:
    """Return the text of an element: of elements named in `texts`, with a space for each named in `spaces`."""
    parts: list[str] = []
    stack: list[_Element] = [element]
    while stack:
        current = stack.pop()
        name = local(current)
        if name in skipped:
            continue
        if name in spaces:
            parts.append(" ")
        elif name in texts:
            parts.append(current.text or "")
        stack.extend(reversed(current))
    return "".join(parts)
