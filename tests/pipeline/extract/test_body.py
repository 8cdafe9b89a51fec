"""What a reader sees as part of an article is in its text, and what readers wrote below is not."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import pytest
from lxml import etree

from pipeline.extract.body import Body, body_of, markdown_of
from pipeline.extract.html_tree import parsed
from pipeline.extract.prepare_html import prepared

URL = "https://gazette.example/2026/essay"
BEFORE = [
    "The first reason is that nobody asked the people who load the ships what they thought of the tax.",
    "The second is older, and it has to do with the quarrel between the council and the board of the harbour.",
    "Both were told to the committee in the spring, by three witnesses who had never met before that day.",
]
AFTER = [
    "None of this was in the minutes, which were printed in May and corrected twice before the summer.",
    "And so the tax stands, and with it the doubt whether anybody in the room had read the bill.",
]


def essay(inner: str, *, wrap: str = "article", below: str = "") -> str:
    """A page with prose around what is looked at."""
    before, after = ("".join(f"<p>{text}</p>" for text in texts) for texts in (BEFORE, AFTER))
    return (
        "<html><head><title>An essay</title></head><body><nav><a href='/'>Home</a><a href='/law'>Law</a></nav>"
        f"<{wrap}><h1>An essay</h1>{before}{inner}{after}</{wrap}>{below}<footer>Imprint</footer></body></html>"
    )


def read(html: str) -> Body:
    tree = parsed(html)
    assert tree is not None
    return body_of(tree, URL)


def between(html: str) -> list[str]:
    """The lines of the text between the prose before and after; both have to be there."""
    lines = [" ".join(line.split()) for line in (read(html).text or "").splitlines()]
    return lines[lines.index(BEFORE[-1]) + 1 : lines.index(AFTER[0])]


SENTENCE = "tools were used by Backpage (as well as others)."
LINKS = {
    "plain": "tools were used by <a href='/b'>Backpage</a> (as well as others).",
    "relative to nothing": "tools were used by <a href='b?x=1&y=2#z'>Backpage</a> (as well as others).",
    "with attributes": "tools were used by <a rel='nofollow noopener' target=_blank data-x='1' href='/b'>Backpage</a> (as well as others).",
    "of a button's class": "tools were used by <a class='button share-link' href='/b'>Backpage</a> (as well as others).",
    "of a class for menus": "tools were used by <a class='nav-link menu-item' id='menu-3' href='/b'>Backpage</a> (as well as others).",
    "in a span": "tools were used by <span class='embed-link'><a href='/b'>Backpage</a></span> (as well as others).",
    "in a span for sharing": "tools were used by <span class='social share'><a href='/b'>Backpage</a></span> (as well as others).",
    "around a span": "tools were used by <a href='/b'><span class='sidebar'>Backpage</span></a> (as well as others).",
    "in strong": "tools were used by <strong><a href='/b'>Backpage</a></strong> (as well as others).",
    "around emphasis": "tools were used by <a href='/b'><em><b>Backpage</b></em></a> (as well as others).",
    "without address": "tools were used by <a name='b'>Backpage</a> (as well as others).",
    "to nowhere": "tools were used by <a href='javascript:void(0)'>Backpage</a> (as well as others).",
    "with an icon": "tools were used by <a href='/b'><img src='i.png' alt=''>Backpage</a> (as well as others).",
    "in an element of its own": "tools were used by <tooltip-term><a href='/b'>Backpage</a></tooltip-term> (as well as others).",
    "in a font": "tools were used by <font color=red><font><a href='/b'>Backpage</a></font></font> (as well as others).",
    "in small": "tools were used by <small class='meta'><a href='/b'>Backpage</a></small> (as well as others).",
    "a time": "tools were used by <time datetime='2016'>Backpage</time> (as well as others).",
    "a label": "tools were used by <label>Backpage</label> (as well as others).",
    "a button": "tools were used by <button class='term'>Backpage</button> (as well as others).",
    "an abbreviation": "tools were used by <abbr class='tags' title='x'>Backpage</abbr> (as well as others).",
    "all links": "<a href='/t'>tools</a> <a href='/u'>were used</a> by <a href='/b'>Backpage</a> (<a href='/o'>as well as others</a>).",
}  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
def test_no_word_of_a_link_is_lost(name: str) -> None:
    assert between(essay(f"<p>{LINKS[name]}</p>")) == [SENTENCE]


@pytest.mark.parametrize("name", LINKS)
def test_nor_in_a_page_without_an_article(name: str) -> None:
    assert between(essay(f"<p>{LINKS[name]}</p>", wrap="div")) == [SENTENCE]


@pytest.mark.parametrize("name", LINKS)
def test_nor_in_markdown(name: str) -> None:
    marked = markdown_of(essay(f"<p>{LINKS[name]}</p>"), URL)
    plain = marked
    for sign in ("*", "`", "[", "]"):
        plain = plain.replace(sign, "")
    for target in ("b", "t", "u", "o", "2026/b?x=1&y=2"):
        plain = plain.replace(f"(https://gazette.example/{target})", "")
    assert SENTENCE in plain


@pytest.mark.parametrize(
    "inner",
    [
        "<a href='/d'>Doe</a>, <a href='/r'>Roe</a> and <a href='/b'>Backpage</a>.",
        "See <a href='/d'>Doe</a>, <a href='/b'>Backpage</a>.",
        "<a href='/b'>Backpage.</a>",
        "<a href='/b'>Backpage was one of the sites that the tools had been used by, and the court was told that there were others, thousands of them, that nobody named.</a>",
    ],
)  # fmt: skip
def test_a_paragraph_of_links_within_prose_is_kept(inner: str) -> None:
    [line] = between(essay(f"<p>{inner}</p>"))
    assert "Backpage" in line


def test_markdown_keeps_links_and_where_they_lead() -> None:
    inner = "<p>See <a href='/d'>Doe</a>, <a href='b(1)'>Back<i>page</i></a>.</p><h2>On <a href='/x'>ships</a></h2>"
    marked = markdown_of(essay(inner), URL)
    assert "[Doe](https://gazette.example/d)" in marked
    assert "](https://gazette.example/2026/b%281%29)" in marked
    assert "## On" in marked
    assert "\u2bf0" not in marked


def test_what_is_hidden_stays_hidden() -> None:
    hidden = (
        "<span style='display:none'>A</span><span hidden>A</span><a aria-hidden='true' href='#'>A</a>"
        "<a href='/b'>paid<span class='sr-only'> (opens in a new window)</span></a>"
    )
    [line] = between(
        essay(f"<p>tools {hidden} were used by everybody who had paid for them in the year of the seizure.</p>")
    )
    assert "A" not in line
    assert "opens" not in line


@pytest.mark.parametrize(
    "quotation",
    [
        "<blockquote><p>It was night.</p><footer>— <cite>Ada <a href='/m'>Marlow</a>, counsel</cite></footer></blockquote>",
        "<blockquote><p>It was night.</p><cite>— Ada Marlow, counsel</cite></blockquote>",
        "<blockquote>It was night.<footer class='author'>— Ada Marlow, counsel</footer></blockquote>",
        "<figure class='quote'><blockquote><p>It was night.</p></blockquote><figcaption>— Ada Marlow, counsel</figcaption></figure>",
    ],
)  # fmt: skip
def test_a_quotation_has_its_source(quotation: str) -> None:
    assert between(essay(quotation)) == ["It was night.", "— Ada Marlow, counsel"]


def test_a_quotation_in_a_sentence_has_its_marks() -> None:
    assert between(essay("<p>It was, <q>said the <b>clerk</b></q>, a dark night.</p>")) == [
        "It was, “said the clerk”, a dark night."
    ]


def test_a_quoted_post_is_part_of_the_text() -> None:
    post = (
        "<div class='social-media-embed'><blockquote class='twitter-tweet'><p>The gate is shut again "
        "<a href='#t'>#harbour</a></p>&mdash; Ada (@ada) <a href='/s'>May 1, 2026</a></blockquote><script></script></div>"
    )
    assert between(essay(post)) == ["The gate is shut again #harbour", "— Ada (@ada) May 1, 2026"]


def test_a_caption_and_a_credit_in_the_text_are_kept() -> None:
    figure = "<figure><img src='g.png'><figcaption>The gate of the <a href='/h'>harbour</a> at night.{}</figcaption></figure>"
    assert between(essay(figure.format(""))) == ["The gate of the harbour at night."]
    assert between(
        essay("<figure><img src='g.png'><figcaption>Photo: Ada Marlow for the Gazette</figcaption></figure>")
    ) == ["Photo: Ada Marlow for the Gazette"]
    old = "<div class='wp-caption'><img src='g.png'><p class='wp-caption-text'>The gate of the harbour.</p></div>"
    assert between(essay(old)) == ["The gate of the harbour."]


@pytest.mark.parametrize(
    "mark",
    [
        "<sup><a href='#n3'>3</a></sup>",
        "<a href='#n3'><sup>3</sup></a>",
        "<sup class='footnote'><a href='#n3'>[3]</a></sup>",
        "<sup id='r3'><a href='#n3' class='tags'>(3)</a></sup>",
    ],
)
def test_the_number_of_a_note_is_told_from_the_word(mark: str) -> None:
    assert between(essay(f"<p>It was dark{mark} and it was late in the year of the seizure, said the clerk.</p>")) == [
        "It was dark[3] and it was late in the year of the seizure, said the clerk."
    ]


def test_a_power_is_no_note() -> None:
    [line] = between(
        essay("<p>It is 10 m<sup>2</sup> large, says the clerk who has measured it for the court twice.</p>")
    )
    assert "m2 large" in line


@pytest.mark.parametrize(
    "names", ["class='footnotes'", "role='doc-endnotes'", "id='footnotes'", "class='wp-block-footnotes'"]
)
@pytest.mark.parametrize("tag", ["section", "aside", "div"])
def test_footnotes_are_kept_with_their_numbers(names: str, tag: str) -> None:
    notes = (
        f"<{tag} {names}><ol><li id='n1'>See <a href='/d'>Doe</a>. <a href='#r1'>↩</a></li>"
        "<li id='n2'>The clerk’s book, page 9. <a href='#r2'>↑</a></li></ol></" + tag + ">"
    )
    assert between(essay(notes)) == ["1. See Doe.", "2. The clerk’s book, page 9."]


@pytest.mark.parametrize(
    ("opening", "numbers"),
    [
        ("<ol>", ["1.", "2.", "3."]),
        ("<ol start=4>", ["4.", "5.", "6."]),
        ("<ol type=a>", ["a.", "b.", "c."]),
        ("<ol type=I start=9>", ["IX.", "X.", "XI."]),
        ("<ol reversed>", ["3.", "2.", "1."]),
        ("<ol start='much'>", ["1.", "2.", "3."]),
        ("<ul>", ["-", "-", "-"]),
    ],
)
def test_lists_have_the_numbers_that_readers_see(opening: str, numbers: list[str]) -> None:
    items = ["The tax is <a href='/o'>old</a>", "<p>The tax is unread</p>", "The tax is unpaid"]
    inner = f"{opening}{''.join(f'<li>{item}</li>' for item in items)}</{opening[1:3]}>"
    words = ["The tax is old", "The tax is unread", "The tax is unpaid"]
    assert between(essay(inner)) == [f"{number} {word}" for number, word in zip(numbers, words, strict=True)]


def test_a_menu_gets_no_numbers_and_an_announced_list_of_links_is_kept() -> None:
    links = "<ol><li><a href='/d'>Doe v. Roe</a></li><li><a href='/r'>Roe v. Doe</a></li></ol>"
    announced = (
        f"<p>The rulings are these, in the order in which they were read out to the board and council:</p>{links}"
    )
    assert [line.lstrip("-12. ") for line in between(essay(announced))[1:]] == ["Doe v. Roe", "Roe v. Doe"]
    assert "1. Doe" not in (read(essay(links)).text or "")


def test_rows_of_a_table_are_lines_and_cells_are_told_apart() -> None:
    table = (
        "<table><tr><th>Site</th><th>Year</th></tr><tr><td><a href='/b'>Backpage</a></td><td>2016</td></tr>"
        "<tr><td>Other</td><td>2017</td></tr></table>"
    )
    lines = [line.strip("| ") for line in between(essay(table)) if "---" not in line]
    assert lines == ["Site | Year", "Backpage | 2016", "Other | 2017"]


def test_terms_verses_headings_and_folded_answers() -> None:
    inner = (
        "<h2>On <a href='/s'>ships</a></h2><dl><dt>Quay</dt><dd>Where ships <a href='/l'>lie</a>.</dd></dl>"
        "<pre>O ships\n   that lie\n      at night</pre><details><summary>Why?</summary><p>For the tide.</p></details>"
    )
    assert between(essay(inner)) == [
        "On ships", "- Quay", "- Where ships lie.", "O ships", "that lie", "at night", "Why?", "For the tide.",
    ]  # fmt: skip


def test_a_division_used_as_a_paragraph() -> None:
    words = "This paragraph is a division, for the editor’s program knew no better, and it has <a href='/x'>a link</a>."
    assert between(essay(f"<div>{words}</div>")) == [
        "This paragraph is a division, for the editor’s program knew no better, and it has a link."
    ]


COMMENT = "I was in the gallery on that day, and I remember it otherwise than the essay says, and longer."


def test_comments_are_kept_apart() -> None:
    below = f"<div id='comments' class='comments-area'><h2>Comments</h2><ol class='comment-list'><li><p>{COMMENT}</p></li></ol></div>"
    body = read(essay("", below=below))
    assert COMMENT not in (body.text or "")
    assert COMMENT in (body.comments or "")


def test_an_article_in_pieces_is_read_whole() -> None:
    pieces = "".join(
        f"<div class='grid'><div class='article__body'>{''.join(f'<p>({number}) {text}</p>' for text in BEFORE)}</div><div class='ad'></div></div>"
        for number in range(4)
    )  # fmt: skip
    text = read(f"<html><body><article><h1>An essay</h1>{pieces}</article></body></html>").text or ""
    for number in range(4):
        assert f"({number}) {BEFORE[1]}" in text


def test_a_page_in_a_container_of_no_name_keeps_its_headings_and_lists() -> None:
    inner = "".join(
        f"<h2>Part {number}</h2><p>{text}</p><ul><li>Point {number} is made</li></ul>"
        for number, text in enumerate(BEFORE)
    )
    text = read(f"<html><body><div class='xq1'><div class='xq2'>{inner}</div></div></body></html>").text or ""
    for number in range(3):
        assert f"Part {number}" in text
        assert f"- Point {number} is made" in text


def test_an_article_in_what_is_called_a_header_is_found() -> None:
    html = (
        essay("")
        .replace("<article>", "<header class='Header-Main'><article>")
        .replace("</article>", "</article></header>")
    )
    assert BEFORE[0] in (read(html).text or "")


def test_a_streamed_part_is_put_in_its_place() -> None:
    first, second = ("".join(f"<p>{text}</p>" for text in texts) for texts in (BEFORE, AFTER))
    html = (
        f"<html><body><main><h1>An essay</h1>{first}<template id='B:0'></template></main>"
        f"<div hidden id='S:0'>{second}</div><script>$RC('B:0','S:0')</script></body></html>"
    )
    text = read(html).text or ""
    assert text.index(BEFORE[-1]) < text.index(AFTER[0]) < text.index(AFTER[1])


def test_the_content_of_a_template_is_no_text() -> None:
    words = "Words that a script may show one day, and no reader has seen so far, however long they are made."
    plain = read(
        essay(f"<template><p>{words}</p><p>{words}</p></template><p>The end of it is here to be read.</p>")
    ).text
    assert plain is not None
    assert "may show one day" not in plain
    assert "The end of it" in plain
    assert read(f"<html><body><div><template><p>{words * 5}</p></template></div></body></html>").text is None
    shadow = read(essay(f"<template shadowrootmode=open><p>{words}</p></template>")).text or ""
    assert "may show one day" in shadow


def test_the_tree_is_not_changed() -> None:
    inner = "<p>See <a href='/d'>Doe</a><sup><a href='#n'>1</a></sup>.</p><figure><figcaption>The gate of the harbour.</figcaption></figure><ol><li>x</li></ol>"
    tree = parsed(essay(inner))
    assert tree is not None
    before = etree.tostring(tree)
    body_of(tree, URL)
    assert etree.tostring(tree) == before


@pytest.mark.parametrize(
    "html", ["", " ", "<html></html>", "<html><body></body></html>", "<p></p>", "<html><head></head></html>"]
)
def test_what_has_no_text_has_none(html: str) -> None:
    assert markdown_of(html, URL) == ""
    if (tree := parsed(html)) is not None:
        assert body_of(tree, URL) == Body()


def test_a_longer_text_elsewhere_on_the_page_does_not_take_the_place_of_the_article() -> None:
    terms = "".join(f"<p>Clause {number}: {text.replace('the', 'any')}</p>" for number in range(150) for text in BEFORE)
    article = "".join(f"<p>{part}, {text}</p>" for part in range(20) for text in [*BEFORE, *AFTER])
    text = read(
        f"<html><body><article><h1>An essay</h1>{article}</article><div class='extra'>{terms}</div></body></html>"
    ).text
    assert f"19, {BEFORE[0]}" in (text or "")
    assert "Clause" not in (text or "")


def test_cells_that_reach_over_thousands_of_others_are_narrowed() -> None:
    row = "<tr><td rowspan=2>a</td><td colspan='9999'>b</td><td rowspan='x'>c</td></tr>"
    tree = parsed(f"<html><body><table>{row * 600}</table></body></html>")
    assert tree is not None
    cells = list(prepared(tree, URL).tree.iter("td"))
    assert [dict(cell.attrib) for cell in cells[:3]] == [{"rowspan": "2"}, {}, {}]
    assert not any(cell.attrib for cell in cells[-3:])
