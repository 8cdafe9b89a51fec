"""Kinds of pages whose text readers would miss, a table for each kind: what is on the page, and its whole text."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import pytest

from archive.model import Article
from pipeline.extract.article import extract
from pipeline.extract.tasks import Page

FIRST = (
    "The bridge over the canal was to be painted green, said the surveyor, and the street heard of it from the paper."
)
SECOND = (
    "Nobody had asked the people who cross it twice a day, and some of them would have liked to be asked beforehand."
)
THIRD = (
    "The paint has been bought, the account shows, at a price that three members of the committee had called too high."
)
LAST = (
    "What is left is the question who signed the order, for the clerk says that it was not on any of his lists at all."
)
MENU = "<header><a href='/'>The Canal Post</a><nav><ul><li><a href='/a'>Town</a></li><li><a href='/b'>Courts</a></li><li><a href='/c'>Letters</a></li></ul></nav></header>"
FOOTER = "<footer class='site-footer'><p>© 2026 The Canal Post. <a href='/imprint'>Imprint</a> <a href='/terms'>Terms</a></p></footer>"


def page(inner: str) -> Article:
    html = f"<!DOCTYPE html><html lang='en'><head><title>The bridge - The Canal Post</title></head><body>{MENU}{inner}{FOOTER}</body></html>"
    return extract(Page("https://post.example/2026/bridge", html.encode(), "text/html; charset=utf-8"))


def lines(inner: str) -> list[str]:
    return (page(inner).text or "").splitlines()


def within(inner: str) -> list[str]:
    """The lines between the prose before and after; both have to be there."""
    found = lines(
        f"<main><article><h1>The bridge</h1><p>{FIRST}</p><p>{SECOND}</p>{inner}<p>{LAST}</p></article></main>"
    )
    return found[found.index(SECOND) + 1 : found.index(LAST)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("<ol><li><img src='a.png'></li><li><p>Green</p></li></ol>", ["2. Green"]),
        (f"<ol><li><div class='card'><div><p>{THIRD}</p></div></div></li></ol>", [f"1. {THIRD}"]),
        ("<ol><li></li><li> </li><li>Green it is</li></ol>", ["3. Green it is"]),
        (f"<ol start='7'><li><section><p>{THIRD}</p></section></li><li>Blue</li></ol>", [f"7. {THIRD}", "8. Blue"]),
        ("<ol type='a'><li><iframe src='/v'></iframe></li><li><script>x()</script></li><li>Red</li></ol>", ["c. Red"]),
        ("<ol><li><svg></svg><p>Green</p></li><li><div><img src='b.png'></div></li></ol>", ["1. Green"]),
    ],
)  # fmt: skip
def test_a_number_stands_before_its_words_and_never_alone(items: str, expected: list[str]) -> None:
    assert within(items) == expected
