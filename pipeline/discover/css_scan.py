"""The addresses in a style sheet, found without taking it apart, wherever that is sure (CSS Syntax 3 §4).

A page may hold a megabyte of style sheets with two addresses in them; tinycss2 makes a node of every word. Here one
expression runs over what cannot begin an address, another looks at what can, and whatever is odd is left to tinycss2.
"""

from __future__ import annotations

import re

_SPACE = r"[ \t\r\n\f]"
_NAME = r"[\w\-\x80-\U0010ffff]"  # what a name consists of, escapes aside
_STRINGS = r'"([^"\\\n\r\f]*)"', r"'([^'\\\n\r\f]*)'"
_BARE = r"([^\"'()\\\x00-\x08\x0b\x0e-\x1f\x7f \t\r\n\f]*)"
_BEHIND = r"[^(){}\[\]\"'\\]*\)"  # of a quoted address: modifiers
_URL = rf"url\({_SPACE}*(?:{_STRINGS[0]}{_BEHIND}|{_STRINGS[1]}{_BEHIND}|{_BARE}{_SPACE}*\))"
_BEGINS = rf"(?<!{_NAME})(?<![#@])"  # no name, hash or at-keyword goes on here

_NO_LETTER = r"(?:0{4}[0-3][0-9a-f]|0{0,4}[0-3]?[0-9a-f](?![0-9a-f]))(?:\r\n|[ \t\r\n\f])?"  # in hexadecimal
_PASSED = re.compile(r"(?:[^uU@/\"'\\]++|[uU](?![rR][lL]\()|@(?![iI][mM][pP][oO][rR][tT])|/(?!\*))*+")
_TOKEN = re.compile(
    rf"{_BEGINS}{_URL}"  # groups 1 to 3
    rf"|@import(?!{_NAME}|\\)(?:{_SPACE}|/\*.*?\*/)*+(?:{_STRINGS[0]}|{_STRINGS[1]}|{_URL})"  # groups 4 to 8
    r"|/\*.*?(?:\*/|\Z)"
    r"|\"(?:[^\"\\\n\r\f]|\\.)*\"|'(?:[^'\\\n\r\f]|\\.)*'"
    rf"|(?:\\(?:[^0-9a-zA-Z\n\r\f]|{_NO_LETTER}){_NAME}*)+"  # a name with harmless escapes, to its end
    rf"|(\\|[\"']|{_BEGINS}url\(|@import)",  # group 9: odd
    re.IGNORECASE | re.DOTALL,
)
_FIRST_IMPORTED, _ODD = 4, 9

_LETTER_ESCAPED = re.compile(r"\\(?:[g-z]|0{4}[4-7][0-9a-f]|0{0,3}[4-7][0-9a-f](?![0-9a-f]))", re.IGNORECASE)
_FUNCTIONS = r"(?:url|src|image|(?:-webkit-)?image-set)\("
_OF_STRINGS = re.compile(rf"(?<!{_NAME}){_FUNCTIONS}".replace("url|", ""), re.IGNORECASE)
_GLUED = re.compile(rf"(?:u\+[0-9a-f?-]{{1,20}}|<!--){_FUNCTIONS}")  # tokens that look like the beginning of a name


def addresses_in(text: str) -> list[tuple[str, bool]] | None:
    """Return the addresses that CSS loads, in order, and whether @import names each; None where a parser must say."""
    low = text.lower()
    if "@namespace" in low or "\x00" in text:
        return None
    if any(name in low for name in ("src(", "image(", "image-set(")) and _OF_STRINGS.search(text):
        return None
    if ("u+" in low or "<!--" in low) and _GLUED.search(low):
        return None
    if "url(" in low or "@import" in low:
        return _found(text)
    return None if "\\" in text and _LETTER_ESCAPED.search(text) else []


def _found(text: str) -> list[tuple[str, bool]] | None:
    found: list[tuple[str, bool]] = []
    at, end = 0, len(text)
    while (at := _PASSED.match(text, at).end()) < end:  # type: ignore[union-attr]  # it matches everywhere
        token = _TOKEN.match(text, at)
        if token is None:  # in the middle of a name
            at += 1
        elif token.lastindex is None:
            at = token.end()
        elif token.lastindex == _ODD:
            return None
        else:
            found.append((token[token.lastindex], token.lastindex >= _FIRST_IMPORTED))
            at = token.end()
    return found
