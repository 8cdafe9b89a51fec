"""Which characters the bytes of a page are: what it declares, what it begins with, what it can be (WHATWG Encoding)."""

from __future__ import annotations

import codecs
import re

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_META = re.compile(rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_PROLOGUE = 8192  # bytes that may hold a declaration; the standard asks for 1024, pages exceed it
_SAMPLE = 65_536  # bytes that detection looks at

# Labels mean what browsers take them for, not what they say.
_LABELS = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252",
    "latin-1": "cp1252", "l1": "cp1252", "windows-1252": "cp1252", "x-cp1252": "cp1252",
    "iso-8859-9": "cp1254", "latin5": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932",
    "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "korean": "cp949", "big5": "big5hkscs", "big5-hkscs": "big5hkscs",
    "x-x-big5": "big5hkscs", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "utf-16": "utf-16-le",
    "x-mac-cyrillic": "mac_cyrillic",
}  # fmt: skip
# Python's own, which no browser knows: some cannot replace what does not fit, others read escapes.
_NOT_OF_THE_WEB = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}


def decode(body: bytes, content_type: str | None) -> tuple[str, str]:
    """The text of a page, and the name of the encoding it was read in.

    A byte order mark decides; then valid UTF-8 beyond ASCII, for no other encoding looks like it by chance; then the
    first of header and <meta> that fits the bytes; then detection. Bytes that fit nothing are replaced, never lost.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), name
    declared = _declared(body, content_type)
    if not body.isascii() or b"\x1b" in body:
        found = _fitting(body, declared)
        if found is not None:
            return found
        return _detected(body, declared)
    return body.decode("ascii"), "utf-8"


def _declared(body: bytes, content_type: str | None) -> list[str]:
    names = []
    if match := _HEADER.search(content_type or ""):
        names.append(match[1])
    prologue = _COMMENT.sub(b"", body[:_PROLOGUE])
    names += [found[1].decode("ascii") for pattern in (_META, _XML) if (found := pattern.search(prologue))]
    return [codec for name in names if (codec := _codec(name))]


def _codec(label: str) -> str | None:
    name = label.strip().lower()
    try:
        codec = codecs.lookup(_LABELS.get(name, name))
    except LookupError:
        return None
    text = getattr(codec, "_is_text_encoding", True) and codec.name not in _NOT_OF_THE_WEB
    return codec.name if text else None


def _fitting(body: bytes, declared: list[str]) -> tuple[str, str] | None:
    for name in ("utf-8", *declared):
        if name == "utf-8" and b"\x1b" in body and declared[:1] == ["iso2022_jp"]:
            continue
        try:
            return body.decode(name), name
        except (UnicodeDecodeError, UnicodeError):
            continue
    return None


def _detected(body: bytes, declared: list[str]) -> tuple[str, str]:
    """Nothing fits to the last byte: the declared encoding if it nearly does, else what the bytes look most like."""
    for name in declared:
        text = body.decode(name, "replace")
        bad = text.count("\ufffd")
        if bad * 5 <= sum(not character.isascii() for character in text) - bad:
            return text, name
    from charset_normalizer import from_bytes

    best = from_bytes(body[:_SAMPLE]).best()
    name = best.encoding if best else "cp1252"
    return body.decode(name, "replace"), name
