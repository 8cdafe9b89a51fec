"""Text and metadata as a reader would have them, and an end for every page."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from archive.model import Article
from pipeline.extract.article import extract, to_markdown
from pipeline.extract.extractor_pool import ExtractorPool, extracted
from pipeline.extract.extractor_version import extractor_version
from pipeline.extract.tasks import Page

ARTICLE = """<!doctype html>
<html lang="en-GB"><head>
<title>The Court and the Column — The Daily Brief</title>
<meta name="author" content="Ada Marlow">
<meta name="description" content="Why the ruling matters to those who write.">
<meta property="og:site_name" content="The Daily Brief">
<meta property="article:published_time" content="2025-03-14T09:30:00Z">
<meta property="article:tag" content="press"><meta name="keywords" content="press, law">
<meta property="og:image" content="/lead.jpg">
<link rel="canonical" href="https://brief.example/court-and-column">
<link rel="license" href="https://creativecommons.org/licenses/by/4.0/">
</head><body>
<nav><a href="/">Home</a> <a href="/law">Law</a> <a href="#top">Top</a></nav>
<article><h1>The Court and the Column</h1>
<p>On Friday the court decided what columnists had argued for years, and it did so in a
<a href="/ruling.pdf">ruling of nine pages</a> that will be read more
often than it is cited.</p>
<p>The reasoning is short. It says that a comment is protected when a reader can see that it is one, and that
<a href="https://other.example/essay">an earlier essay</a> had put it better than the parties did [sic].</p>
<img src="figures/one.png" alt="A figure"><img src="figures/one.png">
<p>What follows for those who write every day is less clear, and the minority of two judges says so plainly.</p>
</article>
<div id="comments" class="comments"><h2>Comments</h2>
<div class="comment"><p>I was in the gallery that day, and the bench laughed twice at counsel's remark.</p></div>
<div class="comment"><p>The minority is right, and in ten years everybody will have said so from the start.</p></div>
</div>
<footer>All rights reserved.</footer></body></html>"""


def article_of(html: str, url: str = "https://brief.example/2025/court") -> Article:
    return extract(Page(url, html.encode(), "text/html; charset=utf-8"))


def test_text_and_metadata_of_an_article() -> None:
    article = article_of(ARTICLE)
    assert article.text is not None
    for words in (
        "ruling of nine pages that will be read",
        "that an earlier essay had put it better",
        "[sic]",
        "minority of two",
    ):
        assert words in " ".join(article.text.split())
    assert "Home" not in article.text
    assert "gallery" not in article.text
    assert "gallery" in (article.comments or "")
    assert (article.author, article.date, article.sitename) == ("Ada Marlow", "2025-03-14", "The Daily Brief")
    assert article.title is not None
    assert article.title.startswith("The Court and the Column")
    assert article.description == "Why the ruling matters to those who write."
    assert (article.language, article.encoding) == ("en-gb", "utf-8")
    assert article.canonical_url == "https://brief.example/court-and-column"
    assert "press" in article.tags
    assert article.license == "https://creativecommons.org/licenses/by/4.0/"
    assert article.image == "https://brief.example/lead.jpg"
    assert article.images == ("https://brief.example/2025/figures/one.png",)
    assert article.links == (
        "https://brief.example/",
        "https://brief.example/law",
        "https://brief.example/ruling.pdf",
        "https://other.example/essay",
    )
    assert article.extractor == extractor_version()


def test_a_base_element_is_honoured_and_odd_links_left_out() -> None:
    article = article_of(
        "<html><head><base href='https://cdn.example/x/'></head><body>"
        "<a href='a'>a</a><a href='javascript:b()'>b</a><a href='mailto:c@d'>c</a><a href='http://['>d</a>"
        "<a href='ftp://e/'>e</a><a href=' /f '>f</a><a href='data:,x'>g</a><a>h</a></body></html>"
    )
    assert article.links == ("https://cdn.example/x/a", "https://cdn.example/f")


def test_the_text_is_that_of_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(ARTICLE)
    command = [sys.executable, "-m", "trafilatura.cli", "--no-comments"]
    done = subprocess.run(command, input=ARTICLE, capture_output=True, text=True, check=True)
    assert article_of(ARTICLE).text == done.stdout.strip()


def test_metadata_of_a_long_page_is_still_found() -> None:
    filler = "".join(
        f"<p>Paragraph {number} of a long page, with <b>some</b> marked words.</p>" for number in range(900)
    )
    long = ARTICLE.replace("</article>", filler + "</article>").replace(
        "</footer>", "<script type='application/ld+json'>{}</script></footer>"
    )
    article = article_of(long)
    assert (article.author, article.date) == ("Ada Marlow", "2025-03-14")
    assert article.text is not None
    assert "Paragraph 899" in article.text


def test_markdown_keeps_headings_and_links() -> None:
    marked = to_markdown(Page("https://brief.example/2025/court", ARTICLE.encode(), "text/html"))
    assert "# The Court and the Column" in marked
    assert "[ruling of nine pages](https://brief.example/ruling.pdf)" in marked


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"", "text/html", None),
        (b"   \n ", "text/html", None),
        (b"Just a note.\nSecond line.", "text/plain; charset=us-ascii", "Just a note.\nSecond line."),
        ("Größe".encode("latin-1"), "text/plain; charset=iso-8859-1", "Größe"),
        (b"%PDF-1.7 \x00\x01\x02", "application/pdf", None),
    ],
)
def test_what_is_no_article_has_none(body: bytes, content_type: str, text: str | None) -> None:
    assert extract(Page("http://x.example/", body, content_type)).text == text


def test_controls_and_half_characters_never_reach_a_document() -> None:
    html = ARTICLE.replace("The reasoning", "The&#0; rea\x00soning\x1b[31m &#xD800; \x85").replace("Ada", "A\x07da")
    article = article_of(html)
    text = json.dumps(asdict(article), ensure_ascii=False).encode().decode()
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in text)


PATHOLOGICAL = {
    "deep": "<div>" * 20_000 + "text" + "</div>" * 20_000,
    "unclosed": "<p><b><i><table><tr><td>" * 5_000 + "text",
    "links": "".join(f"<a href='/{number}'>link {number}</a> " for number in range(30_000)),
    "attribute": f"<p title='{'x' * 3_000_000}'>text</p>",
    "nul": "<p>a\x00b</p>" * 1000,
    "entities": "&amp;" * 200_000,
    "one-line": "word " * 500_000,
    "tags": "<" * 100_000,
}


@pytest.mark.full
def test_pathological_pages_end_and_harm_no_other() -> None:
    with ExtractorPool(2, time_limit=60, memory_limit=1_500_000_000) as pool:
        futures = {
            name: pool.submit(Page("http://x.example/", html.encode(), "text/html"))
            for name, html in PATHOLOGICAL.items()
        }
        good = pool.submit(Page("http://x.example/", ARTICLE.encode(), "text/html"))
        named = {name: extracted(future).verdict.name for name, future in futures.items()}
        assert extracted(good).article == article_of(ARTICLE, "http://x.example/")
    assert set(named.values()) <= {
        "ok",
        "extraction-failed",
        "extraction-memory",
        "extraction-timeout",
        "extractor-killed",
    }
    assert named["links"] == "ok"


@pytest.mark.full
def test_links_have_a_limit() -> None:
    assert len(article_of(PATHOLOGICAL["links"]).links) == 10_000
