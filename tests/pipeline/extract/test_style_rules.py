"""What a page's own style sheet says of its paragraphs: which spans are blocks, and what no reader sees."""

from __future__ import annotations

import pytest

from tests.pipeline.extract.test_text_guard import PROSE, SENTENCES, page, reading

UNSEEN = "These words are for the editors of the paper, and no reader of the page ever sees them."


def lines(body: str, css: str = "") -> list[str]:
    article = reading(page(f"<article><h1>The berths</h1>{body}</article>", f"<style>{css}</style>")).article
    assert article is not None
    return (article.text or "").splitlines()


@pytest.mark.parametrize("box", ["p", "div", "section"])
@pytest.mark.parametrize(
    ("attribute", "css"),
    [
        ("style='display:block'", ""),
        ("style='margin: 0; display: block;'", ""),
        ("class='para first'", ".lead, span.para { margin: 0; display: block }"),
    ],
)
def test_spans_that_are_shown_as_blocks_are_paragraphs(box: str, attribute: str, css: str) -> None:
    spans = "".join(f"<span {attribute}>{sentence}</span>" for sentence in SENTENCES)
    assert lines(f"<{box}>{spans}</{box}>", css)[-4:] == SENTENCES


def test_spans_that_are_blocks_on_paper_alone_stay_in_their_line() -> None:
    spans = "".join(f"<span class=para>{sentence} </span>" for sentence in SENTENCES)
    assert " ".join(SENTENCES) in lines(f"<p>{spans}</p>", "@media print { .para { display: block } }")


@pytest.mark.parametrize("css", [".aside{display:none}", "p.aside { color: red; display: none }"])
def test_what_a_rule_of_the_page_hides_is_no_text(css: str) -> None:
    found = lines(f"{PROSE}<p class='x aside'>{UNSEEN}</p>{PROSE}", css)
    assert UNSEEN not in found
    assert SENTENCES[-1] in found


@pytest.mark.parametrize(
    ("css", "control"),
    [
        (".aside{display:none}", "<button aria-controls=more>Show</button>"),
        ("@media print { .aside { display: none } }", ""),
        (".aside{display:none} @media (min-width: 40em) { .aside { display: block } }", ""),
        (".small .aside{display:none}", ""),
    ],
)
def test_what_a_reader_can_see_stays(css: str, control: str) -> None:
    assert UNSEEN in lines(f"{PROSE}{control}<p class=aside id=more>{UNSEEN}</p>{PROSE}", css)


def test_a_rule_that_hides_most_of_a_page_is_for_scripts_to_undo() -> None:
    assert lines(f"<div class=drawn>{PROSE}</div>", ".drawn{display:none}")[-4:] == SENTENCES
