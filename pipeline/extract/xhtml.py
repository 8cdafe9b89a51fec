"""Pages that are served as XML: XHTML, known by its root element, and read by the rules for HTML."""

from __future__ import annotations

import re
from html import escape

_MOST = 20_000  # characters before a root element
_ROOT = re.compile(
    r"(?:\s+|<\?[^>]{0,2000}>|<!--.{0,5000}?-->|<!DOCTYPE\b[^>\[]{0,2000}(?:\[.{0,9000}?\]\s*)?>)*"
    r"<(?:([\w.-]{1,40}):)?html(?=[\s/>])",
    re.IGNORECASE | re.DOTALL,
)
_SECTION = re.compile(r"<(script|style)\b[^>]*(?<!/)>.*?</\1\s*>|<!\[CDATA\[(.*?)\]\]>", re.IGNORECASE | re.DOTALL)


def is_xml(content_type: str | None) -> bool:
    """Return whether a Content-Type says XML, of whatever vocabulary, or XHTML."""
    kind = (content_type or "").partition(";")[0].partition(",")[0].strip().lower()
    return kind in {"text/xml", "application/xml", "application/xhtml+xml"}


def is_xhtml(text: str) -> bool:
    """Return whether a document's root element is a page's."""
    return _ROOT.match(text.lstrip("\ufeff")[:_MOST]) is not None


def as_html(text: str) -> str:
    """Return XHTML as HTML has it: without a prefix of its names, and with CDATA sections as text."""
    root = _ROOT.match(text.lstrip("\ufeff")[:_MOST])
    if root is not None and (prefix := root[1]):
        text = re.sub(rf"<(/?){re.escape(prefix)}:", r"<\1", text)
    if "<![CDATA[" not in text:
        return text
    return _SECTION.sub(lambda found: found[0] if found[2] is None else escape(found[2], quote=False), text)
