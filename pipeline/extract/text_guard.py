"""Whether a page's text has what a reader saw: the text is held against the prose that the page shows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.extract.app_data import article_in_data
from pipeline.extract.body import Body, text_of_data
from pipeline.extract.main_content import letters
from pipeline.extract.normalize_text import clean
from pipeline.extract.visible_prose import Block, words_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_LEAST = 80  # words of prose that a page shows, below which nothing is said
_SHARE = 0.4  # of them, that a text has
_LONG = 15  # words of the longest block: where all are shorter, these are notices and labels
_MUCH = 0.3  # of the words shown, in a text that is kept as it is
_MOSTLY = 0.9  # of an article's words in the data, that the text has already
_BEGINNING = 40  # letters by which a text is recognised
_TAG = re.compile(r"<[^<>]{0,2000}>")
_HARDLY_ANY = 20  # words of a text: then what stands beside a page's main part is prose too


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How many words of prose a page shows, how many of these its text has, and a plain reading of them."""

    shown: int
    had: int
    plain: str

    def __str__(self) -> str:
        return f"its text has {self.had:,} of the {self.shown:,} words of prose that the page shows"


def from_data(tree: HtmlElement, blocks: list[Block], body: Body, url: str) -> Body | None:
    """Return the article that a page's data holds, where its markup shows none; None where neither is so.

    `tree` is the parsed page, with its scripts.
    """
    shown = _size([block for block in blocks if not block.apart])
    if shown >= _LEAST:
        return None
    data = article_in_data(tree, titled=shown >= _HARDLY_ANY)
    text = text_of_data(data, url) if data else None
    if text is None or len(words_of(text)) <= 2 * _size(blocks):
        return None
    had = Counter(words_of(body.text or ""))
    if (had & Counter(words_of(text))).total() >= _MOSTLY * len(words_of(text)):
        return None
    return replace(body, text=text)


def is_from_data(blocks: list[Block], body: Body, data: str | None) -> bool:
    """Return whether a page's text is that of its JSON-LD, and the page shows hardly any of its words."""
    words = words_of(body.text or "")
    if data is None or letters(body.text or "")[:_BEGINNING] not in letters(_TAG.sub(" ", data[: 50 * _LEAST])):
        return False
    if len(words) < _LEAST or _size(blocks) >= len(words) / 2:
        return False
    shown = Counter(word for block in blocks for word in block.words)
    return (shown & Counter(words)).total() < _SHARE * len(words)


def whole_or_plain(blocks: list[Block], body: Body, *, failed: bool) -> tuple[Body, str | None]:
    """Return a page's body, and what its text lacks, if it lacks much; then a plain reading may be in its place.

    `blocks` is what the page shows; `failed` says that a library failed on it.
    """
    if failed:
        plain = clean("\n".join(_lines(_main(blocks))))
        return (replace(body, text=plain), "a plain reading of what the page shows is kept") if plain else (body, None)
    found = shortfall_of(blocks, "\n".join(filter(None, (body.text, body.comments))))
    if found is None or (body.is_thread and len(words_of(body.text or "")) >= found.shown):
        return body, None  # posts are readers' comments elsewhere, and what is no post is a notice
    if found.had >= _MUCH * found.shown and len(words_of(body.text or "")) >= _LEAST:
        return body, str(found)
    return replace(body, text=clean(found.plain)), f"{found}; a plain reading of these is kept in its place"


def shortfall_of(blocks: list[Block], text: str) -> Shortfall | None:
    """Return what a text lacks of the prose that a page shows; None where it has enough, or the page shows little."""
    if _size(blocks) < _LEAST:
        return None
    words = words_of(text)
    have = Counter(words)
    looked_at = _main(blocks)
    if looked_at is blocks and not _is_stray(len(words), have, blocks):
        return None  # a short page, with its text, and more beside it
    if max(len(block.words) for block in looked_at) < _LONG:
        return None
    shown = Counter(word for block in looked_at for word in block.words)
    had = (shown & have).total()
    if had >= _SHARE * shown.total():
        return None
    return Shortfall(shown.total(), had, "\n".join(_lines(looked_at)))


def _is_stray(count: int, have: Counter[str], blocks: list[Block]) -> bool:
    """Return whether a text has hardly a word, or hardly one of the prose that a page shows anywhere."""
    main = Counter(word for block in blocks if not block.apart for word in block.words)
    if main and (main & have).total() >= main.total() / 2:
        return False  # an index, say: a sentence, and links
    shown = Counter(word for block in blocks for word in block.words)
    return count < _HARDLY_ANY or (shown & have).total() < count / 2


def _main(blocks: list[Block]) -> list[Block]:
    """Return the blocks of a page's main part, or all where they are few."""
    main = [block for block in blocks if not block.apart]
    return main if _size(main) >= _LEAST else blocks


def _size(blocks: list[Block]) -> int:
    return sum(len(block.words) for block in blocks)


def _lines(blocks: list[Block]) -> list[str]:
    lines = (" ".join(line.split()) for block in blocks for line in block.text.split("\n\n"))
    return [line for line in lines if line]
