"""A walk over the raw text of a page that stops at what may be a shortcode.

Shortcodes are in text. Markup is passed over, and so is what is shown as it was typed: code, scripts, comments. An
`[[escaped]]` shortcode is one its author meant to be read, and a comment of the block editor is nothing to a reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.extract.shortcodes.grammar import Reader, Tag
from pipeline.extract.shortcodes.known_names import FAMILY, is_known

_DASHES = r"(?:--|[\u2013\u2014]|&#821[12];|&[nm]dash;)"
_BLOCK_NAME = r"\s*/?wp:[a-z][a-z0-9_/-]{0,100}(?=[\s/{&-])"
# Nothing that could be a shortcode or a comment of the block editor is in a page without these.
_HINT = re.compile(
    rf"\[/?(?:{FAMILY}|gallery|playlist|audio|video)|\[/[A-Za-z]|\[[A-Za-z][\w-]{{0,63}}(?:\s|&nbsp;|=|<)|[-\u2013\u2014;]{_BLOCK_NAME}"
)
_STOP = re.compile(rf"<(?=/?[A-Za-z]|[!?])|&lt;!(?={_DASHES}{_BLOCK_NAME})|\[(?=\[?/?[A-Za-z])")
_MARKUP = re.compile(r"</?[A-Za-z](?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+'|))*+>")
_MOST = 20_000  # tags of shortcodes in one page
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_BLOCK_COMMENT = re.compile(rf"<!--{_BLOCK_NAME}")
_ESCAPED_COMMENT = re.compile(
    rf"&lt;!{_DASHES}{_BLOCK_NAME}\s*(?:\{{(?:(?!&lt;!|{_DASHES}&gt;)[^<])*+)?/?\s*{_DASHES}&gt;"
)
_AS_TYPED = frozenset(
    {"pre", "code", "kbd", "samp", "tt", "xmp", "textarea", "script", "style", "svg", "math", "title"}
    | {"iframe", "noembed", "object", "template"}
)
_TYPED_ENDS = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in _AS_TYPED}
# What the walk passes over without a look inside: words, signs that begin nothing, tags but those of typed elements.
_ATTRIBUTES = r"(?:[^>=]++|=\s*+(?:\"[^\"]*+\"|'[^']*+'|))*+>"
_PASSED = re.compile(
    rf"(?:[^<\[&]++|&(?!lt;!)|\[(?!\[?/?[A-Za-z])|<(?!/?[A-Za-z]|[!?])|<[!?](?!--)[^>]*+>|</[A-Za-z]{_ATTRIBUTES}"
    rf"|<(?!(?i:{'|'.join(sorted(_AS_TYPED))})(?![A-Za-z0-9]))[A-Za-z]{_ATTRIBUTES})*+"
)
_BLOCK = re.compile(
    r"address|article|aside|blockquote|body|center|d[dlt]|details|dialog|dir|div|fieldset|figcaption|figure|footer|form|"
    r"h[1-6r]|header|hgroup|li|main|menu|nav|[ou]l|section|summary|table|tbody|t[dhr]|tfoot|thead"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at html[start:end]; a comment has no tag.

    `escaped`: it is to be read, as it was typed; `again`: one more bracket stands at its outer side.
    """

    start: int
    end: int
    tag: Tag | None = None
    escaped: bool = False
    again: bool = False
    in_paragraph: bool = False


def may_hold(html: str) -> bool:
    """Return whether a page may hold shortcodes at all, outside of what is shown as it was typed; most do not."""
    return ("[" in html or "wp:" in html) and _HINT.search(html) is not None and _is_hinted_in_text(html)


def _is_hinted_in_text(html: str) -> bool:
    """Return whether the walk would meet a hint, or odd markup: half of the pages have hints in scripts alone."""
    at = 0
    while (at := _PASSED.match(html, at).end()) < len(html):  # type: ignore[union-attr]  # it matches everywhere
        if html.startswith("<!--", at):
            end = -1 if _BLOCK_COMMENT.match(html, at) else html.find("-->", at + 4)
            if end < 0:
                return True
            at = end + 3
        elif html[at] == "<":
            name, markup = _TAG_NAME.match(html, at), _MARKUP.match(html, at)
            if name is None or markup is None:
                return True  # quotes that do not pair: the walk knows how to go on
            at = markup.end()
            if not html.startswith("/>", at - 2):
                closing = _TYPED_ENDS[name[1].lower()].search(html, at)
                if closing is None:
                    return False
                at = closing.start()
        elif (_HINT if html[at] == "[" else _STOP).match(html, at):
            return True
        else:
            at += 1
    return False


def found_in(html: str) -> tuple[list[Found], int]:
    """All that may be shortcodes or comments of the block editor, in their order, and where the walk ended.

    They do not overlap. The walk ends before the page does where there are more than any page was ever made of.
    """
    walk = _Walk(html)
    return list(walk.run()), walk.end


class _Walk:
    def __init__(self, html: str) -> None:
        self.html = html
        self.reader = Reader(html)
        self.end = len(html)
        self.in_paragraph = False
        self._quotes_pair = True  # once they do not up to the end, they are not asked for again
        self._last_end: int | None = None  # behind it no markup ends
        self._ends: dict[str, re.Pattern[str]] = {}

    def run(self) -> Iterator[Found]:
        """Walk to the end of the page."""
        position = 0
        while (stop := _STOP.search(self.html, position)) is not None:
            start = stop.start()
            if self.reader.count > _MOST:
                self.end = start
                return
            sign = self.html[start]
            found = self._comment(start) if sign != "[" else self._bracket(start)
            if found is not None:
                yield found
                position = found.end
            else:
                position = self._beyond(start) if sign == "<" else start + 1

    def _comment(self, start: int) -> Found | None:
        """Return a comment of the block editor, as a comment or as text that shows one."""
        if self.html.startswith("&", start):
            escaped = _ESCAPED_COMMENT.match(self.html, start)
            return Found(start, escaped.end()) if escaped else None
        if not _BLOCK_COMMENT.match(self.html, start):
            return None
        end = self.html.find("-->", start)
        return Found(start, end + 3) if end >= 0 else None

    def _bracket(self, start: int) -> Found | None:
        again = self.html.startswith("[[", start)
        tag = self.reader.tag(start + again)
        if tag is None:
            return None
        closed_again = tag.whole and self.html.startswith("]", tag.end)
        if again and closed_again and not tag.closing:
            shown = is_known(tag.name) or tag.quoted > 0
            return Found(start, tag.end + 1, tag, escaped=True) if shown else None
        return Found(tag.start, tag.end, tag, again=again or closed_again, in_paragraph=self.in_paragraph)

    def _beyond(self, start: int) -> int:
        """Where the markup that begins here ends, with what it holds as it was typed."""
        html = self.html
        if html.startswith("<!--", start):
            comment_end = html.find("-->", start + 4)
            return comment_end + 3 if comment_end >= 0 else len(html)
        end = self._markup_end(start)
        name_match = _TAG_NAME.match(html, start)
        if name_match is None or end is None:
            return end or start + 1
        name = name_match[1].lower()
        closing = html.startswith("/", start + 1)
        if name in _AS_TYPED and not closing and not html.startswith("/>", end - 2):
            return self._typed_end(name, end)
        if name == "p":
            self.in_paragraph = not closing
        elif _BLOCK.fullmatch(name):
            self.in_paragraph = False
        return end

    def _markup_end(self, start: int) -> int | None:
        if self._last_end is not None and start > self._last_end:
            return None
        if self._quotes_pair and self.html[start + 1] not in "!?":
            markup = _MARKUP.match(self.html, start)
            if markup is not None:
                return markup.end()
            self._quotes_pair = False
        end = self.html.find(">", start)
        if end < 0:
            self._last_end = start
        return end + 1 if end >= 0 else None

    def _typed_end(self, name: str, start: int) -> int:
        pattern = self._ends.get(name)
        if pattern is None:
            pattern = self._ends[name] = re.compile(rf"</{name}\b", re.IGNORECASE)
        end = pattern.search(self.html, start)
        return end.start() if end else len(self.html)
