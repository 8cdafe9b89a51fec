"""The tags of a page, found as browsers find them (WHATWG HTML §13.2.5), each character looked at once."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.entities import html5

_SPACE = " \t\n\r\f"
_NAME = re.compile(r"[^\t\n\r\f />]*")
_GAP = re.compile(r"[\t\n\r\f /]*")
_BLANK = re.compile(r"[\t\n\r\f ]*")
_ATTRIBUTE = re.compile(r"=?[^\t\n\r\f />=]*")
_UNQUOTED = re.compile(r"[^\t\n\r\f >]*")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(r"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[A-Za-z][A-Za-z0-9]*;?)(=?)")

# Elements whose content is text up to their end tag, whatever it looks like.
RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title", "plaintext"})
_RAW_ENDS = {name: re.compile(rf"</{name}(?=[\t\n\r\f />])", re.IGNORECASE) for name in RAW - {"plaintext"}}


@dataclass(slots=True)
class Tag:
    """A start or end tag: names in lower case, values with character references undone, the first of a name."""

    name: str
    end: bool
    attributes: dict[str, str] = field(default_factory=dict)
    closed: bool = False  # written <name/>
    raw: str = ""  # of an element of RAW: the text up to its end tag


@dataclass(frozen=True, slots=True)
class Doctype:
    """A document type, as it is written between "<!" and ">"."""

    text: str


Token = str | Tag | Doctype


def tokens(page: str) -> Iterator[Token]:
    """Yield a page as pieces of text, tags and document types.

    Comments are left out, and what breaks off at the end.
    """
    position = 0
    token: Token | None
    while True:
        begin = page.find("<", position)
        if begin < 0:
            break
        following = page[begin + 1 : begin + 3]
        if not following or not _begins(following):
            yield page[position:begin] + "&lt;"
            position = begin + 1
            continue
        if begin > position:
            yield page[position:begin]
        if following[0] in "!?" or (following[0] == "/" and not _letter(following[1])):
            position, token = _declaration(page, begin)
        else:
            position, token = _tag(page, begin)
        if token is not None:
            yield token
    if position < len(page):
        yield page[position:]


def _letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _begins(following: str) -> bool:
    return following[0] in "!?" or _letter(following[0]) or (following[0] == "/" and len(following) > 1)


def _declaration(page: str, begin: int) -> tuple[int, Doctype | None]:
    """Return a comment, a document type, or what browsers take for a comment: where it ends, and the document type."""
    if page.startswith("<!--", begin):
        if page.startswith((">", "->"), begin + 4):
            return page.index(">", begin) + 1, None
        end = _COMMENT_END.search(page, begin + 4)
        return (end.end() if end else len(page)), None
    close = page.find(">", begin)
    close = len(page) if close < 0 else close
    text = page[begin + 2 : close]
    return close + 1, Doctype(text) if text[:7].lower() == "doctype" else None


def _tag(page: str, begin: int) -> tuple[int, Tag | None]:
    ending = page[begin + 1] == "/"
    name = _NAME.match(page, begin + 1 + ending)
    assert name is not None, "it matches the empty string"
    tag = Tag(name[0].lower(), ending)
    position = name.end()
    while True:
        gap = _GAP.match(page, position)
        assert gap is not None, "it matches the empty string"
        position = gap.end()
        if position >= len(page):
            return position, None  # browsers drop a tag that the page breaks off in
        if page[position] == ">":
            tag.closed = page[position - 1] == "/"
            break
        position = _attribute(page, position, tag)
    position += 1
    if not ending and tag.name in RAW:
        return _raw(page, position, tag)
    return position, tag


def _attribute(page: str, position: int, tag: Tag) -> int:
    name = _ATTRIBUTE.match(page, position)
    assert name is not None, "it matches the empty string"
    blank = _BLANK.match(page, name.end())
    assert blank is not None, "it matches the empty string"
    position, value = blank.end(), ""
    if page.startswith("=", position):
        blank = _BLANK.match(page, position + 1)
        assert blank is not None, "it matches the empty string"
        position = blank.end()
        quote = page[position : position + 1]
        if quote in {'"', "'"}:
            close = page.find(quote, position + 1)
            close = len(page) if close < 0 else close
            value, position = page[position + 1 : close], close + 1
        else:
            bare = _UNQUOTED.match(page, position)
            assert bare is not None, "it matches the empty string"
            value, position = bare[0], bare.end()
    tag.attributes.setdefault(name[0].lower(), unescaped(value))
    return position


def _raw(page: str, position: int, tag: Tag) -> tuple[int, Tag]:
    if tag.name == "plaintext":
        tag.raw = page[position:]
        return len(page), tag
    end = _RAW_ENDS[tag.name].search(page, position)
    tag.raw = page[position : end.start() if end else len(page)]
    return (end.start() if end else len(page)), tag


def unescaped(value: str) -> str:
    """Return an attribute's value with its character references undone (§13.2.5.73: those before "=" are none)."""
    return _REFERENCE.sub(_character, value) if "&" in value else value


def _character(found: re.Match[str]) -> str:
    name, equals = found[1], found[2]
    if name.startswith("#"):
        return html.unescape(f"&{name}") + equals
    if name not in html5 or (equals and not name.endswith(";")):
        return found[0]
    return html5[name] + equals
