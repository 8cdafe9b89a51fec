"""A text is held against the prose that its page shows; parts that a button reveals are text, menus never are."""

# ruff: noqa: E501, ISC004 - a page is easier to read in one line

from __future__ import annotations

import pytest

from archive.model import TEXT_INCOMPLETE
from pipeline.extract.article import read
from pipeline.extract.html_tree import parsed
from pipeline.extract.seen_parts import shown
from pipeline.extract.tasks import Page, Reading
from pipeline.extract.text_guard import shortfall_of
from pipeline.extract.visible_prose import visible_blocks

SENTENCES = [
    f"The harbour office said on {day} that the {what} would be moved to the {where} before the winter, and that"
    f" nobody who rents there now would have to pay for the {cost}."
    for day, what, where, cost in (
        ("Monday", "berths", "north wall", "crane"),
        ("Tuesday", "nets", "inner basin", "lorry"),
        ("Friday", "cranes", "old slip", "survey"),
        ("Sunday", "sheds", "long quay", "paint"),
    )
]
FIRST, SECOND, THIRD, _ = SENTENCES
PROSE = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
MENU = (
    "<ul>"
    + "".join(f"<li><a href='/{number}'>Section {number} of the paper</a></li>" for number in range(12))
    + "</ul>"
)


def page(body: str, head: str = "") -> str:
    return (
        f"<!doctype html><html lang=en><head><title>The berths</title>{head}</head><body><nav>{MENU}</nav>{body}"
        "<footer><p>All rights reserved by the Daily Quay, which was founded in 1911.</p></footer></body></html>"
    )


def reading(html: str) -> Reading:
    found = read(Page("http://quay.example/a", html.encode(), "text/html; charset=utf-8"))
    assert found.article is not None
    return found


def text_of(html: str) -> str:
    found = reading(html).article
    return " ".join((found.text or "").split()) if found else ""


@pytest.mark.parametrize("box", ["aside", "footer"])
def test_prose_that_the_extractor_passes_over_is_named_and_kept(box: str) -> None:
    found = reading(page(f"<{box}>{PROSE}</{box}>"))
    assert found.article is not None
    assert found.article.availability == TEXT_INCOMPLETE
    assert found.lacks is not None
    assert found.lacks.startswith("its text has 12 of the 144 words of prose that the page shows")
    assert found.article.text is not None
    assert [line for line in found.article.text.splitlines() if line in SENTENCES] == SENTENCES
    assert "Section 3" not in found.article.text


def test_a_failure_that_says_nothing_is_no_page_without_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception without a message, as an assertion of a library raises it, passes as a page without text."""

    def failing(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("trafilatura.core.trafilatura_sequence", failing)
    found = reading(page(f"<article><h1>The berths</h1>{PROSE}</article>"))
    assert found.problem is not None
    assert found.article is not None
    assert SECOND in (found.article.text or "")


@pytest.mark.parametrize(
    "beside",
    [
        f"<div hidden>{PROSE}</div>",
        f"<div style='display: none'>{PROSE}</div>",
        f"<div class=late>{PROSE}</div>",
        f"<div role=dialog><p>We use cookies.</p>{PROSE}</div>",
        f"<dialog>{PROSE}</dialog>",
        f"<template>{PROSE}</template>",
        "".join(f"<p><a href='/{number}'>{sentence}</a></p>" for number, sentence in enumerate(SENTENCES)),
        "".join(
            f"<li><a href='/{number}'>The story of the quay</a> {sentence}</li>"
            for number, sentence in enumerate(SENTENCES)
        ),
        f"<aside>{PROSE}</aside>{MENU}",
        f"<section class=comments>{PROSE}</section>",
    ],
)
def test_what_no_reader_looks_for_is_not_missed(beside: str) -> None:
    html = page(f"<article><h1>The berths</h1><p>{FIRST}</p></article>{beside}", "<style>.late{display:none}</style>")
    tree = parsed(html)
    assert tree is not None
    assert shortfall_of(visible_blocks(shown(tree)), FIRST) is None


def test_a_menu_instead_of_the_prose_is_noticed() -> None:
    tree = parsed(page(f"<article>{PROSE}</article>"))
    assert tree is not None
    found = shortfall_of(
        visible_blocks(shown(tree)), "\n".join(f"- Section {number} of the paper" for number in range(40))
    )
    assert found is not None
    assert (found.shown, found.plain.splitlines()) == (132, SENTENCES)


def test_words_are_counted_in_scripts_without_spaces() -> None:
    sentence = "港湾局は月曜日に、係留場所を冬までに北側の岸壁へ移すと発表し、利用者の負担はないと述べた。"
    tree = parsed(page("".join(f"<p>{sentence}{number}</p>" for number in range(6))))
    assert tree is not None
    assert shortfall_of(visible_blocks(shown(tree)), "第一面") is not None
    assert shortfall_of(visible_blocks(shown(tree)), sentence * 6) is None


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (f"<div id=m style='display:none'><p>{SECOND}</p></div><button onclick=\"show('m')\">Read more</button>", ""),
        (f"<div class=rest><p>{SECOND}</p></div><button class=toggle>Read more</button>", "<style>.rest{display:none}</style>"),
        (f"<a href='#' class=btn>Continue reading</a><div class='story hidden'><p>{SECOND}</p></div>", ""),
        (f"<input type=checkbox id=t><label for=t>Weiterlesen</label><div style='display: none'><p>{SECOND}</p></div>", ""),
        (f"<details><summary>The whole statement</summary><p>{SECOND}</p></details>", ""),
        (f"<div id=rest hidden><p>{SECOND}</p></div><p><a href='#rest'>Lire la suite</a></p>", ""),
        (
            f"<p>{THIRD}<span id=dots>...</span><span id=more> {SECOND}</span></p><p>And so it was.</p><button onclick='f()'>Read more</button>"
            "<script>function f() { document.getElementById('more').style.display = 'inline' }</script>",
            "<style>#more { display: none; }</style>",
        ),
    ],
)  # fmt: skip
def test_a_part_that_a_button_reveals_is_text(body: str, head: str) -> None:
    text = text_of(page(f"<article><h1>The berths</h1><p>{FIRST}</p>{body}</article>", head))
    assert FIRST in text
    assert SECOND in text


@pytest.mark.parametrize(
    "hidden",
    [
        f"<button aria-controls=menu>More</button><ul id=menu hidden>{MENU}</ul>",
        f"<button aria-controls=draft>Close</button><div class=modal id=draft hidden><p>{SECOND}</p></div>",
        "<button aria-controls=c>More</button><div id=c hidden role=dialog><p>We and our partners use cookies to give you the best of our pages.</p></div>",
        f"<div hidden><p>{SECOND}</p></div>",
    ],
)  # fmt: skip
def test_what_a_button_opens_beside_the_text_is_none(hidden: str) -> None:
    text = text_of(page(f"<article><h1>The berths</h1><p>{FIRST}</p><p>{THIRD}</p>{hidden}</article>"))
    assert (FIRST in text, SECOND in text, "Section 3" in text, "cookies" in text) == (True, False, False, False)


def test_a_name_that_a_wider_screen_shows_is_not_hidden() -> None:
    sheet = "<style>.wide{display:none} @media (min-width: 40em){.wide{display:block}}</style>"
    tree = parsed(page(f"<div class=wide>{PROSE}</div>", sheet))
    assert tree is not None
    assert sum(len(block.words) for block in visible_blocks(tree)) > 100


def test_an_index_with_a_sentence_and_a_long_footer_is_whole() -> None:
    links = "".join(f"<li><a href='/{number}'>Chapter {number}: what it is about</a></li>" for number in range(30))
    found = reading(page(f"<main><h1>Chapters</h1><p>{FIRST}</p><ul>{links}</ul></main><footer>{PROSE}</footer>"))
    assert found.article is not None
    assert (found.article.availability, FIRST in (found.article.text or "")) == (None, True)


def test_a_thread_is_held_against_its_posts_and_not_against_the_notices_beside_it() -> None:
    posts = "".join(
        f"<div class=comment><div class=bbWrapper>{sentence} {sentence}</div></div>" for sentence in SENTENCES
    )
    notice = "<p>" + " ".join(f"notice{number} rule{number} warn{number}." for number in range(30)) + "</p>"
    found = reading(page(f"<div class=site>{notice}<section class=comments>{posts}</section></div>"))
    assert found.lacks is None
    assert found.article is not None
    assert found.article.availability is None


def test_prose_that_stands_far_outside_of_the_screen_is_not_missed() -> None:
    spam = "Casino{0} offers spins{0}, prizes{0}, games{0}, bonus{0}, cards{0}, slots{0} and luck{0} for players{0}, guests{0}."
    far = "".join(f"<p>{spam.format(number)} {spam.format(number + 50)}</p>" for number in range(10))
    boxed = f"<div class='post widget'><h1>The berths</h1>{PROSE}{PROSE.replace('harbour', 'port')}</div>"
    found = reading(page(f"{boxed}<div style='position:absolute; left:-35255px;'>{far}</div>"))
    assert found.lacks is None
    assert found.article is not None
    assert SENTENCES[0] in (found.article.text or "")
