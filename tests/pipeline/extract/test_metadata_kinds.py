"""Title, author and day of publication where pages put them, a table for each kind."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import pytest

from archive.model import Article
from pipeline.extract.article import extract
from pipeline.extract.author_names import names_in
from pipeline.extract.tasks import Page

PROSE = "".join(
    f"<p>{text}</p>"
    for text in (
        "The bridge over the canal was to be painted green, said the surveyor, and the street heard of it from the paper.",
        "Nobody had asked the people who cross it twice a day, and some of them would have liked to be asked beforehand.",
        "The paint has been bought, the account shows, at a price that three members of the committee had called too high.",
    )
)
MENU = "".join(
    f"<div class='offer'><i>{number}</i><a href='/o{number}'>Offer {number}</a></div>" for number in range(300)
)


def read(body: str, head: str = "<title>The Canal Post</title>") -> Article:
    html = f"<!DOCTYPE html><html lang='en'><head>{head}</head><body>{body}</body></html>"
    return extract(Page("https://post.example/bridge", html.encode(), "text/html; charset=utf-8"))


@pytest.mark.parametrize(
    "article",
    [
        "<article><h1>The green bridge</h1><p class='byline'>By <span class='author'>Cleo Marsh</span></p><time class='published' datetime='2024-05-06T23:10:00-04:00'>6 May</time>{}</article>",
        "<div class='c1'><h1 class='headline'>The green bridge</h1><div class='x'><a rel='author' href='/m'>Cleo Marsh</a></div><time itemprop='datePublished' datetime='2024-05-06'>6 May</time>{}</div>",
        "<main><h1>The green bridge</h1>{}<p class='author-name'>Cleo Marsh</p><p class='entry-date'><time datetime='2024-05-06'>6 May</time></p></main>",
        "<article><header><h1 itemprop='headline'>The green bridge</h1><span itemprop='author'>Cleo Marsh</span> <abbr class='published' title='2024-05-06T08:00'>Monday</abbr></header>{}</article>",
        "<section><div><div><h1>The green bridge</h1></div></div><div><div class='post-meta'><span class='author'>Cleo Marsh</span><time datetime='2024-05-06'>6 May 2024</time></div></div>{}</section>",
    ],
)  # fmt: skip
def test_metadata_behind_a_large_menu_is_found(article: str) -> None:
    found = read(MENU + article.format(PROSE) + MENU)
    assert (found.title, found.author, found.date) == ("The green bridge", "Cleo Marsh", "2024-05-06")


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("<meta property='article:modified_time' content='2025-01-02T10:00:00Z'><script type='application/ld+json'>{\"@type\": \"NewsArticle\", \"dateModified\": \"2025-01-02\", \"datePublished\": \"2023-04-05T22:00:00-07:00\"}</script>", ""),
        ("<meta property='article:modified_time' content='2025-01-02'><meta property='article:published_time' content='2023-04-05'>", ""),
        ("", "<time class='updated' datetime='2025-01-02'>2 January 2025</time> <time class='entry-date published' datetime='2023-04-05'>5 April 2023</time>"),
        ("<script type='application/ld+json'>{\"@graph\": [{\"@type\": \"WebPage\", \"datePublished\": \"2021-01-01\"}, {\"@type\": [\"BlogPosting\"], \"datePublished\": \"2023-04-05\"}]}</script>", "<time itemprop='dateModified' datetime='2025-01-02'>now</time>"),
        ("<meta itemprop='dateModified' content='2025-01-02'><meta itemprop='datePublished' content='2023-04-05'>", ""),
        ("", "<p>Updated <time class='dt-updated' datetime='2020-01-02'>then</time>, first <time datetime='2023-04-05'>5 April 2023</time></p>"),
    ],
)  # fmt: skip
def test_the_day_is_that_of_publication_not_of_a_change(head: str, body: str) -> None:
    assert (
        read(f"<article><h1>The bridge</h1>{body}{PROSE}</article>", f"<title>The bridge</title>{head}").date
        == "2023-04-05"
    )


@pytest.mark.parametrize("day", ["2023-02-31", "9999-01-01", "soon", "", "0001-01-01T00:00:00Z"])
def test_a_day_that_is_none_is_passed_over(day: str) -> None:
    head = f"<title>The bridge</title><meta property='article:published_time' content='{day}'>"
    body = "<time class='published' datetime='2023-04-05'>5 April 2023</time>"
    assert read(f"<article><h1>The bridge</h1>{body}{PROSE}</article>", head).date == "2023-04-05"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("Follow", None),
        ("November", None),
        ("March 3, 2024", None),
        ("No Author", None),
        ("Link Copied", None),
        ("Sept.", None),
        ("Share on Bluesky; Copy link", None),
        ("Cleo Marsh; Link Copied", "Cleo Marsh"),
        ("Follow Cleo Marsh; Dov Hale", "Cleo Marsh; Dov Hale"),
        ("April May", None),
        ("April Hale; June Marsh; May Oakes", "April Hale; June Marsh; May Oakes"),
        ("Mark August", "Mark August"),
        ("Byron Folly; Byatt", "Byron Folly; Byatt"),
    ],
)
def test_what_is_no_name_of_an_author(given: str, names: str | None) -> None:
    assert names_in(given) == names


@pytest.mark.parametrize("word", ["Follow", "No Author", "Link copied", "October", "Unknown author"])
def test_a_button_is_no_author_and_hides_none(word: str) -> None:
    body = f"<article><h1>The bridge</h1><a class='author-name'>{word}</a><p class='byline'>Cleo Marsh</p>{PROSE}</article>"
    assert read(body).author in {"Cleo Marsh", None}
    assert read(f"<article><h1>The bridge</h1><p class='byline'>{word}</p>{PROSE}</article>").author is None
