"""Shortcodes are taken out of a page and what readers saw of them stays; brackets of prose stay as they are."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.discover.embed_providers import Embed
from pipeline.extract.shortcodes import Expansion, expand
from tests.pipeline.extract.shortcodes.cases import TABLE, Case, read_cases
from tests.torture.scale import examples

HERE = Path(__file__).parent
CASES = read_cases(TABLE.read_text(encoding="utf-8"))


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table(case: Case) -> None:
    expansion = expand(case.page)
    found = words_of(expansion.html) if case.how == "reads" else expansion.html.rstrip("\n")
    assert found == (" ".join(case.expected.split()) if case.how == "reads" else case.expected)
    assert tuple((embed.kind, embed.url) for embed in expansion.embeds) == case.embeds
    if case.how == "same":
        assert expansion.html is case.page
    assert expansion.changed is (case.how != "same")


def test_the_table_has_its_cases_and_each_name_once() -> None:
    assert len(CASES) >= 70
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_comes_out_stays_as_it_is(case: Case) -> None:
    once = expand(case.page).html
    again = expand(once)
    assert again == Expansion(once, (), changed=False)
    assert again.html is once


def test_a_page_that_a_dead_page_builder_left() -> None:
    page, expected = ((HERE / name).read_text(encoding="utf-8") for name in ("page.html", "page.expected.html"))
    expansion = expand(page)
    assert expansion.html == expected
    assert expansion.embeds == (
        Embed(
            "scribd",
            "https://www.scribd.com/embeds/77120345/content?access_key=key-Qw3rTy7u&view_mode=scroll",
            "77120345",
        ),
    )


@pytest.mark.parametrize("page", ["", "No brackets.", "<p>One [1] and [sic].</p>", "wp:", "[", "]", "[[", "<", "<!--"])
def test_a_page_without_shortcodes_is_the_same_object(page: str) -> None:
    assert expand(page) == Expansion(page, (), changed=False)
    assert expand(page).html is page


def test_an_embed_that_stands_twice_is_listed_once() -> None:
    assert [embed.id for embed in expand("[vimeo 12345678][vimeo 12345679][vimeo 12345678]").embeds] == [
        "12345678",
        "12345679",
    ]


def test_a_very_long_tag() -> None:
    attributes = " ".join(f"option_{number}=’value {number} [x]’" for number in range(20_000))
    assert expand(f"A [av_section {attributes} title=’Long’]B[/av_section] C").html == "A <h3>Long</h3>B<br>\n C"


def test_more_shortcodes_than_any_page_has_still_leave_its_words() -> None:
    page = "".join(f"[av_textblock size='{number}']w{number} [/av_textblock]" for number in range(30_000))
    expansion = expand(page)
    assert words_of(expansion.html).split() == [f"w{number}" for number in range(30_000)]


SIZE = 1_000_000
HOSTILE = [
    "[", "]", "[[", "[av_x ", "[av_hr ", '[a="', '[av_x a="', "[av_x a=’", "[av_section]", "[[av_hr]]", "[[av_hr",
    "[/av_hr]", "[x_y]", "'\" ", "[foo-a 'a' 'a' ", '[foo-a "', '[foo b="x [foo "y', "<a ", '<a ="', "<!-- wp:x ",
    "&lt;!-- wp:x {", "<code>", "[vc_raw_html]", "[embed]", "[caption]", "[av_x a=“ [b] ", "[a&nbsp;", "[x a=’b’ c’ ",
    "[av[su_label]_hr]", "[fusion_title]a", "[scribd id=1234]", "<p>[gallery]", "[youtube=", "&#0", "[av_hr a=b ",
    "[av_x a='x' b=” b=’",
]  # fmt: skip


@pytest.mark.full
@pytest.mark.timeout(60)  # a second each; were the time not linear, hours
@pytest.mark.parametrize("piece", HOSTILE)
def test_a_million_characters_of_the_worst(piece: str) -> None:
    page = (piece * (SIZE // len(piece) + 1))[:SIZE]
    assert isinstance(expand(page).html, str)


@pytest.mark.full
@pytest.mark.timeout(60)
@pytest.mark.parametrize("start", ["[av_x a='", '[foo a="b" c=”', "[av_x ", "[[av_x a=’"])
@pytest.mark.parametrize(
    "piece", ["'", '"', "” ", "’ ", "[", "]", "[x] ", "a=b ", "<p>", "\n", "&#8217;", " b=’", "[foo "]
)
def test_one_tag_that_goes_on_for_a_million_characters(start: str, piece: str) -> None:
    assert isinstance(expand(start + piece * (SIZE // len(piece))).html, str)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["av_x", "vc_raw_html", "embed", "video", "fusion_title", "caption", "foo_bar"])
def test_deep_nests(name: str) -> None:
    depth = SIZE // (2 * len(name) + 5)
    assert isinstance(expand(f"[{name}]" * depth + "w" + f"[/{name}]" * depth).html, str)


# Properties. Words are letters only, so that they are found again; none is the name of a shortcode.
WORDS = st.text("abcdefghij", min_size=2, max_size=7)
QUOTES = st.sampled_from(
    [("'", "'"), ('"', '"'), ("’", "’"), ("’", "′"), ("“", "”"), ("&#8221;", "&#8243;"), ("»", "»")]
)
KNOWN = st.sampled_from(["av_hr", "av_textblock", "et_pb_row", "vc_column", "fusion_text", "su_note", "cs_content"])
PROSE = st.one_of(
    WORDS,
    WORDS.map("[{}]".format),
    WORDS.map("[{} ed.]".format),
    st.sampled_from(
        ["[sic]", "[1]", "[B]ehind", "[…]", "[video]", "a[i]", "[x, y]", "[[", "]]", "]", "“q”", "don’t", "5′", "="]
    ),
    st.sampled_from(["<p>", "</p>", "<br />", "<em>", "</em>", "<a href='/x'>", "</a>", "\n\n", "&#8217;", "&amp;"]),
)


@st.composite
def tags(draw: st.DrawFn) -> str:
    name = draw(KNOWN)
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        opening, closing = draw(QUOTES)
        parts.append(f" {draw(st.sampled_from(['size', 'color', 'av_uid']))}={opening}{draw(WORDS)}{closing}")
    broken = draw(st.sampled_from(["", "", "", " color=’", ' size="grey', " /"]))
    end = draw(st.sampled_from(["]", "]", "]", f"][/{name}]"]))
    return draw(st.sampled_from([f"[{name}{''.join(parts)}{broken}{end}", f"[/{name}]", f"[{name}{''.join(parts)} "]))


@given(st.lists(PROSE, max_size=30).map(" ".join))
def test_prose_is_left_alone(text: str) -> None:
    assert expand(text).html is text


@given(st.lists(st.one_of(WORDS.map(lambda word: ("word", word)), tags().map(lambda tag: ("tag", tag))), max_size=30))
def test_every_word_outside_of_tags_survives_in_its_order(pieces: list[tuple[str, str]]) -> None:
    words = [text for kind, text in pieces if kind == "word"]
    page = " ".join(text for _, text in pieces)
    assert words_of(expand(page).html).split() == words


FRAGMENTS = st.sampled_from(
    [
        *"[]'\"’”= \n<>\\&{\x00\ud800\u00a0", "[[", "]]", "[/", "/]", "<p>", "</p>", "<!--", "-->", "&#8217;",
        "&lt;!--", " wp:x ", "av_hr", "av_heading", "heading=", "title=", "gallery", "caption", "embed", "video",
        "scribd", "id=", "12345", "x_y", "foo", "https://youtu.be/abcdefghij1", "[av_hr]", "[su_label]", "[/su_label]",
        "word", "[caption]", "[/caption]", "[[av_hr]]", "[av_toggle title='a", "<code>", "</code>", "<!-- wp:x -->",
    ]
)  # fmt: skip


@settings(max_examples=examples(100))
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
def test_whatever_comes_it_is_done_once(page: str) -> None:
    expansion = expand(page)
    assert expansion.changed is (expansion.html is not page)
    assert expand(expansion.html).html is expansion.html
