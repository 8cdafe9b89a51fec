"""The encodings that a page, a style sheet or its header declares, by the labels of the WHATWG Encoding Standard."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from webencodings import LABELS

_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_IN_CONTENT = re.compile(rb"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""\s*<\?xml\s[^>]{0,1000}?encoding\s*=\s*["']\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_CSS = re.compile(rb'@charset "([^"]{1,100})";')
# What matters on the way to a <meta>: comments, elements whose content is no markup, and the end of the head.
_NEXT = re.compile(
    rb"<(?:(!--)|(script|style|title|textarea)(?=[\s/>])|(meta)(?=[\s/])|(body)(?=[\s/>]))", re.IGNORECASE
)
_ATTRIBUTE = re.compile(rb"""[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?""")
_ENDS = {
    name: re.compile(rb"</" + name + rb"(?=[\s/>])", re.IGNORECASE)
    for name in (b"script", b"style", b"title", b"textarea")
}
_PRESCAN = 1024  # bytes that are searched whatever is in them (HTML §13.2.3.2)
_HEAD = 1 << 19  # bytes that a head may take
_LONGEST_META = 4096

# Python's names where they differ, and tables that hold all that browsers know of an encoding.
_CODECS = {
    "big5": "big5hkscs", "euc-kr": "cp949", "gbk": "gb18030", "iso-8859-8-i": "iso8859-8", "macintosh": "mac-roman",
    "shift_jis": "cp932", "utf-16be": "utf-16-be", "utf-16le": "utf-16-le", "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
}  # fmt: skip
# Labels that browsers do not read any more, and archives hold.
_OLD = {"hz-gb-2312": "hz", "iso-2022-kr": "iso2022_kr", "csiso2022kr": "iso2022_kr"}
# Python's own, which no browser knows: some cannot replace what does not fit, others read escapes.
_NOT_OF_THE_WEB = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}


def declared(body: bytes, content_type: str | None) -> list[str]:
    """Return the names of the codecs that are declared, the one that browsers believe first."""
    header = _HEADER.search(content_type or "")
    inside = [_inside(codec) for label in _labels(body) if (codec := codec_of(label.decode("ascii", "replace")))]
    named = codec_of(header[1]) if header else None
    return list(dict.fromkeys([*([named] if named else []), *inside]))


def codec_of(label: str) -> str | None:
    """Return the name of Python's codec for a label, `x-user-defined` for that encoding, None for what is no label."""
    name = label.strip(" \t\n\f\r").lower()
    encoding: str | None = LABELS.get(name) or LABELS.get(name.replace("_", "-"))
    if encoding == "x-user-defined":
        return encoding
    if encoding is None or encoding == "replacement":
        encoding = _OLD.get(name, name)
    try:
        codec = codecs.lookup(_CODECS.get(encoding, encoding))
    except (LookupError, ValueError):
        return None
    text = getattr(codec, "_is_text_encoding", True) and codec.name not in _NOT_OF_THE_WEB
    return codec.name if text else None


def _inside(codec: str) -> str:
    """Return what a declaration in ASCII letters means: it is in no UTF-16, and x-user-defined is read as Latin."""
    if codec.startswith(("utf-16", "utf-32")):
        return "utf-8"
    return "cp1252" if codec == "x-user-defined" else codec


def _labels(body: bytes) -> Iterator[bytes]:
    if sheet := _CSS.match(body):
        yield sheet[1]
    yield from _of_meta(body)
    if xml := _XML.match(body, 0, _PRESCAN):
        yield xml[1]


def _of_meta(body: bytes) -> Iterator[bytes]:
    """Yield the labels in <meta>, in the head and anywhere in the first 1024 bytes; each byte is looked at once."""
    at = 0
    end = _HEAD
    while found := _NEXT.search(body, at, end):
        at = found.end()
        if found[1]:
            close = body.find(b"-->", at - 2, end)
            if close < 0:
                return
            at = close + 3
        elif found[2]:
            closing = _ENDS[found[2].lower()].search(body, at, end)
            if closing is None:
                return
            at = closing.end()
        elif found[4]:
            end = _PRESCAN
        else:
            attributes, at = _attributes(body, at)
            if label := _label(attributes):
                yield label


def _attributes(body: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """Return the attributes of a tag, names in lower case, and where it ends; the first of two with a name counts."""
    found: dict[bytes, bytes] = {}
    end = at + _LONGEST_META
    while match := _ATTRIBUTE.match(body, at, end):
        at = match.end()
        found.setdefault(match[1].lower(), match[2] or match[3] or match[4] or b"")
    return found, at


def _label(attributes: dict[bytes, bytes]) -> bytes | None:
    if attributes.get(b"charset"):
        return attributes[b"charset"]
    if attributes.get(b"http-equiv", b"").strip().lower() == b"content-type":
        match = _IN_CONTENT.search(attributes.get(b"content", b""))
        return match[1] if match else None
    return None
