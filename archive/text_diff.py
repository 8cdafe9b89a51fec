"""What changed between two texts: by sentence, and within changed sentences by word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

_CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
# A sentence ends at its mark, what closes behind it, and white space; in scripts without spaces at the mark alone.
_SENTENCE = re.compile(
    r".+?(?:[.!?\u2026]+[\"'\u201d\u2019\u00bb)\]]*(?=\s)\s*|[\u3002\uff01\uff1f]+[\u300d\u300f\uff09]*|\n+|\Z)",
    re.DOTALL,
)
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+|\s+|[^\w\s]")
_MOST_SENTENCES = 4_000  # of both texts; beyond it what occurs everywhere is not lined up, which bounds the time
_MOST_WORDS = 3_000  # of a changed passage that is compared word by word
_ALIKE = 0.4  # share of common words below which a passage is told as replaced as a whole


class Kind(StrEnum):
    """What happened to a piece of text."""

    SAME = "same"
    DELETED = "deleted"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one or both texts; the pieces in order are both texts, deletions before insertions."""

    kind: Kind
    text: str


def compare(before: str, after: str) -> list[Piece]:
    """Return the pieces of two texts.

    Without the inserted ones they are the first, without the deleted ones the second.
    """
    pieces: list[Piece] = []
    old, new = sentences(before), sentences(after)
    matcher = SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > _MOST_SENTENCES)
    for operation, a, b, c, d in matcher.get_opcodes():
        if operation == "equal":
            pieces.append(Piece(Kind.SAME, "".join(old[a:b])))
        else:
            pieces += _passage("".join(old[a:b]), "".join(new[c:d]))
    return list(_joined(pieces))


_CONTEXT = 160  # characters of what stayed, on each side of a change


def marked(pieces: list[Piece], mark: Callable[[Piece], str]) -> str:
    """Return the changes, as `mark` writes them, with a little of what stays around them."""
    if all(piece.kind == Kind.SAME for piece in pieces):
        return "the texts are the same\n"
    parts = []
    for number, piece in enumerate(pieces):
        if piece.kind == Kind.SAME:
            parts.append(_shortened(piece.text, first=number == 0, last=number == len(pieces) - 1))
        else:
            parts.append(mark(piece))
    return "".join(parts).rstrip("\n") + "\n"


def bracketed(piece: Piece) -> str:
    """Return a change as [-deleted-] or {+inserted+}, for where colours cannot be seen."""
    opening, closing = ("[-", "-]") if piece.kind == Kind.DELETED else ("{+", "+}")
    return f"{opening}{piece.text.rstrip(chr(10))}{closing}" + "\n" * piece.text.endswith("\n")


def _shortened(text: str, *, first: bool, last: bool) -> str:
    """Return what stayed, cut down to what stands beside the changes, at word ends."""
    if len(text) <= 2 * _CONTEXT + 20:
        return text
    head = "" if first else text[:_CONTEXT].rsplit(" ", 1)[0] + " "
    tail = "" if last else " " + text[-_CONTEXT:].split(" ", 1)[-1]
    return f"{head}[...]{tail}" if first or last else f"{head}[...]\n[...]{tail}"


def sentences(text: str) -> list[str]:
    """Return a text cut into sentences and lines; joined again they are the text."""
    return _SENTENCE.findall(text)


def _passage(before: str, after: str) -> Iterator[Piece]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) <= _MOST_WORDS and old and new:
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        if matcher.ratio() >= _ALIKE:
            for operation, a, b, c, d in matcher.get_opcodes():
                if operation == "equal":
                    yield Piece(Kind.SAME, "".join(old[a:b]))
                else:
                    yield from _replaced("".join(old[a:b]), "".join(new[c:d]))
            return
    yield from _replaced(before, after)


def _replaced(before: str, after: str) -> Iterator[Piece]:
    if before:
        yield Piece(Kind.DELETED, before)
    if after:
        yield Piece(Kind.INSERTED, after)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one; a blank between two changes is part of them, for readers see one change."""
    deleted = inserted = same = ""
    for piece in pieces:
        if piece.kind == Kind.SAME and (not piece.text.isspace() or "\n" in piece.text or not (deleted or inserted)):
            yield from _replaced(deleted, inserted)
            deleted = inserted = ""
            same += piece.text
            continue
        if same:
            yield Piece(Kind.SAME, same)
            same = ""
        deleted += piece.text if piece.kind != Kind.INSERTED else ""
        inserted += piece.text if piece.kind != Kind.DELETED else ""
    if same:
        yield Piece(Kind.SAME, same)
    yield from _replaced(deleted, inserted)
