"""Quoted values of shortcodes, after the blog's software has made typographic quotes of the plain ones.

A quote that opens a value may be of another form than the one that closes it: two right quotes, a right quote and a
prime, a plain quote and a curved one, two right guillemets with spaces before them. Both are of one kind, single or
double. An empty value, two single quotes, may have become one double one. A value may hold signs of its own kind, an
apostrophe at a word's end, so a sign closes only where a value may end, and best where the next attribute, or the end
of the tag, follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.extract.shortcodes.known_names import FAMILY

_SINGLE = (
    r"(?:['\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u00b4]|"
    r"&(?:amp;)?(?:#0*(?:39|8216|8217|8218|8219|8242)|#[xX]0*(?:27|201[89abAB]|2032)|apos|lsquo|rsquo|sbquo|prime);)"
)
_DOUBLE = (
    r"(?:[\"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb]|"
    r"&(?:amp;)?(?:#0*(?:34|8220|8221|8222|8223|8243|171|187)|#[xX]0*(?:22|201[c-fC-F]|2033|[aAbB][bB])|"
    r"quot|ldquo|rdquo|bdquo|Prime|laquo|raquo);)"
)
KEY = r"[A-Za-z_][\w:.-]*"
# White space, and what a blog's software puts in its place when it makes paragraphs and links of a text.
GAP = (
    r"(?:\s|&nbsp;|&#0*(?:160|10|13|9);|&#[xX]0*[aA]0;|"
    r"</?(?:p|br|span|a|wbr|font|em|strong|b|i)(?:\s[^<>\[\]]{0,400})?/?>)"
)
OPENING = re.compile(rf"(?P<single>{_SINGLE})|(?P<double>{_DOUBLE})")
_ENDS = r"(?=[\s\]<\u00a0]|/\]|&nbsp;|&#0*160;|\Z)"
_NEXT_KEY = re.compile(rf"{GAP}++{KEY}\s?=")
_NEXT_QUOTED = {
    kind: re.compile(rf"{GAP}++{KEY}\s?=\s?{quote}") for kind, quote in (("single", _SINGLE), ("double", _DOUBLE))
}
_TAG_ENDS = re.compile(rf"{GAP}*+/?\]")
_BLOCK = r"</?(?:p|div|section|article|h[1-6]|ul|ol|li|table|tr|td|blockquote|main|body|footer|header|aside|nav|form)\b"
_EVENTS = {
    kind: re.compile(
        rf"(?P<close>{quote}){_ENDS}|(?P<key>(?<=[\s>;]){KEY}\s?=\s?{quote})"
        rf"|(?P<stop>\[/?(?:{FAMILY}\b|(?<=/)[A-Za-z]|[\w-]{{1,64}}\s[\w-]{{1,64}}=))"
        rf"|(?P<open>\[)|(?P<shut>\])|(?P<block>{_BLOCK})"
    )
    for kind, quote in (("single", _SINGLE), ("double", _DOUBLE))
}
_LINE_END = re.compile(r"[\n<]")
_LONGEST_UNCLOSED = 2_000  # characters up to a bracket that are taken for a value whose closing quote is missing


@dataclass(frozen=True, slots=True)
class Value:
    """A quoted value: html[start:end]; the tag goes on at `next`, and `seen` is how far was looked for the end.

    `broken`: it has no end, nor has its tag.
    """

    start: int
    end: int
    next: int
    seen: int
    broken: bool = False


def quoted_value(html: str, quote: re.Match[str], limit: int) -> Value:
    """Return the value that an opening quote begins; nothing behind `limit` is looked at."""
    start = quote.end()
    kind = quote.lastgroup or "single"
    plain = quote[0] in {"'", '"'}
    if _NEXT_QUOTED[kind].match(html, start) or (not plain and _NEXT_KEY.match(html, start)):
        return Value(start, start, start, start)
    return _Search(html, start, limit, kind, quote[0] if plain else None).run()


class _Search:
    """One walk over the signs that may end a value, from the opening quote on."""

    def __init__(self, html: str, start: int, limit: int, kind: str, plain: str | None) -> None:
        self.html = html
        self.start = start
        self.limit = limit
        self.kind = kind
        self.plain = plain
        self.depth = 0  # of brackets within the value
        self.maybe: re.Match[str] | None = None  # a quote that may close, if none does better
        self.shut: int | None = None  # the first bracket that closes more than was opened
        self.crossed = False  # whether the value would hold a paragraph's end
        self.line_end = limit
        self.seen = start

    def run(self) -> Value:
        """Return the value, ended by the best sign there is."""
        for event in _EVENTS[self.kind].finditer(self.html, self.start, self.limit):
            name, self.seen = event.lastgroup, event.end()
            if name == "close":
                if self._closes(event):
                    return self._value(event)
            elif name == "open":
                self.depth += 1
            elif name == "shut" and self.depth:
                self.depth -= 1
            elif name in {"shut", "block"}:
                if self.maybe is not None:
                    return self._value(self.maybe)
                self._cross(event)
            else:
                return self._unclosed(event.start() if name == "key" else None)
            if event.start() > self.line_end:
                break
        else:
            self.seen = self.limit
        return self._unclosed(None)

    def _closes(self, quote: re.Match[str]) -> bool:
        """Whether this sign ends the value for certain; notes one that might."""
        if _NEXT_KEY.match(self.html, quote.end()):
            return self.shut is None or quote.start() < self.line_end
        if self.plain and quote[0] != self.plain:
            return False
        if self.shut is not None:
            return False
        if _TAG_ENDS.match(self.html, quote.end()) and not self.depth:
            return True
        if not self.crossed and self.maybe is None:
            self.maybe = quote
        return False

    def _cross(self, event: re.Match[str]) -> None:
        if event.lastgroup == "block":
            self.crossed = True
        elif self.shut is None and not self.crossed:
            self.shut = event.start()
            line = _LINE_END.search(self.html, event.end(), self.limit)
            self.line_end = line.start() if line else self.limit
        else:
            self.line_end = event.start()

    def _value(self, quote: re.Match[str]) -> Value:
        return Value(self.start, quote.start(), quote.end(), self.seen)

    def _unclosed(self, key: int | None) -> Value:
        if self.maybe is not None:
            return self._value(self.maybe)
        end = self.shut if self.shut is not None else key
        if end is None or end - self.start > _LONGEST_UNCLOSED:
            return Value(self.start, self.start, self.start, self.seen, broken=True)
        return Value(self.start, end, end, self.seen)
