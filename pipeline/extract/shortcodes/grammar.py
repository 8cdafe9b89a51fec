"""One shortcode tag: `[name key="value" word]`, `[name /]` or `[/name]`, read from the raw text of a page.

WordPress ends a tag at its first `]`; here one within a quoted value does not end it, if brackets and quotes pair up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from pipeline.extract.shortcodes.known_names import CORE, PLAYERS, is_identifier, is_known
from pipeline.extract.shortcodes.quotes import GAP, KEY, OPENING, quoted_value

_NAME = re.compile(r"\[(/?)([A-Za-z][A-Za-z0-9_-]{0,63})(?![\w-])", re.ASCII)
_CLOSE = re.compile(r"\s{0,20}\]")
_GAP = re.compile(rf"{GAP}*+")
_PARAGRAPH = re.compile(r"</?p\b", re.IGNORECASE)
_KEY = re.compile(rf"({KEY})\s?=(?:{GAP}{{1,4}}(?={OPENING.pattern}))?")
_END = re.compile(r"(/?)\]")
_UNQUOTED = re.compile(r"(?:(?!/\])[^\s\[\]<>]){0,4000}")
_WORD = re.compile(r"https?://(?:(?!/\])[^\s\[\]<>\"']){1,4000}|(?:(?!/\])[^\s\[\]<>=]){1,4000}=?")
_HAS_KEY = re.compile(rf"{GAP}{{1,8}}{KEY}\s?=")
_TO_BRACKET = re.compile(r"[^\[\]]*+\]")
_LONGEST_VALUE = 300_000  # characters in quotes
_LONGEST_WORD = 2_000  # characters in quotes without a key
_MOST_WORDS = 8  # without a value in one tag; more are prose behind a tag that has no end


@dataclass(slots=True)
class Tag:
    """A tag that stands at html[start:end]; values are as a reader would see them, entities undone.

    Words without a key have the keys "0", "1" and so on. `whole`: whether the tag has its closing bracket.
    """

    name: str
    start: int
    end: int
    closing: bool = False
    self_closing: bool = False
    whole: bool = True
    quoted: int = 0  # values in quotes that have a key
    first: bool = False  # whether what follows the name is such a value
    attributes: dict[str, str] = field(default_factory=dict)


class Reader:
    """Reads the tags of one page; what is read in vain is counted, so that a hostile page cannot make it long."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.count = 0  # of tags read, in vain or not
        self._patience = 200_000 + len(html)  # characters that may be read in vain

    def tag(self, start: int) -> Tag | None:
        """Return the tag that begins with the bracket at `start`, or None when none can."""
        match = _NAME.match(self.html, start)
        if match is None:
            return None
        name, end = match[2], match.end()
        if match[1]:
            self.count += 1
            close = _CLOSE.match(self.html, end)
            return Tag(name, start, close.end(), closing=True) if close else None
        tag = Tag(name, start, end)
        if self.html.startswith("=", end) and name in PLAYERS:
            tag.end = end + 1
            self._value(tag, "0")
        elif not self._may_be_tag(name, end):
            return None
        self.count += 1
        if self._patience > 0:
            self._read(tag)
        elif (bracket := _TO_BRACKET.match(self.html, end)) is not None:
            tag.end = bracket.end()
        else:
            tag.whole = False
        if tag.whole or is_known(name):
            return tag
        self._patience -= tag.end - start
        return None

    def _may_be_tag(self, name: str, end: int) -> bool:
        """Whether what follows the name lets a shortcode be; most brackets of prose are passed over here."""
        if is_known(name) or name in CORE or name in PLAYERS or is_identifier(name):
            return self.html.startswith(("]", "/]"), end) or _gap_end(self.html, end) > end
        return _HAS_KEY.match(self.html, end) is not None

    def _read(self, tag: Tag) -> None:
        """Read attributes up to the closing bracket; without one the tag ends behind its last value."""
        html, position, words, most = self.html, tag.end, 0, _MOST_WORDS
        while True:
            after = _gap_end(html, position)
            if (end := _END.match(html, after)) is not None:
                tag.self_closing, tag.end = bool(end[1]), end.end()
                return
            if (key := _KEY.match(html, after)) is not None:
                tag.end = key.end()
                if not self._value(tag, key[1].lower()):
                    break
                most, position = words + _MOST_WORDS, tag.end
                continue
            if _PARAGRAPH.search(html, position, after):
                break
            position = self._word(tag, after, str(words))
            words += 1
            if position == after or words > most:
                break
        tag.whole = False

    def _value(self, tag: Tag, key: str) -> bool:
        """Read the value at tag.end; False when it has no end."""
        quote = OPENING.match(self.html, tag.end)
        if quote is None:
            match = _UNQUOTED.match(self.html, tag.end)
            end = match.end() if match else tag.end
            tag.attributes[key] = unescape(self.html[tag.end : end])
            tag.end = end
            return True
        value = quoted_value(self.html, quote, min(len(self.html), quote.end() + _LONGEST_VALUE))
        self._patience -= value.seen - value.next
        if value.broken:
            tag.end = value.next
            return False
        tag.quoted += key[0].isalpha()
        tag.first = tag.first or not tag.attributes
        tag.attributes[key] = unescape(self.html[value.start : value.end]).strip()
        tag.end = value.next
        return True

    def _word(self, tag: Tag, position: int, number: str) -> int:
        """Read a word or a quoted text without a key; returns where it ends, `position` when there is none."""
        quote = OPENING.match(self.html, position)
        if quote is not None:
            value = quoted_value(self.html, quote, min(len(self.html), position + _LONGEST_WORD))
            self._patience -= value.seen - value.next
            if not value.broken and value.next > quote.end():
                tag.attributes[number] = unescape(self.html[value.start : value.end]).strip()
                return value.next
        word = _WORD.match(self.html, position)
        if word is None:
            return position
        tag.attributes[number] = unescape(word[0])
        return word.end()


def _gap_end(html: str, position: int) -> int:
    gap = _GAP.match(html, position)
    return gap.end() if gap else position
