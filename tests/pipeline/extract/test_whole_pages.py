"""A page is read to its end, whatever a parser's limits are, and XHTML is read as a page under each of its types."""

# ruff: noqa: E501 - a page is easier to read in one line

from __future__ import annotations

import pytest

from pipeline.extract.article import read
from pipeline.extract.html_tree import parsed
from pipeline.extract.parse_limits import flattened
from pipeline.extract.tasks import Page
from tests.pipeline.extract.test_text_guard import PROSE, SENTENCES, page

LAST = "And so the berths were moved, the pilots said, and nobody in the town paid for it."
END = f"<p>{LAST}</p>"
NAMESPACE = "http://www.w3.org/1999/xhtml"


def text_of(html: str, content_type: str = "text/html; charset=utf-8") -> str:
    article = read(Page("http://quay.example/a", html.encode(), content_type)).article
    assert article is not None
    return article.text or ""


@pytest.mark.parametrize("name", ["div", "font", "section", "x-box", "blockquote"])
@pytest.mark.parametrize("depth", [300, pytest.param(5_000, marks=pytest.mark.full)])
def test_deep_nesting_ends_no_text(name: str, depth: int) -> None:
    text = text_of(page(f"<{name}>" * depth + PROSE + f"</{name}>" * depth + END))
    assert [sentence in text for sentence in (*SENTENCES, LAST)] == [True] * 5


@pytest.mark.parametrize(
    "large",
    [
        pytest.param("<img src='data:image/png;base64,{}'>", marks=pytest.mark.full),
        "<div data-props='{}'></div>",
        pytest.param("<script>{}</script>", marks=pytest.mark.full),
        "<!--{}-->",
        pytest.param("<p>{}</p>", marks=pytest.mark.full),
    ],
)
def test_what_is_large_ends_no_text(large: str) -> None:
    text = text_of(page(f"<article><h1>The berths</h1>{large.format('Wharf ' * 1_900_000)}{PROSE}{END}</article>"))
    assert [sentence in text for sentence in (*SENTENCES, LAST)] == [True] * 5


@pytest.mark.parametrize(
    "between",
    [
        "</body></html>",
        "</body>\n</html>\n<!-- banner -->",
        "</body></html><!doctype html><html><head><meta charset=utf-8></head><body>",
        "</body></html><html><body>",
    ],
)
def test_what_follows_an_early_end_is_part_of_the_page(between: str) -> None:
    text = text_of(page(f"<header><p>The Quay</p></header>{between}<article><h1>The berths</h1>{PROSE}{END}</article>"))
    assert [sentence in text for sentence in (*SENTENCES, LAST)] == [True] * 5


def test_words_right_behind_an_early_end_are_part_of_the_page() -> None:
    tree = parsed(f"<html><body><p>{SENTENCES[0]}</p></body></html>{LAST}<p>{SENTENCES[1]}</p>")
    assert tree is not None
    assert [each in "".join(tree.itertext()) for each in (SENTENCES[0], LAST, SENTENCES[1])] == [True] * 3


def test_only_tags_that_are_too_deep_are_left_out() -> None:
    html = "<div><p>a<div>b</div>" * 3 + "<b>" * 200 + "c" + "</b>" * 200 + "<i>d</i>" + "</div>" * 3
    thin = flattened(html)
    assert thin.count("<b>") == thin.count("</b>") == 147
    assert thin.endswith("<i>d</i></div></div></div>")
    assert flattened("<div><p>a</p></div>") == "<div><p>a</p></div>"


def xhtml(prefix: str = "") -> str:
    colon, named = (f"{prefix}:", f":{prefix}") if prefix else ("", "")
    body = "".join(f"<{colon}p>{sentence}</{colon}p>" for sentence in SENTENCES)
    return (
        f"<?xml version='1.0'?>\n<!-- a page --><!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN' 'x.dtd'>\n"
        f"<{colon}html xmlns{named}='{NAMESPACE}'><{colon}head><{colon}title>The berths</{colon}title><{colon}script src='a.js'/>"
        f"</{colon}head><{colon}body><{colon}div/>{body}<{colon}p><![CDATA[{LAST} 3 < 4 & so on.]]></{colon}p></{colon}body></{colon}html>"
    )


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "application/xhtml+xml"])
@pytest.mark.parametrize("prefix", ["", "h"])
def test_xhtml_is_a_page(content_type: str, prefix: str) -> None:
    reading = read(Page("http://quay.example/a", xhtml(prefix).encode(), content_type))
    assert reading.article is not None
    assert reading.article.title == "The berths"
    text = reading.article.text or ""
    assert [sentence in text for sentence in (*SENTENCES, f"{LAST} 3 < 4 & so on.")] == [True] * 5


@pytest.mark.parametrize(
    "xml",
    [
        "<rss version='2.0'><channel><title>html</title></channel></rss>",
        "<urlset><url/></urlset>",
        "<htmlish/>",
        "<a><html/></a>",
    ],
)
def test_other_xml_is_no_page(xml: str) -> None:
    reading = read(Page("http://quay.example/feed", xml.encode(), "text/xml"))
    assert (reading.article, reading.problem) == (None, None)


def test_a_template_is_no_text_and_a_shadow_tree_is() -> None:
    first, second, third, fourth = SENTENCES
    body = f"<article><h1>The berths</h1><p>{first}</p><template><p>{second}</p></template><p>{third}</p>"
    text = text_of(page(f"{body}<x-end><template shadowrootmode=open><p>{fourth}</p></template></x-end></article>"))
    assert [sentence in text for sentence in SENTENCES] == [True, False, True, True]
