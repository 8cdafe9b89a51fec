"""Office Open XML documents (ECMA-376, part 1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extract.office.content import Content, properties_of, text_within
from pipeline.extract.office.package import NotRead, Package, children, local, value_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_DOCUMENT = "word/document.xml"
_COMPOUND = b"\xd0\xcf\x11\xe0"  # how a document begins that is encrypted (MS-OFFCRYPTO §2.3.2)
_SPACES = frozenset({"tab", "br", "cr", "ptab"})
_SKIPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "pPr", "rPr", "txbxContent"})
_HOLDERS = frozenset({"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "body"})
_TEXTS = frozenset({"t"})
_HEADING = re.compile(r"(?:heading |title\Z)(\d?)", re.IGNORECASE)


def read_docx(data: bytes) -> Content | None:
    """Return what a document holds, None for a ZIP file of another kind; raises NotRead."""
    if data.startswith(_COMPOUND):
        raise NotRead("the document opens only with a password, or is of an older format", "password")
    package = Package(data)
    root = package.xml(_DOCUMENT)
    if root is None:
        return None
    found = Content()
    levels = _levels(package)
    for body in children(root, "body"):
        _blocks(body, found, levels)
    for box in root.iter():
        if local(box) == "txbxContent" and not any(local(above) == "Fallback" for above in box.iterancestors()):
            _blocks(box, found, levels)
    found.notes = [note for part in ("word/footnotes.xml", "word/endnotes.xml") for note in _notes(package, part)]
    relations = package.xml("word/_rels/document.xml.rels")
    for relation in relations if relations is not None else ():
        if (value_of(relation, "Type") or "").endswith("/hyperlink"):
            found.links.append(value_of(relation, "Target") or "")
    found.properties = properties_of(package, "docProps/core.xml")
    return found


def _levels(package: Package) -> dict[str, int]:
    """Return the levels of styles that are those of headings, by their ids; built-in names are English everywhere."""
    root = package.xml("word/styles.xml")
    found: dict[str, int] = {}
    for style in children(root, "style") if root is not None else ():
        name = next((value_of(each, "val") or "" for each in children(style, "name")), "")
        if match := _HEADING.match(name):
            found[value_of(style, "styleId") or ""] = int(match[1] or 1)
    return found


def _blocks(parent: _Element, found: Content, levels: dict[str, int]) -> None:
    """Take paragraphs and tables in their order, those within content controls too."""
    stack = [iter(parent)]
    while stack:
        block = next(stack[-1], None)
        if block is None:
            stack.pop()
        elif local(block) == "p":
            found.add(_text(block), levels.get(_style(block), 0))
        elif local(block) == "tbl":
            for row in block.iter(block.tag[: -len("tbl")] + "tr"):
                found.add(" | ".join(" ".join(_text(cell).split()) for cell in children(row, "tc")))
        elif local(block) in _HOLDERS:
            stack.append(iter(block))


def _text(element: _Element) -> str:
    """Return the text of a paragraph, or of the paragraphs of a cell."""
    if local(element) == "p":
        return text_within(element, _SPACES, _SKIPPED, _TEXTS)
    return " ".join(text_within(each, _SPACES, _SKIPPED, _TEXTS) for each in children(element, "p"))


def _style(paragraph: _Element) -> str:
    for settings in children(paragraph, "pPr"):
        for style in children(settings, "pStyle"):
            return value_of(style, "val") or ""
    return ""


def _notes(package: Package, part: str) -> list[str]:
    """Return the notes of a part, numbered as they are in the text; lines that part them from it are left out."""
    root = package.xml(part)
    found: list[str] = []
    for note in root if root is not None else ():
        if value_of(note, "type") in {None, "normal"}:
            text = " ".join(_text(note).split())
            if text:
                found.append(f"{len(found) + 1} {text}")
    return found
