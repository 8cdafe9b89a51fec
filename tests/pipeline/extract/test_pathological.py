"""Every page ends with a text or with a named outcome, within the limits that a worker has."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pipeline.extract.extractor_pool import ExtractorPool, extracted
from pipeline.extract.parse_limits import bounded
from pipeline.extract.tasks import Page

TIME_LIMIT = 40.0  # seconds; a worker has 60
MEMORY_LIMIT = 2_000_000_000
TEXT = "The council met behind closed doors, and nobody was told what it talked about for three hours. "
ARTICLE = f"<html><body><article><h1>The doors</h1>{f'<p>{TEXT}</p>' * 8}</article></body></html>"


def around(inner: str) -> str:
    return f"<html><body><article><h1>The doors</h1>{f'<p>{TEXT}</p>' * 4}{inner}<p>{TEXT}</p></article></body></html>"


def ld(script: str) -> str:
    return f'<html><head><script type="application/ld+json">{script}</script></head><body>{TEXT}</body></html>'


def deep(name: str, times: int, inner: str = TEXT) -> str:
    return f"<{name}>" * times + inner + f"</{name}>" * times


def streamed(number: int) -> str:
    return f"<div hidden id='S:{number:x}'>{TEXT}<template id='B:{number + 1:x}'></template></div>"


NESTED_LD = '{"@type":"Article","mainEntity":' * 20_000 + "{}" + "}" * 20_000

PAGES: dict[str, Callable[[], str]] = {
    "nested-div": lambda: around(deep("div", 10_000)),
    "nested-blockquote": lambda: around(deep("blockquote", 10_000)),
    "nested-q": lambda: around(f"<p>{deep('q', 10_000)}</p>"),
    "nested-font": lambda: around(deep("font", 10_000)),
    "nested-span-in-p": lambda: around(f"<p>{deep('span class=x', 10_000)}"),
    "nested-list": lambda: around("<ol><li>x" * 5_000 + "</ol>" * 5_000),
    "nested-table": lambda: around("<table><tr><td>x" * 3_000 + "</td></tr></table>" * 3_000),
    "nested-figure": lambda: around("<figure><figcaption>x" * 5_000),
    "nested-div-with-p": lambda: around(f"<div><p>{TEXT}</p>" * 5_000),
    "nested-blockquote-with-footer": lambda: around("<blockquote><p>x</p><footer>y" * 3_000),
    "one-paragraph": lambda: around(f"<p>{TEXT * 105_000}</p>"),
    "one-paragraph-many-br": lambda: around(f"<p>{'word<br>' * 200_000}</p>"),
    "many-links": lambda: around("".join(f"<a href='/{n}'>link {n}</a> " for n in range(100_000))),
    "many-links-in-p": lambda: around(f"<p>{TEXT}{''.join(f'<a href=/{n}>l {n}</a> ' for n in range(100_000))}</p>"),
    "many-paragraphs-of-links": lambda: around("<p>See <a href=#a>this</a>, <a href=#b>that</a>.</p>" * 30_000),
    "many-attributes": lambda: around(f"<p {' '.join(f'a{n}=x' for n in range(100_000))}>{TEXT}</p>"),
    "long-class": lambda: around(f"<div class='{'comment-' * 500_000}'><p>{TEXT}</p></div>"),
    "many-classes": lambda: around("".join(f"<div class='c{n} note{n}'>x</div>" for n in range(60_000))),
    "unclosed": lambda: "<p><b><i><table><tr><td><ul><li><blockquote>" * 3_000 + TEXT,
    "nul": lambda: around("<p>" + "a\x00b " * 200_000 + "</p>" + "<\x00p>" * 1000),
    "empty-p": lambda: around("<p></p>" * 1_000_000),
    "empty-li": lambda: around("<ol>" + "<li>" * 300_000 + "</ol>"),
    "many-p": lambda: around(f"<p>{TEXT}</p>" * 50_000),
    "many-notes": lambda: around("<sup><a href='#f'>1</a></sup>" * 50_000),
    "many-footnotes": lambda: around("<div class='footnotes'>" * 2_000 + "<a href='#'>x</a>" * 5_000),
    "many-figures": lambda: around(f"<figure><img src=x><figcaption>{TEXT}</figcaption></figure>" * 20_000),
    "many-quotations": lambda: around(f"<blockquote class=twitter-tweet><p>{TEXT}</p></blockquote>" * 20_000),
    "streamed": lambda: around("<template id='B:0'></template>" + "".join(map(streamed, range(10_000)))),
    "ld-nested": lambda: ld(NESTED_LD),
    "ld-brackets": lambda: ld("[" * 1_000_000),
    "ld-long": lambda: ld('{"@type":"Article","articleBody":"' + TEXT * 52_000 + '"}'),
    "ld-wide": lambda: ld("[" + ",".join(['{"@type":"Article"}'] * 250_000) + "]"),
    "ld-html": lambda: ld('{"@type":"Article","articleBody":"' + "<div>" * 100_000 + TEXT * 100 + '"}'),
    "ld-many": lambda: '<script type="application/ld+json">{"articleBody":"x"}</script>' * 20_000 + ARTICLE,
    "entities": lambda: around(f"<p>{'&amp;&lt;p&gt;&#65;' * 60_000}</p>"),
    "rows": lambda: around("<table>" + "<tr><td>a<td>b<td rowspan=9999 colspan=9999>c" * 20_000 + "</table>"),
    "title": lambda: f"<title>{'Page not found ' * 200_000}</title>{'<h1>Error 404 ' * 20_000}" + ARTICLE,
    "comments": lambda: around("<!-- x -->" * 300_000),
    "brackets": lambda: around("<" * 1_000_000),
}  # fmt: skip

OUTCOMES = {"ok", "extraction-failed", "extraction-memory", "extraction-timeout", "extractor-killed"}


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(2, time_limit=TIME_LIMIT, memory_limit=MEMORY_LIMIT) as running:
        yield running


@pytest.mark.full
@pytest.mark.parametrize("name", PAGES)
def test_a_pathological_page_ends(name: str, pool: ExtractorPool) -> None:
    future = pool.submit(Page("https://gazette.example/", PAGES[name]().encode(), "text/html; charset=utf-8"))
    found = extracted(future)
    assert found.verdict.name in OUTCOMES
    assert found.article is not None or found.verdict.name != "ok"


def test_attributes_beyond_all_measure_are_cut_before_parsing() -> None:
    cut = bounded(f"<p>one</p><p {'a=x ' * 50_000}>two</p>")
    assert cut.startswith("<p>one</p><p a=x")
    assert cut.endswith(">two</p>")
    assert cut.count("a=x") <= 2_000


@pytest.mark.parametrize(
    "html", [ARTICLE, f"<img src='data:{'A' * 200_000}' alt='x'>", "<" * 100_000, "a <b " * 20_000]
)
def test_other_pages_are_parsed_as_they_are(html: str) -> None:
    assert bounded(html) == html


def test_data_in_an_attribute_is_no_row_of_attributes() -> None:
    """Forums keep the whole thread in an attribute of an empty element; cut there, it would swallow the page."""
    data = "{&quot;posts&quot;: [" + "one, two = three, " * 4_000 + "]}"
    for quote in "'", '"':
        html = f"<div hidden data-preloaded={quote}{data}{quote}></div><p>The page.</p>"
        assert bounded(html) == html


def test_attributes_without_spaces_between_them_are_counted_too() -> None:
    tag = "<p " + "".join(f'a{number}="1"' for number in range(20_000)) + ">"
    assert len(bounded(tag)) < len(tag) / 5
