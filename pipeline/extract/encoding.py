"""Which characters the bytes of a page are: what it declares, what it begins with, what it can be (WHATWG Encoding)."""

from __future__ import annotations

import codecs
import re

from pipeline.extract.declared_charset import declared

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_UTF16 = ((re.compile(rb"<\0[!?A-Za-z]\0"), "utf-16-le"), (re.compile(rb"\0<\0[!?A-Za-z]"), "utf-16-be"))
_SAMPLE = 65_536  # bytes that detection looks at
# Encodings of two bytes a character, whose text is now and then valid UTF-8 by chance: never of three bytes.
_DOUBLE_BYTE = {"big5hkscs", "cp932", "cp949", "euc_jp", "gb18030"}
_LARGER = {"euc_jp": "euc_jis_2004"}  # has the characters that browsers know beyond Python's table
_USER_DEFINED = {byte: 0xF700 + byte for byte in range(0x80, 0x100)}


def decode(body: bytes, content_type: str | None) -> tuple[str, str]:
    """Return the text of a page, and the name of the encoding it was read in.

    A byte order mark decides; then valid UTF-8 beyond ASCII, for no other encoding looks like it by chance; then the
    first of header and <meta> that fits the bytes; then detection. Bytes that fit nothing are replaced, never lost.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace"), name
    for beginning, name in _UTF16:
        if beginning.match(body):
            return body.decode(name, "replace"), name
    names = declared(body, content_type)
    if b"\0" in body and names and names[0].startswith("utf-16"):
        return body.decode(names[0], "replace"), names[0]
    if not body.isascii() or b"\x1b" in body:
        found = _fitting(body, names)
        if found is not None:
            return found
        return _detected(body, names)
    return body.decode("ascii"), "utf-8"


def _fitting(body: bytes, names: list[str]) -> tuple[str, str] | None:
    utf8 = None if b"\x1b" in body and names[:1] == ["iso2022_jp"] else _strict(body, "utf-8")
    for name in names:
        if utf8 is not None and not (name in _DOUBLE_BYTE and max(utf8) < "\u0800"):
            break
        if (text := _strict(body, name)) is not None:
            return text, name
    return (utf8, "utf-8") if utf8 is not None else None


def _strict(body: bytes, name: str) -> str | None:
    for codec in filter(None, (name, _LARGER.get(name))):
        try:
            return _read(body, codec, "strict" if codec in _DOUBLE_BYTE or codec == "utf-8" else "onrecord-controls")
        except UnicodeError:
            continue
    return None


def _read(body: bytes, name: str, errors: str) -> str:
    if name == "x-user-defined":
        return body.decode("latin-1").translate(_USER_DEFINED)
    return body.decode(name, errors)


def _controls(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes 80 to 9F that a table of one byte a character leaves out as controls, as the standard's do."""
    if isinstance(error, UnicodeDecodeError) and error.encoding in {"charmap", "ascii"}:
        byte = error.object[error.start]
        if 0x80 <= byte < 0xA0:
            return chr(byte), error.start + 1
    raise error


codecs.register_error("onrecord-controls", _controls)


def _detected(body: bytes, names: list[str]) -> tuple[str, str]:
    """Nothing fits to the last byte: the declared encoding if it nearly does, else what the bytes look most like."""
    for name in names:
        text = _read(body, name, "replace")
        bad = text.count("\ufffd")
        if bad * 5 <= sum(not character.isascii() for character in text) - bad:
            return text, name
    from charset_normalizer import from_bytes

    best = from_bytes(body[:_SAMPLE]).best()
    name = best.encoding if best else "cp1252"
    return body.decode(name, "replace"), name
