"""What is cut from a page's source before it is parsed, for the parser would take minutes over it."""

from __future__ import annotations

import re

_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{30000,}")
_ATTRIBUTE = re.compile(r"""(?:[\s/]|(?<=["']))[^\s"'=<>/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?""")
_MOST_ATTRIBUTES = 2_000  # libxml2 compares each attribute of an element with all before it


def bounded(text: str) -> str:
    """Return a page's source without the attributes beyond the first two thousand of an element."""
    return _LONG_TAG.sub(_with_fewer, text)


def _with_fewer(tag: re.Match[str]) -> str:
    for count, attribute in enumerate(_ATTRIBUTE.finditer(tag[0])):
        if count == _MOST_ATTRIBUTES:
            return tag[0][: attribute.start()]
    return tag[0]  # long for another reason: an image in its address, say, or data of a script in quotes


_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,60})(?:[^<>\"']|\"[^\"]{0,5000}\"|'[^']{0,5000}')*>")
_DATA = re.compile(r"(data:[\w.+-]{1,60}/[\w.+-]{1,60}[^,\"'<>\s]{0,100},)[^\"'<>\s)]{100000,}")
_NO_END = frozenset({  # that have no end, or need none
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "p",
    "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option", "optgroup", "rp", "rt", "html",
    "head", "body", "script", "style", "textarea", "title", "noscript", "svg", "math", "path", "g", "!doctype",
})  # fmt: skip
_INLINE = frozenset(
    {"a", "abbr", "b", "big", "code", "em", "font", "i", "s", "small", "span", "strong", "sub", "sup", "tt", "u"}
)
_DEEPEST = 150  # elements within each other; libxml2 ends a page at 256, or 2048, and so does recursion elsewhere
_LOOKED_BACK = 50  # open elements among which the one that is closed is looked for


def flattened(text: str) -> str:
    """Return a page's source without what ends a parser: tags nested more than 150 deep, and large data: addresses."""
    text = _DATA.sub(r"\1", text)
    parts: list[str] = []
    open_tags: list[tuple[str, bool]] = []  # names, and whether the tag was left out
    at = 0
    for tag in _TAG.finditer(text):
        name = tag[2].lower()
        if name in _NO_END or tag[0].endswith("/>"):
            continue
        if not tag[1]:
            left_out = len(open_tags) >= _DEEPEST
            open_tags.append((name, left_out))
        else:
            left_out = _closed(open_tags, name)
        if left_out:
            parts += [text[at : tag.start()], "" if name in _INLINE else "<br><br>"]
            at = tag.end()
    parts.append(text[at:])
    return "".join(parts)


def _closed(open_tags: list[tuple[str, bool]], name: str) -> bool:
    """Close the innermost open element of a name; return whether its tag was left out."""
    for back in range(1, min(len(open_tags), _LOOKED_BACK) + 1):
        if open_tags[-back][0] == name:
            left_out = open_tags[-back][1]
            del open_tags[-back:]
            return left_out
    return False
