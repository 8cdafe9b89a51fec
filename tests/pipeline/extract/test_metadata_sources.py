"""Titles without their site, all authors of a page, days as they are written, categories and tags: a table for each."""

# ruff: noqa: E501 - samples of pages are easier to read in one line

from __future__ import annotations

import json

import pytest

from archive.model import Article
from pipeline.extract.article import extract
from pipeline.extract.author_names import as_written, names_in
from pipeline.extract.bylines import author_in_byline, authors_in_head
from pipeline.extract.days import day_in
from pipeline.extract.html_tree import parsed
from pipeline.extract.page_title import title_of
from pipeline.extract.tasks import Page
from tests.pipeline.extract.test_metadata_kinds import PROSE

URL = "https://www.canal-post.example/town/bridge"


def read(head: str, body: str, url: str = URL) -> Article:
    html = f"<!DOCTYPE html><html lang='en'><head>{head}</head><body>{body}</body></html>"
    return extract(Page(url, html.encode(), "text/html; charset=utf-8"))


def linked_data(thing: object) -> str:
    return f"<script type='application/ld+json'>{json.dumps(thing)}</script>"


@pytest.mark.parametrize(
    ("found", "head", "body", "title"),
    [
        # cut off: what stands beside the heading, the site's name, and a part of the site
        ("The green bridge | Town", "", "<h1>The green bridge</h1>", "The green bridge"),
        ("The green bridge \u2013 A long name of a house", "", "<h1>The green bridge</h1>", "The green bridge"),
        ("Town: The green bridge", "", "<h1>The green bridge</h1>", "The green bridge"),
        ("The green bridge - Canal Post", "", "", "The green bridge"),
        ("Canal Post \u2022 The green bridge", "", "", "The green bridge"),
        ("The green bridge | Bell Tower", "<meta property='og:site_name' content='Bell Tower'>", "", "The green bridge"),
        ("Bell Tower \u2022 View topic - The green bridge", "", "", "The green bridge"),
        ("Thread: The green bridge", "", "", "The green bridge"),
        ("The green bridge - Page 3", "", "", "The green bridge"),
        ("bridges [The Canal-Post Manual]", "", "<h1>Bridges</h1>", "bridges"),
        # kept: what belongs to the title
        ("Bridges - a love story", "", "<h1>Bridges - a love story</h1>", "Bridges - a love story"),
        ("Green: the bridge | of the year", "", "", "Green: the bridge | of the year"),
        ("E-mail and C++ | 2 of 3", "", "", "E-mail and C++ | 2 of 3"),
        # the heading that readers see
        ("Bridge to be painted green, says town", "", "<h1>Why the bridge will be green</h1>", "Why the bridge will be green"),
        ("Bridge to be painted green", "", "<h1>Town</h1>", "Bridge to be painted green"),
        ("Bridge to be painted green", "", "<h1>The bridge in green</h1><h1>The green bridge</h1>", "Bridge to be painted green"),
        ("The green bridge", "", "<h1>The <button>Copy</button>green bridge <a href='#x'>\u00b6</a></h1>", "The green bridge"),
        # the name of the site is no title
        ("Canal Post", "<title>The green bridge - Canal Post</title>", "<h1><a href='/'>Canal Post</a></h1>", "The green bridge"),
        ("canal-post.example", "<title>canal-post.example</title>", "<h1>The green bridge</h1>", "The green bridge"),
        ("Latest in rowing", "<title>The green bridge | Canal Post</title>", "<h1>Latest in rowing</h1>", "The green bridge"),
        ("Canal Post", "<title>Canal Post</title>", "", "Canal Post"),
    ],
)  # fmt: skip
def test_a_title_is_what_readers_see_without_the_site(found: str, head: str, body: str, title: str) -> None:
    tree = parsed(f"<html><head>{head}</head><body>{body}<p>Prose.</p></body></html>")
    assert tree is not None
    assert title_of(tree, URL, found, None) == title


ADA, BEN = {"@type": "Person", "name": "Ada Rowe"}, {"@type": "Person", "name": "Ben O'Hale"}


@pytest.mark.parametrize(
    ("head", "byline", "author"),
    [
        (linked_data({"@type": "NewsArticle", "author": [ADA, BEN]}), "", "Ada Rowe; Ben O'Hale"),
        (linked_data({"@type": "NewsArticle", "author": "J. R. Rowe"}), "", "J. R. Rowe"),
        (linked_data({"@graph": [{"@type": "Article", "author": {"@id": "#a"}}, {"@id": "#a", **ADA}]}), "", "Ada Rowe"),
        (linked_data({"@type": "Article", "author": {"@type": "Person", "name": ["Ada Rowe", "Cy Marsh"]}}), "", "Ada Rowe; Cy Marsh"),
        (linked_data({"@type": "Article", "author": {"@type": "Organization", "name": "Post Ltd"}}), "<div>By Ada Rowe</div>", "Ada Rowe"),
        (linked_data({"@type": "Article", "author": {"@type": "Organization", "name": "Post Ltd"}}), "", "Post Ltd"),
        (linked_data({"@type": "Article", "author": "https://post.example/ada"}), "<div>By Ada Rowe</div>", "Ada Rowe"),
        ("<meta name='citation_author' content='Rowe, Ada'><meta name='citation_author' content='Marsh, Cy'>", "", "Ada Rowe; Cy Marsh"),
        ("<meta name='author' content='Ada Rowe, Cy Marsh and Ben Hale'>", "", "Ada Rowe; Cy Marsh; Ben Hale"),
        ("<meta name='author' content='Ada Rowe, MD, RD'>", "", "Ada Rowe, MD, RD"),
        ("<meta name='twitter:label1' content='Written by'><meta name='twitter:data1' content='Ada Rowe'>", "", "Ada Rowe"),
        ("<meta name='author' value='Ada Rowe'>", "", "Ada Rowe"),
        ("", "<div><span>By</span><span>Ada Rowe</span></div>", "Ada Rowe"),
        ("", "<div class='elementor-widget'>By Ada Rowe and Cy Marsh</div>", "Ada Rowe; Cy Marsh"),
        ("", "<div>By <b>Ada Rowe</b><i>Published March 3, 2024</i></div>", "Ada Rowe"),
        ("", "<div><a href='/authors/rowe'>Ada Rowe</a></div>", "Ada Rowe"),
        ("", "<div itemprop='author' itemscope><a>ada</a><span itemprop='name'>ada_7</span></div>", "ada_7"),
        ("", "<div>By the river</div>", None),
    ],
)  # fmt: skip
def test_all_authors_that_a_page_names_are_found(head: str, byline: str, author: str | None) -> None:
    found = read(f"<title>The bridge</title>{head}", f"<article><h1>The bridge</h1>{byline}{PROSE}</article>")
    assert found.author == author


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("Ada Rowe Staff Writer", "Ada Rowe"),
        ("Ada Rowe; Senior Editor", "Ada Rowe"),
        ("Ada Rowe; Trial Attorney; On December 9", "Ada Rowe"),
        ("Author Ada Rowe", "Ada Rowe"),
        ("This post was written by Ada Rowe", "Ada Rowe"),
        ("Ada Rowe Ada Rowe Building boats", "Ada Rowe"),
        ("Ada Rowe View author archive Get author RSS feed", "Ada Rowe"),
        ("See full bio", None),
        ("Editor", None),
        ("Ada Head", "Ada Head"),
        ("Everfit Team", "Everfit Team"),
    ],
)
def test_offices_and_buttons_are_no_part_of_a_name(given: str, names: str | None) -> None:
    assert names_in(given) == names


@pytest.mark.parametrize(
    ("names", "page", "written"),
    [
        ("J R Rowe", "by J. R. Rowe, the boatman", "J. R. Rowe"),
        ("Ada C Rowe; Cy Marsh", "By Ada C. Rowe and Cy Marsh", "Ada C. Rowe; Cy Marsh"),
        ("Cy Marsh Jr", "Cy Marsh Jr. wrote it", "Cy Marsh Jr."),
        ("Plan B Rowe", "Plan B Rowe", "Plan B Rowe"),
        ("Ada Rowe", "Ada. Rowe.", "Ada Rowe"),
        ("Ada C Rowe", "By|Ada C. Rowe|2 March", "Ada C. Rowe"),  # elements that no space parts
    ],
)
def test_initials_keep_their_dots(names: str, page: str, written: str) -> None:
    assert as_written(names, lambda: page.split("|")) == written


@pytest.mark.parametrize(
    ("text", "language", "host", "day"),
    [
        ("19/03/02", "ja", "post.example", "2019-03-02"),
        ("19/03/02", "fr", "post.example", "2002-03-19"),
        ("3/4/2025", "en-US", "post.example", "2025-03-04"),
        ("3/4/2025", "en", "post.example", "2025-03-04"),
        ("3/4/2025", "en-GB", "post.example", "2025-04-03"),
        ("3/4/2025", "en", "post.example.uk", "2025-04-03"),
        ("3/4/2025", "de", "post.example", "2025-04-03"),
        ("13/4/2025", "en-US", "post.example", "2025-04-13"),
        ("03.04.2025", "de", "post.example", "2025-04-03"),
        ("2019\u5e744\u67083\u65e5", "ja", None, "2019-04-03"),
        ("March 9th, 2024", None, None, "2024-03-09"),
        ("9. M\u00e4rz 2024", "de", None, "2024-03-09"),
        ("le 1er ao\u00fbt 2023", "fr", None, "2023-08-01"),
        ("9 de mayo de 2023", "es", None, "2023-05-09"),
        ("Tue, 05 Mar 2024 23:30:00 -0500", None, None, "2024-03-05"),
        ("2024-03-05T23:30:00-05:00", None, None, "2024-03-05"),
        ("February 30, 2024", None, None, None),
        ("March 9, 2999", None, None, None),
        ("version 1.2.2024.7", None, None, None),
        ("no day", None, None, None),
    ],
)
def test_a_day_is_read_as_people_of_the_language_write_it(
    text: str, language: str | None, host: str | None, day: str | None
) -> None:
    assert day_in(text, language, host) == day


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("<p>March 9, 2024</p>", "2024-03-09"),
        ("<div>By Ada Rowe <span>3/4/2024</span></div>", "2024-03-04"),
        ("<p>Updated <span>May 5, 2025</span></p><p>Published March 9, 2024</p>", "2024-03-09"),
        ("<time itemprop='dateCreated' datetime='2024-03-09 11:00:00Z'>a year ago</time>", "2024-03-09"),
    ],
)
def test_a_day_below_the_heading_is_found(line: str, day: str) -> None:
    found = read("<title>The bridge</title>", f"<article><h1>The bridge</h1>{line}{PROSE}</article>")
    assert found.date == day


THREADS = [
    "<article class='message' data-author='kay_7'><ul><li><time datetime='2016-03-08T06:39:12-0800'>then</time></li></ul><div class='bbWrapper'>{0}</div></article><article class='message' data-author='lou'><time datetime='2019-01-01'>x</time><div class='bbWrapper'>{1}</div></article>",
    "<div class='post'><div class='postbody'><p class='author'>by <a href='./memberlist.php?mode=viewprofile&amp;u=7'>kay_7</a> \u00bb Tue Mar 8, 2016 1:47 am</p><div class='content'>{0}</div></div></div><div class='post'><div class='postbody'><p class='author'>by <a href='./memberlist.php?u=8'>lou</a> \u00bb Tue Jan 1, 2019</p><div class='content'>{1}</div></div></div>",
    "<div class='topic-body crawler-post'><div class='crawler-post-meta'><span class='creator' itemprop='author' itemscope><a href='/u/kay_7'><span itemprop='name'>kay_7</span></a></span><time datetime='2016-03-08T15:22:42Z'>March 8, 2016, 3:22pm</time></div><div class='post' itemprop='text'>{0}</div></div><div class='topic-body crawler-post'><span class='creator'><a href='/u/lou'>lou</a></span><div class='post' itemprop='text'>{1}</div></div>",
    "<div class='post_wrapper'><div class='poster'><h4><a href='/index.php?action=profile;u=7'>kay_7</a></h4><ul><li>Joined: May 1, 2009</li></ul></div><div class='postarea'><div class='keyinfo'>March 08, 2016, 11:23:55 AM</div><div class='inner' id='msg_1'>{0}</div></div></div><div class='post_wrapper'><div class='poster'><h4><a href='/index.php?action=profile;u=8'>lou</a></h4></div><div class='postarea'><div class='inner' id='msg_2'>{1}</div></div></div>",
]  # fmt: skip


@pytest.mark.parametrize("thread", THREADS)
def test_a_thread_is_by_who_began_it_and_of_that_day(thread: str) -> None:
    posts = thread.format("<p>Who has seen the bridge?</p>", "<p>I have, and it is green all over.</p>")
    found = read("<title>The bridge</title>", f"<h1>The bridge</h1>{posts}")
    assert (found.author, found.date) == ("kay_7", "2016-03-08")


@pytest.mark.parametrize(
    ("body", "categories", "tags"),
    [
        ("<div class='post-meta'>in <a href='/category/town/'>Town</a></div>", ("Town",), None),
        ("<div class='entry-meta'><span><a href='/category/canal/'>Canal</a></span></div>", ("Canal",), None),
        ("<div class='tag-list'><a href='/tag/paint/'>paint</a></div>", None, ("paint",)),
        ("<div class='meta'><b><a href='/tag/green/'>green</a></b></div>", None, ("green",)),
    ],
)
def test_categories_and_tags_in_a_line_of_the_post_are_found(
    body: str, categories: tuple[str, ...] | None, tags: tuple[str, ...] | None
) -> None:
    found = read("<title>The bridge</title>", f"<article><h1>The bridge</h1>{PROSE}{body}</article>")
    assert categories is None or found.categories == categories
    assert tags is None or found.tags == tags


def test_the_head_and_a_byline_that_name_nobody_say_so() -> None:
    tree = parsed(
        "<html><head><meta name='author' content='https://post.example'></head><body><h1>B</h1></body></html>"
    )
    assert tree is not None
    assert authors_in_head(tree) is None
    assert author_in_byline(tree) is None
