"""Kinds of markup whose words come out as readers see them, a table for each: text, and Markdown where that differs."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import pytest

from pipeline.extract.article import to_markdown
from pipeline.extract.tasks import Page
from tests.pipeline.extract.test_text_kinds import FIRST, LAST, SECOND, THIRD, lines, page, within

BODY = f"<p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p>"
TEASERS = (
    "<article><a href='/ferry'><h3>The ferry in winter</h3><p>The ferry is to stop running in the winter months, the mayor said, unless the county pays.</p></a></article>"
    * 3
)
CARDS = (
    "<div class='card'><h3><a href='/ferry'>The ferry in winter</a></h3><p>The ferry is to stop, the mayor said, in the winter.</p></div>"
    * 3
)


def markdown(inner: str) -> str:
    html = f"<html><body><main><article><h1>The bridge</h1><p>{FIRST}</p><p>{SECOND}</p>{inner}<p>{LAST}</p></article></main></body></html>"
    return to_markdown(Page("https://post.example/bridge", html.encode(), "text/html; charset=utf-8"))


@pytest.mark.parametrize(
    "box",
    [
        f"<section><h2>More from Town</h2>{TEASERS}</section>",
        f"<div class='x'>{TEASERS}</div>",
        f"<section><h2>Related stories</h2>{CARDS}</section>",
        f"<div><header><h3>You may also like</h3></header>{CARDS}</div>",
        "<section><h3>Subscribe to our newsletter</h3><p>Every Friday, the best of the canal in your inbox, free of charge and of ads.</p><form><input type='email'><button>Go</button></form></section>",
        "<div class='x'><h4>The Canal Letter</h4><p>Sign up for what matters along the canal, by e-mail, and before breakfast.</p><form><input name='email'></form><p>You can unsubscribe at any time, as the law says.</p></div>",
        "<form><p>Abonnez-vous \u00e0 notre infolettre, chaque vendredi dans votre bo\u00eete, gratuitement.</p><input type='email'></form>",
    ],
)  # fmt: skip
def test_other_stories_and_newsletter_boxes_are_no_text(box: str) -> None:
    expected = ["The bridge", FIRST, SECOND, THIRD]
    assert lines(f"<main><article><h1>The bridge</h1>{BODY}{box}</article></main>") == expected
    assert lines(f"<main><article><h1>The bridge</h1>{BODY}</article>{box}</main>") == expected


@pytest.mark.parametrize(
    "inner",
    [
        f"<section><h2>Follow the money</h2><p>{THIRD}</p></section>",
        f"<div><h2>More on the paint</h2><p>{THIRD}</p><p>{FIRST[:80]} <a href='/x'>here</a>.</p></div>",
        f"<div><p>{THIRD}</p><form><input type='email' placeholder='Your newsletter'></form></div>",
    ],
)
def test_a_chapter_with_such_a_heading_is_text(inner: str) -> None:
    assert THIRD in within(inner)


def test_a_page_of_teasers_keeps_them() -> None:
    assert "The ferry is to stop running" in (page(f"<main><h1>Town</h1>{TEASERS}</main>").text or "")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (f"<table width='100%'><tr><td width='150'><a href='/a'>Home</a><br><a href='/b'>Town</a></td><td>{BODY}<p>{LAST}</p></td></tr></table>", [FIRST, SECOND, THIRD, LAST]),
        (f"<table><tr><td>{FIRST}<br><br>{SECOND}<br><br>{THIRD}<br><br>{LAST}</td></tr></table>", [FIRST, SECOND, THIRD, LAST]),
        (f"<table role='presentation'><tr><td><p>{FIRST}</p></td></tr><tr><td><p>{SECOND}</p><p>{THIRD}</p></td></tr></table>", [FIRST, SECOND, THIRD]),
        (f"<table><tr><td><table><tr><td>{BODY}<p>{LAST}</p></td></tr></table></td></tr></table>", [FIRST, SECOND, THIRD, LAST]),
    ],
)  # fmt: skip
def test_a_table_that_lays_out_a_page_is_no_row(table: str, expected: list[str]) -> None:
    assert [line for line in lines(table) if line in expected] == expected
    assert not any("|" in line for line in lines(table))


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><th>Year</th><th>Boats</th></tr><tr><td>2020</td><td>41</td></tr></table>",
        "<table><tr><td>Year</td><td>Boats</td><td>Days</td></tr><tr><td>2020</td><td>41</td><td>7</td></tr></table>",
        f"<table><tr><td>Why</td><td>Who</td><td>When</td></tr><tr><td>{THIRD * 4}</td><td>Ada</td><td>May</td></tr><tr><td>No</td><td>Cy</td><td>June</td></tr></table>",
    ],
)  # fmt: skip
def test_a_table_of_data_stays_a_table(table: str) -> None:
    assert any(line.startswith("| ") and line.count("|") > 2 for line in within(table))


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<p>Green<a class='footnote-anchor' id='footnote-anchor-1' href='#footnote-1'>1</a> it is, said the clerk of the town.</p>", "Green[1] it is, said the clerk of the town."),
        ("<p>Green<a href='#fn:2' rel='footnote'>2</a> it is, said the clerk of the town.</p>", "Green[2] it is, said the clerk of the town."),
        ("<p>Green<sup><a href='#fn3'>3</a></sup> it is, said the clerk of the town.</p>", "Green[3] it is, said the clerk of the town."),
        ("<p>Go to page <a href='#top'>4</a> of the file, said the clerk of the town.</p>", "Go to page 4 of the file, said the clerk of the town."),
    ],
)  # fmt: skip
def test_the_mark_of_a_note_stands_in_brackets(inner: str, expected: str) -> None:
    assert within(inner) == [expected]


def test_the_number_of_a_note_stands_before_its_words() -> None:
    note = "<div class='footnote'><a id='footnote-1' href='#footnote-anchor-1' class='footnote-number'>1</a><div class='footnote-content'><p>So says the surveyor in his letter.</p></div></div>"
    found = lines(f"<main><article><h1>The bridge</h1>{BODY}{note}</article></main>")
    assert found[-1] == "[1] So says the surveyor in his letter."


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("<math><semantics><mrow><mi>F</mi><mo>=</mo><mi>m</mi><mi>a</mi></mrow><annotation encoding='application/x-tex'>F = m a</annotation></semantics></math>", "F = m a"),
        ("<math alttext='{\\displaystyle x^{2}}'><msup><mi>x</mi><mn>2</mn></msup></math>", "x^{2}"),
        ("<math><msup><mi>x</mi><mn>2</mn></msup><mo>+</mo><msub><mi>a</mi><mi>i</mi></msub></math>", "x^2+a_i"),
        ("<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac></math>", "(a+b)/c"),
        ("<math><msqrt><mi>x</mi></msqrt></math>", "\u221ax"),
        ("<span class='katex'><span class='katex-mathml'><math><semantics><mi>E</mi><annotation encoding='application/x-tex'>E=mc^2</annotation></semantics></math></span><span class='katex-html' aria-hidden='true'>E=mc2</span></span>", "E=mc^2"),
        ("<span class='mwe-math-element'><span class='mwe-math-mathml-inline mwe-math-mathml-a11y' style='display: none;'><math alttext='{\\displaystyle E}'><mi>E</mi></math></span><img class='mwe-math-fallback-image-inline' alt='E'></span>", "E"),
    ],
)  # fmt: skip
def test_a_formula_is_written_once(formula: str, text: str) -> None:
    before, after = "The load on the bridge is", "on each beam, as the engineer wrote in his report."
    assert within(f"<p>{before} {formula} {after}</p>") == [f"{before} {text} {after}"]
    assert f"${text}$" in markdown(f"<p>{before} {formula} {after}</p>").replace("\\", "").replace(
        "{displaystyle", "{\\displaystyle"
    )


@pytest.mark.parametrize(
    ("quotation", "expected"),
    [
        ("<blockquote><p>I was not asked about it.</p><p>Nor was she, who lives there.</p></blockquote>", "> I was not asked about it.\n>\n> Nor was she, who lives there."),
        ("<blockquote>I was not asked about it, and nor was she.</blockquote>", "> I was not asked about it, and nor was she."),
        ("<blockquote><div>I was not asked about it, and nor was she.</div></blockquote>", "> I was not asked about it, and nor was she."),
    ],
)  # fmt: skip
def test_a_quotation_has_its_mark_in_markdown(quotation: str, expected: str) -> None:
    found = markdown(quotation)
    assert expected in found
    assert not any(sign in found for sign in "\u2bf0\u2bf1\u2bf2\u2bf3\u2bf4")


def test_a_line_that_is_said_twice_on_purpose_stays() -> None:
    twice = "Nobody was asked about the colour."
    assert within(f"<p>{twice}</p><p>{THIRD}</p><p>{twice}</p>") == [twice, THIRD, twice]
    assert within(f"<p>{THIRD}</p><p>{FIRST}</p><p>{THIRD}</p><p>{FIRST}</p>") == [THIRD, FIRST, THIRD, FIRST]


def test_a_class_that_hides_on_small_screens_only_hides_no_article() -> None:
    paragraphs = "".join(f"<p>{text} {text}</p>" for text in (FIRST, SECOND, THIRD, LAST) * 2)
    found = (
        page(f"<div class='items-center hidden grow xl:flex'><div><h1>The bridge</h1>{paragraphs}</div></div>").text
        or ""
    )
    assert found.count(FIRST) == 4


XENFORO = "<article class='message' data-author='{}'><div class='bbWrapper'>{}</div><aside class='message-signature'><div class='bbWrapper'>Paint it blue, says my signature.</div></aside></article>"
QA = "<html itemscope itemtype='https://schema.org/QAPage'><body>{}<div itemprop='mainEntity' itemscope itemtype='https://schema.org/Question'><div class='s-prose js-post-body' itemprop='text'><p>{}</p></div><span class='comment-copy'>Have you asked the clerk?</span><div itemprop='acceptedAnswer' itemscope itemtype='https://schema.org/Answer'><div class='s-prose js-post-body' itemprop='text'><p>{}</p></div></div></div></body></html>"


def test_a_post_is_without_signature_and_without_posts_that_it_repeats() -> None:
    quote = f"<blockquote class='bbCodeBlock--quote'><div class='bbCodeBlock-title'>kay said:</div><div>{FIRST}</div><div>Click to expand...</div></blockquote>"
    foreign = f"<blockquote><div>the surveyor wrote:</div><div>{THIRD}</div></blockquote>"
    found = lines(
        XENFORO.format("kay", FIRST) + XENFORO.format("lou", quote + SECOND) + XENFORO.format("kay", foreign + LAST)
    )
    assert found == [FIRST, "kay said:", SECOND, "the surveyor wrote:", THIRD, LAST]


def test_a_question_and_its_answers_are_the_text_and_remarks_are_comments() -> None:
    found = page(QA.format("", FIRST, SECOND))
    assert (found.text or "").splitlines() == [FIRST, SECOND]
    assert found.comments == "Have you asked the clerk?"


@pytest.mark.parametrize(
    "post",
    [
        "<div class='thing comment' data-author='kay'><form class='usertext'><div class='usertext-body'><div class='md'><p>{}</p></div></div></form></div>",
        "<div class='postItem'><div class='postItmCntnt'><div class='postText'>{}</div><div class='signature'>Blue</div></div></div>",
        "<shreddit-comment author='kay'><div slot='comment'><p>{}</p></div></shreddit-comment>",
        "<article class='post-box'><div class='post-body eve-import-post'>{}</div></article>",
    ],
)
def test_the_posts_of_more_programs_are_found(post: str) -> None:
    assert lines(post.format(FIRST) + post.format(SECOND)) == [FIRST, SECOND]


def test_a_menu_whose_end_is_missing_takes_no_article_along() -> None:
    paragraphs = "".join(f"<p>{text} {text}</p>" for text in (FIRST, SECOND, THIRD, LAST) * 2)
    found = (
        page(f"<header id='top'><nav class='bar'><a href='/a'>Town</a><div><h1>The bridge</h1>{paragraphs}</div>").text
        or ""
    )
    assert found.count(FIRST) == 4


@pytest.mark.parametrize(
    ("figure", "caption"),
    [
        ("<figure><img src='a.jpg'><figcaption>Workers carry the paint on Monday. <span class='credit'>Photo: Ada Rowe</span></figcaption></figure>", "Workers carry the paint on Monday. Photo: Ada Rowe"),
        ("<figure><img src='a.jpg'><figcaption>Photo: Ada Rowe / Canal Post</figcaption></figure>", "Photo: Ada Rowe / Canal Post"),
        ("<div><figure><img src='a.jpg'><figcaption>The green bridge</figcaption></figure></div>", "The green bridge"),
    ],
)  # fmt: skip
def test_captions_and_credits_are_text_wherever_the_figure_stands(figure: str, caption: str) -> None:
    assert within(figure) == [caption]
    first = lines(f"<main><article><h1>The bridge</h1>{figure}{BODY}</article></main>")
    last = lines(f"<main><article><h1>The bridge</h1>{BODY}{figure}</article></main>")
    assert (first[1], last[-1]) == (caption, caption)
