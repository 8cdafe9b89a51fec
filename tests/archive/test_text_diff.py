"""Differences a reader would mark: by sentence, then by word, in scripts with spaces and without."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.text_diff import Kind, compare, sentences


def marked(before: str, after: str) -> str:
    marks = {Kind.SAME: "{}", Kind.DELETED: "[-{}-]", Kind.INSERTED: "[+{}+]"}
    return "".join(marks[piece.kind].format(piece.text) for piece in compare(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("The same.", "The same.", "The same."),
        ("", "New.", "[+New.+]"),
        ("Old.", "", "[-Old.-]"),
        ("It is so. He knew.", "It is so. He may have known.", "It is so. He [-knew-][+may have known+]."),
        ("One. Two. Three.", "One. Three.", "One. [-Two. -]Three."),
        ("One.\nThree.", "One.\nTwo.\nThree.", "One.\n[+Two.\n+]Three."),
        ("The court sat.", "Nobody came, not even clerks.", "[-The court sat.-][+Nobody came, not even clerks.+]"),
        ("法院今天开庭。大家都来了。", "法院明天开庭。大家都来了。", "法院[-今-][+明+]天开庭。大家都来了。"),
        ("A red old boat came in.", "A blue new boat came in.", "A [-red old-][+blue new+] boat came in."),
        ('He said "No." Then he left.', 'He said "No." Then she left.', 'He said "No." Then [-he-][+she+] left.'),
    ],
)  # fmt: skip
def test_what_a_reader_would_mark(before: str, after: str, expected: str) -> None:
    assert marked(before, after) == expected


@given(st.text(alphabet="ab .\n!。'\"", max_size=60), st.text(alphabet="ab .\n!。'\"", max_size=60))
def test_the_pieces_are_both_texts(before: str, after: str) -> None:
    pieces = compare(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != Kind.INSERTED) == before
    assert "".join(piece.text for piece in pieces if piece.kind != Kind.DELETED) == after
    assert "".join(sentences(before)) == before
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


def test_long_texts_end() -> None:
    one = "A sentence that stands here often. " * 30_000
    other = "A sentence that stands here often. Another one. " * 15_000
    assert {piece.kind for piece in compare(one, other)} >= {Kind.SAME, Kind.INSERTED}
    assert len(compare("x" * 2_000_000, "y" * 2_000_000)) == 2
