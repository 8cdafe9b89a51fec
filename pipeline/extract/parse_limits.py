"""What is cut from a page's source before it is parsed, for the parser would take minutes over it."""

from __future__ import annotations

import re

_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{30000,}")
_ATTRIBUTE = re.compile(r"""(?:[\s/]|(?<=["']))[^\s"'=<>/]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?""")
_MOST_ATTRIBUTES = 2_000  # libxml2 compares each attribute of an element with all before it


def bounded(text: str) -> str:
    """A page's source without the attributes beyond the first two thousand of an element."""
    return _LONG_TAG.sub(_with_fewer, text)


def _with_fewer(tag: re.Match[str]) -> str:
    for count, attribute in enumerate(_ATTRIBUTE.finditer(tag[0])):
        if count == _MOST_ATTRIBUTES:
            return tag[0][: attribute.start()]
    return tag[0]  # long for another reason: an image in its address, say, or data of a script in quotes
