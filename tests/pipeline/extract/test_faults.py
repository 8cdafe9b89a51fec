"""A library that fails on a page: the part that it was to give is named as missing, the other part is kept."""

from __future__ import annotations

import pytest

from archive.model import Article, Verdict
from pipeline.extract.article import read
from pipeline.extract.extractor_pool import extracted
from pipeline.extract.faults import caught_inside
from pipeline.extract.tasks import Page, Reading
from tests.pipeline.extract.test_wellformed import PARAGRAPHS, page

PLAIN = "a plain reading of what the page shows is kept"


def article_of(reading: Reading) -> Article:
    assert reading.article is not None
    return reading.article


def raising(*_: object, **__: object) -> None:
    raise ValueError("Invalid tag name 'o:p'")


def test_a_text_that_a_library_fails_on_is_no_page_without_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trafilatura.core.trafilatura_sequence", raising)  # trafilatura catches it and returns nothing
    reading = read(page(PARAGRAPHS))
    assert reading.problem == f"no text was extracted: ValueError: Invalid tag name 'o:p'; {PLAIN}"
    article = article_of(reading)
    assert (article.title, article.author) == ("The ferry", "Ida Berg")
    assert [line for line in (article.text or "").splitlines() if line in PARAGRAPHS] == list(PARAGRAPHS)
    assert article.availability is None
    assert [link for link in article.links if "law" in link]


def test_an_exception_that_reaches_us_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trafilatura.bare_extraction", raising)
    assert read(page(PARAGRAPHS)).problem == f"no text was extracted: ValueError: Invalid tag name 'o:p'; {PLAIN}"


def test_metadata_that_a_library_fails_on_costs_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trafilatura.metadata.extract_metadata", raising)
    reading = read(page(PARAGRAPHS))
    assert reading.problem == "most metadata could not be extracted: ValueError: Invalid tag name 'o:p'"
    article = article_of(reading)
    assert PARAGRAPHS[0] in (article.text or "")
    assert (article.title, article.language, article.author) == ("The ferry", "en", None)


def test_a_part_of_the_metadata_is_a_note() -> None:
    script = "<script type='application/ld+json'>[[1, 2], 3]</script>"  # trafilatura takes each for an object
    reading = read(page(PARAGRAPHS, head=script))
    assert reading.problem is None
    assert reading.notes
    assert reading.notes[0].startswith("part of the metadata could not be extracted: AttributeError")
    assert article_of(reading).author == "Ida Berg"


def test_json_ld_may_name_numbers() -> None:
    named = '{"@context": "https://schema.org", "@type": "Article", "headline": 1984, "author": [[1]]}'
    reading = read(page(PARAGRAPHS, head=f"<script type='application/ld+json'>{named}</script>"))
    assert reading.problem is None
    assert article_of(reading).title in {"1984", "The ferry"}


@pytest.mark.parametrize("body", ["", "<img src=a.png>", "<o:p></o:p>", "<p>x</p>", "<script>f()</script>", "<!-- -->"])
def test_a_page_without_text_is_no_failure(body: str) -> None:
    reading = read(Page("http://x.example/", f"<html><body>{body}</body></html>".encode(), "text/html"))
    assert (reading.problem, reading.notes) == (None, ())


def test_nothing_is_collected_outside_of_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trafilatura.core.trafilatura_sequence", raising)
    with caught_inside() as outer:
        with caught_inside() as inner:
            pass
        read(page(PARAGRAPHS))
    assert (outer, inner) == ([], [])


def test_the_outcome_names_what_is_missing_and_keeps_the_rest() -> None:
    from concurrent.futures import Future

    future: Future[Reading] = Future()
    future.set_result(Reading(read(page(PARAGRAPHS)).findings, Article(text="kept"), "most metadata is missing"))
    done = extracted(future)
    assert done.verdict == Verdict("extraction-failed", "most metadata is missing; the page is archived")
    assert done.article is not None
    assert done.article.text == "kept"
