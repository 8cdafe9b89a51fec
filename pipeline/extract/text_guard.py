"""Whether a page's text has what a reader saw: the text is held against the prose that the page shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.extract.normalize_text import clean
from pipeline.extract.visible_prose import Block, visible_blocks, words_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from pipeline.extract.body import Body

_LEAST = 80  # words of prose that a page shows, below which nothing is said
_SHARE = 0.4  # of them, that a text has
_LONG = 15  # words of the longest block: where all are shorter, these are notices and labels
_MUCH = 0.3  # of the words shown, in a text that is kept as it is
_HARDLY_ANY = 20  # words of a text: then what stands beside a page's main part is prose too


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How many words of prose a page shows, how many of these its text has, and a plain reading of them."""

    shown: int
    had: int
    plain: str

    def __str__(self) -> str:
        return f"its text has {self.had:,} of the {self.shown:,} words of prose that the page shows"


def whole_or_plain(tree: HtmlElement, body: Body, *, failed: bool) -> tuple[Body, str | None]:
    """Return a page's body, and what its text lacks, if it lacks much; then a plain reading may be in its place.

    `tree` is the page without what readers never see (`seen_parts.shown`); `failed` says that a library failed on it.
    """
    if failed:
        plain = clean("\n".join(_lines(_main(visible_blocks(tree)))))
        return (replace(body, text=plain), "a plain reading of what the page shows is kept") if plain else (body, None)
    found = shortfall_of(tree, "\n".join(filter(None, (body.text, body.comments))))
    if found is None:
        return body, None
    if found.had >= _MUCH * found.shown and len(words_of(body.text or "")) >= _LEAST:
        return body, str(found)
    return replace(body, text=clean(found.plain)), f"{found}; a plain reading of these is kept in its place"


def shortfall_of(tree: HtmlElement, text: str) -> Shortfall | None:
    """Return what a text lacks of the prose that a page shows; None where it has enough, or the page shows little."""
    blocks = visible_blocks(tree)
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
