"""What posts of a thread quote from posts above them: said once, where it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.extract.main_content import letters
from pipeline.extract.plain_text import lines_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_SAID = re.compile(
    r".{1,80}(?:\bsaid|\bwrote|\bposted|\bquote|schrieb|a \u00e9crit|escribi\u00f3|ha scritto|schreef)\b.{0,60}:?\Z"
    r"|.{1,40}:\Z",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"(?:click|tap) to expand.{0,5}|expand|quote:?|originally posted by.{0,60}", re.IGNORECASE)
_LEAST = 12  # letters of a line that is looked for
_MOST_TEXT = 2_000_000  # letters of a thread


def shorten_quotes(posts: list[HtmlElement]) -> None:
    """Leave of a quotation of an earlier post nothing but who is quoted, where all its words stand in that post."""
    earlier = ""
    for post in posts:
        for quote in list(post.iter("blockquote")):
            if any(above.tag == "blockquote" for above in quote.iterancestors()) or not earlier or quote is post:
                continue
            lines = [line for line in lines_of(quote) if not _CONTROL.fullmatch(line.strip())]
            said = lines[0] if lines and _SAID.match(lines[0]) else ""
            words = [letters(line) for line in lines[bool(said) :]]
            if any(words) and _stand_in([word for word in words if word], earlier):
                tail = quote.tail
                quote.clear()
                quote.text, quote.tail = said, tail
        if len(earlier) < _MOST_TEXT:
            earlier += letters("".join(post.itertext()))


def _stand_in(lines: list[str], earlier: str) -> bool:
    """Return whether all lines stand in what was said before; a few letters alone do not show it."""
    return all(line in earlier for line in lines) and max(map(len, lines)) >= _LEAST
