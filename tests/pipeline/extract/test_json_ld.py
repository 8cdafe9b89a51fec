"""What JSON-LD says of an article, and that nothing in it can harm."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import json

import pytest

from pipeline.extract.body import body_of
from pipeline.extract.html_tree import parsed
from pipeline.extract.json_ld import Structured, structured_of

SENTENCES = [
    f"In chapter {number} the harbour board explains why its meetings have to be closed to the public." for number in range(12)
]  # fmt: skip


def page(*scripts: str, body: str = "<p>Loading.</p>", kind: str = "application/ld+json") -> str:
    inner = "".join(f'<script type="{kind}">{script}</script>' for script in scripts)
    return f"<html><head><title>The board</title>{inner}</head><body>{body}</body></html>"


def said(*scripts: str, kind: str = "application/ld+json") -> Structured:
    tree = parsed(page(*scripts, kind=kind))
    assert tree is not None
    return structured_of(tree)


def text_of(html: str) -> str:
    tree = parsed(html)
    assert tree is not None
    return body_of(tree, "https://gazette.example/board").text or ""


@pytest.mark.parametrize(
    "script",
    [
        {"@type": "Article", "articleBody": "The text"},
        [{"@type": "WebSite"}, {"@type": "NewsArticle", "articleBody": "The text"}],
        {"@graph": [{"@type": "Organization"}, {"@type": ["Thing", "BlogPosting"], "articleBody": "The text"}]},
        {"@type": "WebPage", "mainEntity": {"@type": "OpinionNewsArticle", "articleBody": "The text"}},
        {"@type": "Review", "reviewBody": "The text"},
        {"@type": "DiscussionForumPosting", "text": "The text"},
        {"@type": "Article", "articleBody": "The text", "hasPart": {"@type": "Article", "articleBody": "A part"}},
    ],
)
def test_where_a_text_can_stand(script: object) -> None:
    assert said(json.dumps(script)).text == "The text"


@pytest.mark.parametrize(
    "script",
    [
        {"@type": "Organization", "text": "We are the board"},
        {"@type": "Article", "articleBody": ["a", "list"]},
        {"@type": "Article", "comment": [{"@type": "Comment", "text": "I was there"}]},
        {"@type": "Article", "articleBody": None},
        {"articleBody": ""},
        "articleBody",
        7,
        None,
    ],
)
def test_what_is_no_text(script: object) -> None:
    assert said(json.dumps(script)).text is None


@pytest.mark.parametrize(
    "script",
    ["", "{", "[1, 2", '{"articleBody": "x"', "[" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000, "\x00", "nul"],
)
def test_what_cannot_be_read_is_passed_over(script: str) -> None:
    assert said(script, '{"@type":"Article","articleBody":"The text"}').text == "The text"


@pytest.mark.parametrize(
    "script",
    [
        '<!-- {"@type":"Article","articleBody":"The text"} -->',
        '//<![CDATA[\n{"@type":"Article","articleBody":"The text"}\n//]]>',
        '{"@type":"Article","articleBody":"The text"};',
        '{"@type":"Article","articleBody":"The text"}\n\n',
    ],
)
def test_what_old_pages_wrap_around_it(script: str) -> None:
    assert said(script).text == "The text"


def test_line_ends_in_strings_are_read_as_they_are_written() -> None:
    assert said('{"@type":"Article","articleBody":"The\ntext"}').text == "The\ntext"


def test_other_scripts_are_none() -> None:
    assert said('{"@type":"Article","articleBody":"The text"}', kind="application/json").text is None
    assert (
        said('{"@type":"Article","articleBody":"The text"}', kind="Application/LD+JSON; charset=utf-8").text is not None
    )


@pytest.mark.parametrize(
    ("value", "free"),
    [
        (True, True),
        (False, False),
        ("False", False),
        ("true", True),
        ("http://schema.org/False", False),
        ("no", None),
        (0, None),
        ([False], None),
    ],
)
def test_whether_it_may_be_read_for_free(value: object, free: bool | None) -> None:
    assert said(json.dumps({"@type": "NewsArticle", "isAccessibleForFree": value})).accessible_for_free is free


def test_only_an_article_says_whether_it_may_be_read_for_free() -> None:
    part = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".more"}
    assert said(json.dumps({"@type": "Event", "isAccessibleForFree": False})).accessible_for_free is None
    script = {"@type": "Article", "isAccessibleForFree": True, "hasPart": part}
    assert said(json.dumps(script)).accessible_for_free is True


def test_objects_within_each_other_are_followed_only_so_far() -> None:
    near, far = {"@type": "Article", "articleBody": "near"}, {"@type": "Article", "articleBody": "far, and longer"}
    for _ in range(100):
        far = {"@graph": [far]}  # type: ignore[dict-item]
    assert said(json.dumps([near, far])).text == "near"


def test_a_page_without_its_text_is_read_from_its_data() -> None:
    script = json.dumps({"@type": "Article", "articleBody": "\n".join(SENTENCES)})
    assert text_of(page(script)).splitlines() == SENTENCES


def test_html_in_the_data_is_read_as_html() -> None:
    inner = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES) + "<script>alert(1)</script>"
    for body in (inner, inner.replace("<", "&lt;").replace(">", "&gt;")):
        # in a script element entities are text, and so the second is escaped HTML
        text = text_of(page(json.dumps({"@type": "Article", "articleBody": body}).replace("</script>", "<\\/script>")))
        assert text.splitlines() == SENTENCES


def test_a_text_that_is_there_is_not_replaced_by_the_data() -> None:
    inner = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
    longer = [*SENTENCES, "And this the page does not show.", "Nor this."]
    script = json.dumps({"@type": "Article", "articleBody": " ".join(longer)})
    assert text_of(page(script, body=f"<article>{inner}</article>")).splitlines() == SENTENCES


def test_a_teaser_in_the_data_replaces_nothing() -> None:
    inner = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES[:3])
    script = json.dumps({"@type": "Article", "articleBody": " ".join(SENTENCES[3:]) + " ..."})
    assert SENTENCES[0] in text_of(page(script, body=f"<article>{inner}</article>"))
