"""Clean text and metadata out of pages; the only module that names trafilatura.

The text is the one trafilatura's own command line gives by default; the comments are kept apart from it.
"""

from __future__ import annotations

import gc
import itertools
import logging
import re
import unicodedata
from collections.abc import Iterable
from concurrent.futures import Future
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urljoin

from archive.model import Article, Verdict
from pipeline.charset import decode
from pipeline.pool import TaskFailure, WorkerPool
from pipeline.xpaths import by_kind

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST_LINKS = 10_000  # of each kind that a document lists
_LONGEST_LINK = 2_000  # characters
_MOST_TEXT = 50_000_000  # characters of a page that are looked at
_FIRST, _LAST = 400, 100  # elements of a long body in which metadata is looked for
_COLLECTED_AFTER = 50  # pages between two rounds of the garbage collector

_WEB_URL = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Page:
    """A page's body, its content codings undone, with the Content-Type it came with."""

    url: str
    body: bytes
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What became of a page: its article unless the verdict says why there is none."""

    article: Article | None
    verdict: Verdict


def extractor_version() -> str:
    """The extractor's name and version, as documents carry it."""
    return f"trafilatura {version('trafilatura')}"


class ExtractorPool:
    """Extracts pages in worker processes, each page within a time and a memory limit."""

    def __init__(self, workers: int, *, time_limit: float = 60.0, memory_limit: int = 2_000_000_000) -> None:
        self._pool: WorkerPool[Article] = WorkerPool(
            "pipeline.extract:work", workers, time_limit=time_limit, memory_limit=memory_limit
        )

    @property
    def started(self) -> bool:
        """Whether any page was ever submitted."""
        return self._pool.started

    @property
    def has_room(self) -> bool:
        """Whether `submit` would return at once."""
        return self._pool.has_room

    def submit(self, page: Page) -> Future[Article]:
        """Extract a page; hand the future to `extracted` for its outcome."""
        return self._pool.submit(page)

    def close(self) -> None:
        """End the workers."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_VERDICTS = {
    "timeout": "extraction-timeout",
    "memory": "extraction-memory",
    "killed": "extractor-killed",
    "failed": "extraction-failed",
}


def extracted(future: Future[Article]) -> Extracted:
    """Wait for a page's outcome; never raises for a bad page."""
    try:
        return Extracted(future.result(), Verdict("ok"))
    except TaskFailure as failure:
        return Extracted(
            None, Verdict(_VERDICTS[failure.kind], f"no text was extracted: {failure}; the page is archived")
        )


# In the workers


def warm() -> None:
    """Load what the first page would wait for."""
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.disable()  # trees are freed by their reference counts; the collector would walk millions of live nodes
    body = "A first sentence that warms the parsers, dates such as 3 March 2019 among them. " * 20
    sample = f"<html><body><article><h1>T</h1><p class='date'>3 mars 2019</p><p>{body}</p></article></body></html>"
    extract(Page("http://warm.invalid/2019/", sample.encode(), "text/html"))


_pages = itertools.count(1)


def work(page: Page) -> Article:
    """`extract` as a worker does it, again and again."""
    if next(_pages) % _COLLECTED_AFTER == 0:
        gc.collect()
    return extract(page)


def extract(page: Page) -> Article:
    """A page's article; one without any text when there is nothing to take. Raises whatever a hostile page provokes."""
    text, encoding = decode(page.body, page.content_type)
    text = text[:_MOST_TEXT]
    if (page.content_type or "").lower().startswith("text/plain"):
        return Article(text=_clean(text), encoding=encoding, extractor=extractor_version())
    tree = _parsed(text)
    if tree is None:
        return Article(encoding=encoding, extractor=extractor_version())
    links, images = _references(tree, page.url)
    body = _body(tree, page.url, "python")
    return Article(
        text=_clean(body.text) if body else None,
        comments=_clean(body.comments) if body else None,
        links=links,
        images=images,
        encoding=encoding,
        extractor=extractor_version(),
        **_metadata(tree, page.url),
    )


def to_markdown(page: Page) -> str:
    """A page's article as Markdown, headings, emphasis and links kept; empty when there is no text."""
    from trafilatura import extract as to_text

    text, _ = decode(page.body, page.content_type)
    if (page.content_type or "").lower().startswith("text/plain"):
        return text
    marked = to_text(text, url=page.url, output_format="markdown", include_links=True, include_comments=False)
    return _clean(marked) or ""


def _parsed(text: str) -> HtmlElement | None:
    from trafilatura.utils import load_html

    if not text.strip():
        return None
    _speed_up()
    return load_html(text)


@cache
def _speed_up() -> None:
    """Make two things faster that give the same results.

    Each element's class is chosen in C: lxml.html asks a Python function for every element. And the expressions that
    find menus, bylines and the like are evaluated once for each kind of element.
    """
    from lxml import etree, html
    from trafilatura import xpaths
    from trafilatura.utils import HTML_PARSER

    for expressions in vars(xpaths).values():
        if isinstance(expressions, list) and all(isinstance(entry, etree.XPath) for entry in expressions):
            expressions[:] = [by_kind(entry) for entry in expressions]
    plain = etree.ElementDefaultClassLookup(
        html.HtmlElement, html.HtmlComment, html.HtmlProcessingInstruction, html.HtmlEntity
    )
    lookup = etree.ElementNamespaceClassLookup(plain)
    lookup.get_namespace(None).update(html.HtmlElementClassLookup._default_element_classes)
    HTML_PARSER.set_element_class_lookup(lookup)


def _body(tree: HtmlElement, url: str, form: str) -> Any:
    from trafilatura import bare_extraction

    return bare_extraction(tree, url=url, output_format=form, with_metadata=False)


def _metadata(tree: HtmlElement, url: str) -> dict[str, Any]:
    from trafilatura.metadata import extract_metadata

    where = {"original_date": True, "extensive_search": False}
    found = extract_metadata(_ends(tree), url, where, False)
    return {
        "title": _clean((found.title or "").rstrip("¶ ")),  # the sign of a permalink is no part of it
        "author": _clean(found.author),
        "date": _clean(found.date),
        "sitename": _clean(found.sitename),
        "description": _clean(found.description),
        "language": _language(tree),
        "tags": _several(found.tags),
        "categories": _several(found.categories),
        "canonical_url": _link(tree, url, "canonical"),
        "license": _clean(found.license) or _link(tree, url, "license"),
        "image": _web_url(url, found.image or ""),
    }


def _ends(tree: HtmlElement) -> HtmlElement:
    """The head, and where pages say who wrote them and when: the body's first and last elements, all JSON-LD."""
    body = tree.find("body")
    if body is None or sum(1 for _ in body.iter()) <= _FIRST + _LAST:
        return tree
    tree = deepcopy(tree)
    body = tree.find("body")
    elements = list(body.iter())
    kept = {*elements[:_FIRST], *elements[-_LAST:]}
    kept.update(element for element in body.iter("script") if element.get("type") == "application/ld+json")
    for element in [*elements[-_LAST:], *kept]:
        kept.update(element.iterancestors())
    for element in elements[_FIRST:]:
        parent = element.getparent()
        if element not in kept and parent in kept:
            parent.remove(element)
    return tree


def _several(values: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(clean for value in values or () if (clean := _clean(value)))


def _language(tree: HtmlElement) -> str | None:
    """The language that the page says it is in, as a tag such as "en" or "pt-br"."""
    for value in (tree.get("lang"), tree.get("{http://www.w3.org/XML/1998/namespace}lang"), *_meta_languages(tree)):
        tag = (value or "").strip().lower().replace("_", "-").split(",")[0]
        if 2 <= len(tag) <= 35 and tag.replace("-", "").isalnum() and tag.isascii():
            return tag
    return None


def _meta_languages(tree: HtmlElement) -> list[str]:
    path = ".//meta[@http-equiv='content-language' or @http-equiv='Content-Language' or @property='og:locale']/@content"
    return [str(value) for value in tree.xpath(path)]


def _link(tree: HtmlElement, url: str, relation: str) -> str | None:
    """Where the first <link> of a relation leads."""
    for link in tree.iter("link"):
        if (link.get("rel") or "").strip().lower() == relation and (target := _web_url(url, link.get("href") or "")):
            return target
    return None


def _references(tree: HtmlElement, url: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Absolute URLs of the page's links and images, in page order, each once."""
    base = url
    for href in tree.xpath(".//base[@href][1]/@href"):
        base = _web_url(url, str(href)) or url
    links: dict[str, None] = {}
    images: dict[str, None] = {}
    for element in tree.iter("a", "area", "img"):
        kept, name = (images, "src") if element.tag == "img" else (links, "href")
        value = element.get(name)
        if value and len(kept) < _MOST_LINKS and (target := _web_url(base, value)):
            kept[target] = None
    return tuple(links), tuple(images)


def _web_url(base: str, reference: str) -> str | None:
    """A reference as an absolute http(s) URL without fragment, or None when it is none."""
    reference = reference.strip()
    if (
        not reference
        or reference.startswith(("#", "data:", "javascript:", "mailto:"))
        or len(reference) > _LONGEST_LINK
    ):
        return None
    try:
        target = urljoin(base, reference.partition("#")[0])
    except ValueError:
        return None
    return _clean(target) if _WEB_URL.match(target) else None


def _clean(text: str | None) -> str | None:
    """NFC, without controls or halves of characters, which no JSON reader likes; None when nothing is left."""
    if not text:
        return None
    if not text.isprintable():
        text = text.encode("utf-8", "replace").decode()
        text = _CONTROL.sub("", text)
    return unicodedata.normalize("NFC", text).strip() or None
