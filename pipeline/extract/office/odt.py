"""OpenDocument texts (ISO/IEC 26300, part 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extract.office.content import Content, properties_of
from pipeline.extract.office.package import NotRead, Package, children, local, value_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_SKIPPED = frozenset({"tracked-changes", "annotation", "note", "forms", "sequence-decls", "ruby-text"})
_LINES = frozenset({"p", "h"})
_MOST_SPACES = 100


def read_odt(data: bytes) -> Content | None:
    """Return what a document holds, None for a ZIP file of another kind; raises NotRead."""
    package = Package(data)
    manifest = package.xml("META-INF/manifest.xml")
    if manifest is not None and any(local(each) == "encryption-data" for each in manifest.iter()):
        raise NotRead("the document opens only with a password", "password")
    root = package.xml("content.xml")
    if root is None:
        return None
    found = Content(properties=properties_of(package, "meta.xml"))
    for body in root.iter():
        if local(body) == "text" and body.getparent() is not None and local(body.getparent()) == "body":
            _blocks(body, found)
    for element in root.iter():
        if local(element) == "a" and (address := value_of(element, "href")):
            found.links.append(address)
        elif local(element) == "note":
            citation = " ".join("".join(each.itertext()).strip() for each in children(element, "note-citation"))
            text = " ".join(_text(line) for line in element.iter() if local(line) in _LINES)
            found.notes.append(" ".join(f"{citation} {text}".split()))
    return found


def _blocks(parent: _Element, found: Content) -> None:
    """Take paragraphs, headings, and rows of tables in their order, whatever lists and sections hold them."""
    stack = [iter(parent)]
    while stack:
        block = next(stack[-1], None)
        if block is None:
            stack.pop()
        elif local(block) in _LINES:
            level = value_of(block, "outline-level") or "1"
            found.add(_text(block), (int(level) if level.isdigit() else 1) if local(block) == "h" else 0)
        elif local(block) == "table-row":
            cells = (
                " ".join(_text(line) for line in cell.iter() if local(line) in _LINES)
                for cell in children(block, "table-cell")
            )
            found.add(" | ".join(" ".join(cell.split()) for cell in cells))
        elif local(block) not in _SKIPPED:
            stack.append(iter(block))


def _text(element: _Element) -> str:
    """Return the text of a paragraph, without what stands in notes and comments."""
    parts = [element.text or ""]
    for child in element:
        name = local(child)
        if name == "s":
            count = value_of(child, "c") or "1"
            parts.append(" " * min(int(count) if count.isdigit() else 1, _MOST_SPACES))
        elif name in {"tab", "line-break"}:
            parts.append(" ")
        elif name and name not in _SKIPPED:
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)
