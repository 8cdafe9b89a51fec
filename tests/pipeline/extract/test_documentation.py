"""What pages of documentation have and articles do not, a table for each rule: what is on the page, and its text."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import pytest

from pipeline.extract.article import extract
from pipeline.extract.tasks import Page

FIRST = "The pump runs for ten minutes after the valve was opened, and stops by itself when the vessel has been filled."
SECOND = "A second pump takes over if the first one fails; the panel then shows which of the two is running at present."
LAST = "Close the valve by hand before the lid is lifted, for the pump starts again as soon as the level has fallen."


def lines(inner: str) -> list[str]:
    html = f"<!DOCTYPE html><html lang='en'><head><title>Pumps</title></head><body><nav><a href='/'>Home</a></nav>{inner}</body></html>"
    article = extract(Page("https://manual.example/pumps", html.encode(), "text/html; charset=utf-8"))
    return (article.text or "").splitlines()


def within(inner: str) -> list[str]:
    """The lines between the prose before and after; both have to be there."""
    found = lines(f"<main><article><h1>Pumps</h1><p>{FIRST}</p>{inner}<p>{LAST}</p></article></main>")
    return found[found.index(FIRST) + 1 : found.index(LAST)]


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("looping-over-hidden-fields", "Looping over hidden fields"),
        ("related-valves", "Related valves"),
        ("s-sharing-a-pump", "Sharing a pump"),
        ("comments", "Comments"),
        ("footer-bolts", "Footer bolts"),
    ],
)
@pytest.mark.parametrize("tag", ["section", "div"])
def test_a_section_that_is_named_by_its_heading_is_text(tag: str, name: str, heading: str) -> None:
    assert SECOND in within(f"<{tag} id='{name}'><h2>{heading}</h2><p>{SECOND}</p></{tag}>")


@pytest.mark.parametrize(
    "box",
    [
        f"<h2>Filling</h2><div class='wiki-template-box'><strong>Tip:</strong> {SECOND}</div><h2>Closing</h2>",
        f"<h2>Filling</h2><div class='callout callout-info' role='note'>{SECOND}</div>",
        f"<aside class='admonition warning'><p class='title'>Warning</p><p>{SECOND}</p></aside>",
        f"<pre>open valve</pre><aside class='note'>{SECOND}</aside>",
    ],
)
def test_a_note_in_a_box_is_text(box: str) -> None:
    assert SECOND in "\n".join(within(box))


def test_a_box_beside_the_text_is_no_note_of_it() -> None:
    found = lines(
        f"<main><article><h1>Pumps</h1><p>{FIRST}</p><p>{LAST}</p></article></main><aside class='alert'><p>{SECOND}</p></aside>"
    )
    assert SECOND not in found


_PARTS = {
    "Valve": "Opens and closes the pipe that leads into the vessel.",
    "Lid": "Covers the vessel while the pump is running.",
    "Panel": "Shows which of the two pumps is running at present.",
}
_CARD = "<a class='card' href='/{0}'><div><span class='title'>{0}</span></div><div>{1}</div></a>"
_PARTS |= {
    f"{name} {number}": f"{words} Number {number} of its kind is described here."
    for number in range(4)
    for name, words in _PARTS.items()
}
_CARDS = "".join(_CARD.format(*part) for part in _PARTS.items())
_BOXED = "".join(f"<div>{_CARD.format(*part)}</div>" for part in _PARTS.items())


@pytest.mark.parametrize("cards", [f"<div class='grid'>{_CARDS}</div>", f"<div class='grid'>{_BOXED}</div>"])
def test_cards_that_a_page_is_made_of_are_text(cards: str) -> None:
    found = lines(f"<main><h1>Parts</h1><p>{FIRST}</p>{cards}<p>{LAST}</p></main>")
    for name, words in _PARTS.items():
        assert name in found
        assert words in found


@pytest.mark.parametrize(
    "place",
    [
        "<main><article><h1>Pumps</h1>" + 12 * "<p>{0}</p>" + "{1}</article></main>",
        "<main><article><h1>Pumps</h1><p>{0}</p></article></main><footer>{1}</footer>",
    ],
)
def test_cards_beside_an_article_lead_to_others(place: str) -> None:
    found = "\n".join(lines(place.format(FIRST, f"<div class='grid'>{_CARDS}</div>")))
    assert FIRST in found
    assert not any(words in found for words in _PARTS.values())
