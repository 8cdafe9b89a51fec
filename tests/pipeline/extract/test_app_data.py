"""Where a page's markup holds no article and its data does, the article is the text; a menu is not."""

# ruff: noqa: E501 - a page is easier to read in one line

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.extract.article import TEXT_FROM_DATA, read
from pipeline.extract.tasks import Page, Reading
from tests.pipeline.extract.test_text_guard import MENU, PROSE, SENTENCES

ARTICLE = {"title": "The berths", "slug": "the-berths", "body": PROSE}
NEXT = {
    "props": {"pageProps": {"menu": [{"title": f"Section {n}", "href": f"/{n}"} for n in range(9)], "article": ARTICLE}}
}
BLOCKS = {
    "post": {"headline": "The berths", "content": [{"type": "paragraph", "text": sentence} for sentence in SENTENCES]}
}
PORTABLE = {
    "post": {
        "title": "The berths",
        "body": [{"_type": "block", "children": [{"text": each[:40]}, {"text": each[40:]}]} for each in SENTENCES],
    }
}
MARKDOWN = {"post": {"title": "The berths", "markdown": "\n\n".join(SENTENCES)}}
REACT = ["$", "div", None, {"children": [["$", "p", str(n), {"children": each}] for n, each in enumerate(SENTENCES)]}]


def page(inner: str, shell: str = "<p>Read the paper where you are.</p>") -> str:
    body = f"<div id=__next><nav>{MENU}</nav>{shell}<footer><p>All rights reserved.</p></footer></div>{inner}"
    return f"<!doctype html><html lang=en><head><title>The berths | The Quay</title></head><body>{body}</body></html>"


def script(data: Any, attributes: str = "id=__NEXT_DATA__ type='application/json'") -> str:
    return f"<script {attributes}>{json.dumps(data)}</script>".replace("</p>", "<\\/p>")


def assigned(code: str) -> str:
    return f"<script>{code}</script>".replace("</p>", "<\\/p>")


def reading(html: str) -> Reading:
    found = read(Page("http://quay.example/the-berths", html.encode(), "text/html; charset=utf-8"))
    assert found.article is not None
    return found


DATA = {
    "next": script(NEXT),
    "blocks": script(BLOCKS),
    "portable-text": script(PORTABLE),
    "markdown": script(MARKDOWN),
    "island": script(NEXT, "type='application/json' data-island"),
    "nuxt-flat": script(
        ["Reactive", {"title": 2, "body": 3}, "The berths", PROSE], "id=__NUXT_DATA__ type='application/json'"
    ),
    "nuxt-call": assigned(
        f"window.__NUXT__=(function(a){{return {{data:[{{title:a,body:{json.dumps(PROSE)}}}]}}}}('x'));"
    ),
    "state": assigned(f"window.__INITIAL_STATE__ = {json.dumps(NEXT)};"),
    "state-string": assigned(f"window['__PRELOADED_STATE__']=JSON.parse({json.dumps(json.dumps(NEXT))})"),
    "react-stream": assigned(f"self.__next_f.push([1,{json.dumps('1:' + json.dumps(REACT))}])"),
    "attribute": f"<div data-page='{json.dumps(NEXT)}'></div>",
    "json-ld": script({"@type": "NewsArticle", "articleBody": " ".join(SENTENCES)}, "type='application/ld+json'"),
}


@pytest.mark.parametrize("name", DATA)
def test_the_article_of_the_data_is_the_text(name: str) -> None:
    found = reading(page(DATA[name]))
    assert found.article is not None
    text = found.article.text or ""
    assert [sentence in text for sentence in SENTENCES] == [True] * 4
    assert "Section 3" not in text
    assert (found.article.availability, found.problem, found.notes) == (None, None, (TEXT_FROM_DATA,))


def test_an_empty_shell_with_data_is_a_page() -> None:
    html = f"<html><head><title>T</title></head><body><div id=__next></div>{script(NEXT)}<script src=/x.js></script></body></html>"
    found = reading(html)
    assert found.article is not None
    assert (found.article.availability, SENTENCES[0] in (found.article.text or "")) == (None, True)


STORY = " ".join(
    f"Another story that nobody asked for is printed here at length, for the {n}th time." for n in range(20)
)


@pytest.mark.parametrize(
    ("shell", "data"),
    [
        (f"<article><h1>The berths</h1>{PROSE}</article>", {"page": {"title": "The berths", "body": STORY}}),
        (f"<article><h1>The berths</h1><p>{SENTENCES[0]}</p></article>", {"page": {"title": "Another", "body": STORY}}),
        (
            f"<article><h1>The berths</h1><p>{SENTENCES[0]}</p></article>",
            {"page": {"title": "The berths", "privacyPolicy": STORY}},
        ),
    ],
)
def test_a_page_with_its_article_is_read_from_its_markup(shell: str, data: dict[str, Any]) -> None:
    found = reading(page(script(data), shell))
    assert found.article is not None
    assert SENTENCES[0] in (found.article.text or "")
    assert ("Another story" in (found.article.text or ""), found.notes) == (False, ())


@pytest.mark.parametrize(
    "data",
    ["[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "{", "[" + "[]," * 300_000 + "[]]", '"' + "a" * 1_000_000 + '"', "null", '{"body": {"body": 1e999}}'],
    ids=["nested-lists", "nested-objects", "broken", "many-lists", "one-word", "null", "infinite"],
)  # fmt: skip
def test_hostile_data_costs_nothing(data: str) -> None:
    found = reading(page(f"<script id=__NEXT_DATA__ type='application/json'>{data}</script>"))
    assert (found.problem, found.notes) == (None, ())
