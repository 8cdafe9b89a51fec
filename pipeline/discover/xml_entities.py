"""Entities and ampersands of XML from strangers, made plain before a parser sees them (XML 1.0 §4).

Text entities that a document declares itself become character references, within bounds; nothing is loaded from
outside. An ampersand that begins no reference is what its writer meant: an ampersand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.entities import html5

_LONGEST = 4096  # bytes that one entity may expand to
_MOST = 1 << 20  # bytes that all of a document's references may expand to together
_DEEPEST = 8  # entities within entities
_DOCTYPE = re.compile(rb"<!DOCTYPE\b", re.IGNORECASE)
_IN_DOCTYPE = re.compile(rb"<!--|<\?|\"[^\"]*\"|'[^']*'|[\[\]>]")
_DECLARED = re.compile(rb"<!ENTITY\s+(?P<name>[^\s%<>&\"']{1,200})\s+(?P<value>\"[^\"]*\"|'[^']*')\s*>")
_BLANK = re.compile(rb"[\xef\xbb\xbf \t\r\n]+")
_LITERAL = re.compile(rb"<!--|<!\[CDATA\[|<\?")  # where an ampersand is no reference
_ENDS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_AMPERSAND = re.compile(rb"&(?:(?P<name>[^\s%<>&\"'#;=/?]{1,200});|(?P<number>#(?:[0-9]{1,7}|x[0-9A-Fa-f]{1,6});))?")
_PREDEFINED = {b"amp", b"lt", b"gt", b"quot", b"apos"}
_MARKUP = re.compile(rb"[<>\"']")


class UnboundedEntities(Exception):
    """A document's entities expand to more than any feed needs, or its declaration of them has no end."""


def plain_references(body: bytes) -> bytes:
    """Return a document without its DOCTYPE, in which each reference is a predefined or a numeric one.

    The encoding must have ASCII's bytes for ASCII's characters. Raises UnboundedEntities.
    """
    start = _prolog_end(body)
    entities = _Entities({})
    if _DOCTYPE.match(body, start):
        end, declared = _declarations(body, start)
        entities, body = _Entities(declared), body[:start] + body[end:]
    return b"".join(_resolved(body, entities)) if b"&" in body else body


def _prolog_end(body: bytes) -> int:
    """Where the DOCTYPE or the root element begins: after declaration, comments and processing instructions."""
    at = 0
    while True:
        blank = _BLANK.match(body, at)
        at = blank.end() if blank else at
        opened = _LITERAL.match(body, at)
        end = body.find(_ENDS[opened[0]], opened.end()) if opened and opened[0] != b"<![CDATA[" else -1
        if opened is None or end < 0:
            return at
        at = end + len(_ENDS[opened[0]])


def _declarations(body: bytes, start: int) -> tuple[int, dict[bytes, bytes]]:
    """Where a DOCTYPE ends, and the text entities that its internal subset declares; the first of a name counts."""
    at, subset, kept = start, False, []
    while token := _IN_DOCTYPE.search(body, at):
        kept.append(body[at : token.start()])
        at = token.end()
        if token[0] in _ENDS:
            end = body.find(_ENDS[token[0]], at)
            if end < 0:
                break
            at = end + len(_ENDS[token[0]])
        elif token[0] == b">" and not subset:
            found = list(_DECLARED.finditer(b"".join(kept)))
            return at, {match["name"]: match["value"][1:-1] for match in reversed(found)}
        else:
            subset = (subset or token[0] == b"[") and token[0] != b"]"
            kept.append(token[0])
    raise UnboundedEntities("its DOCTYPE has no end: refused")


def _resolved(body: bytes, entities: _Entities) -> Iterator[bytes]:
    at = 0
    while opened := _LITERAL.search(body, at):
        yield _AMPERSAND.sub(entities.plain, body[at : opened.start()])
        at = opened.start()
        end = body.find(_ENDS[opened[0]], opened.end())
        if end < 0:
            break
        end += len(_ENDS[opened[0]])
        yield body[at:end]
        at = end
    else:
        yield _AMPERSAND.sub(entities.plain, body[at:])
        return
    yield body[at:]


class _Entities:
    """What a document declares, expanded when it is first referred to."""

    def __init__(self, declared: dict[bytes, bytes]) -> None:
        self._declared = declared
        self._expanded: dict[bytes, bytes] = {}
        self._depth = 0
        self._total = 0

    def plain(self, found: re.Match[bytes]) -> bytes:
        """Return what an ampersand and what follows it are, in predefined and numeric references."""
        name = found["name"]
        if found["number"] or name in _PREDEFINED:
            return found[0]
        if name in self._declared:
            text = self._text(name)
            self._total += len(text)
            if self._total > _MOST:
                raise UnboundedEntities(f"its entities expand to more than {_MOST:,} bytes: refused")
            return text
        html = html5.get(name.decode("ascii", "replace") + ";") if name else None
        return "".join(f"&#{ord(each)};" for each in html).encode() if html else b"&amp;" + found[0][1:]

    def _text(self, name: bytes) -> bytes:
        if name not in self._expanded:
            if self._depth == _DEEPEST:
                raise UnboundedEntities("its entities are made of entities without end: refused")
            self._depth += 1
            value = _MARKUP.sub(lambda found: b"&#%d;" % ord(found[0]), self._declared[name])
            text = _AMPERSAND.sub(self.plain, value)
            self._depth -= 1
            if len(text) > _LONGEST:
                raise UnboundedEntities(f"an entity of it expands to more than {_LONGEST:,} bytes: refused")
            self._expanded[name] = text
        return self._expanded[name]
