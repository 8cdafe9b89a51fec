"""XML from strangers, parsed leniently: no entity is expanded, nothing is loaded, depth and size are bounded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

_ENTITY = re.compile(rb"<!ENTITY", re.IGNORECASE)


class NotXml(Exception):
    """The bytes are no XML that is read here."""


def parsed_xml(body: bytes) -> _Element:
    """The root of a document, faults repaired where they can be; raises NotXml, also for one that declares entities."""
    from lxml import etree

    if _ENTITY.search(body.replace(b"\x00", b"")):  # UTF-16 too
        raise NotXml("it declares entities, which no feed or sitemap needs: refused")
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(f"it is no XML: {error}"[:300]) from error
    if root is None:
        raise NotXml("it is no XML")
    return root


def local_name(element: _Element) -> str:
    """An element's name without its namespace, in lower case; "" for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def text_of(element: _Element) -> str:
    """An element's own text, without what surrounds it."""
    return (element.text or "").strip()
