"""XML from strangers, parsed leniently: nothing is loaded, and depth, size and what entities expand to are bounded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.discover.xml_entities import UnboundedEntities, plain_references

if TYPE_CHECKING:
    from lxml.etree import _Element

_ENCODING = re.compile(r"(<\?xml\b[^>]{0,200}?)\s+encoding\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*')")
_DECLARATION = 1000  # characters within which a document says its encoding
_WIDE = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
    (b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"),
)  # fmt: skip


class NotXml(Exception):
    """The bytes are no XML that is read here."""


def parsed_xml(body: bytes) -> _Element:
    """Return the root of a document, faults repaired where they can be; raises NotXml.

    Entities that it declares as text are resolved; those from outside stay as they are written.
    """
    from lxml import etree

    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    body = narrowed(body).lstrip()
    try:
        # ISO-2022 has ampersands within its characters: there the parser repairs what it can
        root = etree.fromstring(body if b"\x1b" in body else plain_references(body), parser)
    except UnboundedEntities as error:
        raise NotXml(str(error)) from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(f"it is no XML: {error}"[:300]) from error
    if root is None:
        raise NotXml("it is no XML")
    return root


def narrowed(body: bytes) -> bytes:
    """Return a text in UTF-16 or UTF-32 as UTF-8, without the encoding that it declares; any other as it is."""
    encoding = next((encoding for start, encoding in _WIDE if body.startswith(start)), None)
    if encoding is None:
        return body
    text = body.decode(encoding, "replace")
    return (_ENCODING.sub(r"\1", text[:_DECLARATION], count=1) + text[_DECLARATION:]).encode("utf-8", "replace")


def local_name(element: _Element) -> str:
    """Return an element's name without its namespace, in lower case; "" for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def text_of(element: _Element) -> str:
    """Return an element's own text, without what surrounds it."""
    return (element.text or "").strip()
