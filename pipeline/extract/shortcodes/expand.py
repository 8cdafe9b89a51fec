"""From the raw text of a page to one without shortcodes: which brackets are shortcodes, and what each pair wraps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.discover.embed_providers import Embed
from pipeline.discover.embed_shortcodes import embed_of_shortcode
from pipeline.extract.shortcodes.grammar import Tag
from pipeline.extract.shortcodes.known_names import CORE, FAMILY, PLAYERS, is_identifier, is_inline, is_known, may_stray
from pipeline.extract.shortcodes.reassemble import Writer
from pipeline.extract.shortcodes.render import Shown, shown
from pipeline.extract.shortcodes.scan import Found, found_in, may_hold

_MOST_ROUNDS = 8  # what is taken out may leave two halves of a shortcode side by side
_ANY = re.compile(rf"\[/?{FAMILY}(?![\w-])[^\[\]<>]*+\]?")  # taken out of what is too long to be read with care
_LONGEST_WRAPPED = 2_048  # characters that are looked at when other brackets stand among them


@dataclass(frozen=True, slots=True)
class Expansion:
    """A page without its shortcodes, and the works that they showed; the same text when nothing changed."""

    html: str
    embeds: tuple[Embed, ...]
    changed: bool


def expand(html: str) -> Expansion:
    """Take shortcodes that stand in a page's text as they were typed out of it, and keep what readers saw of them.

    What a shortcode wraps stays; titles and labels in attributes become text; a player becomes a link to what it
    played. Brackets of prose, and all that is code, stay as they are. Never raises; the time is linear in the length.
    """
    embeds: dict[Embed, None] = {}
    text = html
    for _ in range(_MOST_ROUNDS):
        if not may_hold(text):
            break
        page = _Page(text, embeds)
        rewritten = page.rewritten()
        text = text if rewritten is None else rewritten
        if rewritten is None or page.end < len(page.html):
            break
    return Expansion(text, tuple(embeds), changed=text is not html)


class _Page:
    """One pass over a page."""

    def __init__(self, html: str, embeds: dict[Embed, None]) -> None:
        self.html = html
        self.embeds = embeds
        self.found, self.end = found_in(html)
        self.closes = _pairs(self.found)  # from an opening tag to its closing one
        self.paired = frozenset(self.closes.values())
        self.opened: dict[int, Shown | None] = {}  # by closing tag: what its opening one was written as
        self.writer = Writer(html)

    def rewritten(self) -> str | None:
        """Return the page without shortcodes, or None when there was none."""
        skipped = 0  # what was dropped up to here is not looked at
        for number, found in enumerate(self.found):
            if found.start < skipped:
                continue
            if found.tag is None:
                self.writer.take_out(found, block=False)
            elif found.escaped:
                self._show(found, 2)
            elif found.tag.closing:
                self._close(number, found, found.tag)
            elif self._is_shortcode(number, found.tag):
                skipped = self._open(number, found, found.tag)
        if self.end < len(self.html):
            rest, count = _ANY.subn("", self.html[self.end :])
            if count:
                self.writer.put_last(self.end, rest)
        return self.writer.text()

    def _open(self, number: int, found: Found, tag: Tag) -> int:
        """Write what readers saw of a shortcode; returns the end of what is dropped with it."""
        close = self.closes.get(number)
        if close is not None and found.again and self.found[close].again:
            self.opened[close] = None
            self._show(replace(found, start=found.start - 1), 2, 1)
            return 0
        what = shown(tag.name, tag.attributes, self._wrapped(number))
        self.embeds.update(dict.fromkeys(what.embeds))
        end, before = 0, what.before
        if close is None or what.drops:
            end = self.found[close].end if close is not None else 0
            before += what.after
        else:
            self.opened[close] = what
        if before:
            self.writer.replace(found, before, opens=what.wraps, end=end)
        else:
            self.writer.take_out(found, block=what.block, end=end)
        return end

    def _close(self, number: int, found: Found, tag: Tag) -> None:
        if number not in self.opened:
            if number not in self.paired and may_stray(tag.name):
                self.writer.take_out(found, block=not is_inline(tag.name))
            return
        what = self.opened[number]
        if what is None:
            self._show(replace(found, end=found.end + 1), 1, 2)
        elif what.after:
            self.writer.replace(found, what.after, closes=what.wraps)
        else:
            self.writer.take_out(found, block=what.block)

    def _show(self, found: Found, before: int, behind: int | None = None) -> None:
        """Write a shortcode that is to be read, with single brackets, so that it is none to whoever reads it again."""
        text = self.html[found.start + before : found.end - (behind or before)]
        text = text.replace("[", "&#91;").replace("]", "&#93;")
        self.writer.replace(found, f"&#91;{text}&#93;")

    def _wrapped(self, number: int) -> str | None:
        """Return the raw text up to the closing tag.

        Long text with brackets in it is not looked at, lest it be read often.
        """
        close = self.closes.get(number)
        if close is None:
            return None
        start, end = self.found[number].end, self.found[close].start
        return self.html[start:end] if close == number + 1 or end - start <= _LONGEST_WRAPPED else ""

    def _is_shortcode(self, number: int, tag: Tag) -> bool:
        """Whether an opening tag is one, or brackets of prose."""
        if is_known(tag.name):
            return True
        if self.html[tag.start - 1 : tag.start] == "\\":
            return False
        paired = number in self.closes
        keyed = any(not key.isdigit() for key in tag.attributes)
        if tag.name in {"caption", "wp_caption"}:
            return keyed or paired
        if tag.name in {"gallery", "playlist"}:
            return keyed or paired or (not tag.attributes and self._stands_alone(tag))
        if tag.name in CORE or tag.name in PLAYERS:
            content = self._wrapped(number) or ""
            return tag.quoted > 0 or embed_of_shortcode(tag.name, tag.attributes, content) is not None
        if is_identifier(tag.name):
            return paired or tag.quoted > 0
        return tag.first and "0" not in tag.attributes  # a word of prose, but nothing of prose behind it

    def _stands_alone(self, tag: Tag) -> bool:
        before = self.html[max(tag.start - 100, 0) : tag.start].rstrip()
        behind = self.html[tag.end : tag.end + 100].lstrip()
        return before[-1:] in {">", ""} and behind[:1] in {"<", ""}


def _pairs(found: Sequence[Found]) -> dict[int, int]:
    """Each opening tag's closing one: the nearest that is left, so that one never closed swallows nothing."""
    waiting: dict[str, list[int]] = {}
    pairs = {}
    for number, one in enumerate(found):
        tag = one.tag
        if tag is None or one.escaped or tag.self_closing:
            continue
        if not tag.closing:
            waiting.setdefault(tag.name, []).append(number)
        elif waiting.get(tag.name):
            pairs[waiting[tag.name].pop()] = number
    return pairs
