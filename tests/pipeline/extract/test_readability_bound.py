"""Readability's text is never longer than its bound, and what stands in for trafilatura's comparison gives the same."""

from __future__ import annotations

import hashlib
import inspect
from copy import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html
from trafilatura import core, external, readability_lxml
from trafilatura.settings import Extractor
from trafilatura.utils import load_html, trim

from pipeline.extract.readability_bound import compare_extraction, longest

WORDS = st.sampled_from(
    ["word ", "a", " ", "A sentence, long enough to be kept. " * 3, "a &lt; b &amp; c", "\n", "&#13;"]
)
NAMES = "div p span section ul li table td iframe script style title xmp noembed h1 h2 br b textarea form".split()
ATTRIBUTES = st.sampled_from(["", " class=sidebar", " class='comment x'", " id=content", " src='https://vimeo.com/1'"])


def element(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda name, attributes, parts: f"<{name}{attributes}>{''.join(parts)}</{name}>",
        st.sampled_from(NAMES),
        ATTRIBUTES,
        st.lists(inner, max_size=5),
    )


PAGES = st.lists(st.recursive(WORDS, element, max_leaves=25), min_size=1, max_size=6).map(
    lambda parts: f"<html><body><div>{''.join(parts)}</div></body></html>"
)


def readability_of(tree: Any) -> str:
    return str(trim(etree.tostring(external.try_readability(copy(tree)), method="text", encoding="utf-8").decode()))


@given(PAGES)
def test_no_text_is_longer_than_the_bound(page: str) -> None:
    tree = load_html(page)
    bound = longest(tree) if tree is not None else None
    if bound is not None:
        assert len(readability_of(tree)) <= bound, page


def test_frames_and_signs_that_are_written_out_count() -> None:
    tree = html.document_fromstring(
        "<body><div><p>One sentence, two, three, four, long enough to be kept.</p><iframe src='https://vimeo.com/1'>"
        "</iframe><xmp>a & b < c</xmp></div></body>"
    )
    bound = longest(tree)
    assert bound is not None
    assert len(readability_of(tree)) <= bound
    assert len(readability_of(tree)) > len(" ".join(tree.text_content().split())), "the case shows what it is for"
    assert longest(html.document_fromstring("<body><p>x</p><xmp></xmp></body>")) is None


@given(PAGES, st.sampled_from(["balanced", "recall", "precision"]), st.integers(0, 400))
def test_the_comparison_ends_as_the_librarys_own(page: str, focus: str, length: int) -> None:
    tree = load_html(page)
    if tree is None:
        return
    options = Extractor(recall=focus == "recall", precision=focus == "precision")
    body = etree.Element("body")
    etree.SubElement(body, "p").text = text = "x" * length
    for _ in range(length % 3):
        etree.SubElement(body, "table")
    outcomes = [
        compare(copy(tree), copy(tree), copy(body), text, options)
        for compare in (external.compare_extraction, compare_extraction)
    ]
    assert outcomes[0][1] == outcomes[1][1]
    assert etree.tostring(outcomes[0][0]) == etree.tostring(outcomes[1][0])


def test_trafilatura_is_the_one_that_the_proof_is_about() -> None:
    """Read what changed, and the proof in `readability_bound`, before the digest is changed."""
    looked_at = (
        readability_lxml.Document,
        external.try_readability,
        external._prefer_readability,
        external.compare_extraction,
        core._extract_and_compare,
    )
    source = "".join(inspect.getsource(each) for each in looked_at)
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == "33804843f05cf9db"
