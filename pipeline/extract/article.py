"""A page's article: its text, its metadata, what it embeds and where it leads."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archive.model import TEXT_INCOMPLETE, Article
from pipeline.discover.css import findings_of_css
from pipeline.discover.embeds import embeds_of_html
from pipeline.discover.feeds import findings_of_feed
from pipeline.discover.html import findings_of_html
from pipeline.discover.outlinks import Findings, Hop
from pipeline.discover.sitemaps import MOST as MOST_OF_SITEMAP
from pipeline.discover.sitemaps import findings_of_sitemap
from pipeline.extract.body import Body, body_of, markdown_of
from pipeline.extract.document_text import markdown_of_document
from pipeline.extract.empty_pages import EMPTY, emptiness_of
from pipeline.extract.encoding import decode
from pipeline.extract.extractor_version import extractor_version
from pipeline.extract.faults import caught_inside, one_line
from pipeline.extract.html_tree import mark_names, parsed
from pipeline.extract.json_ld import Structured, structured_of
from pipeline.extract.metadata import bare_metadata_of, metadata_of
from pipeline.extract.normalize_text import clean
from pipeline.extract.page_status import availability_of
from pipeline.extract.seen_parts import shown
from pipeline.extract.shortcodes import expand
from pipeline.extract.tasks import BEGINNING, EXTRACTABLE, GENERIC, Page, Reading, Task, document_format
from pipeline.extract.text_guard import from_data, is_from_data, whole_or_plain
from pipeline.extract.visible_prose import visible_blocks
from pipeline.extract.walls import wall_of
from pipeline.extract.xhtml import as_html, is_xhtml, is_xml

if TYPE_CHECKING:
    from lxml.html import HtmlElement

TEXT_FROM_DATA = "text-from-data: the page's markup shows no article; its text is that of the page's own data"

_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)\b", re.IGNORECASE)
_MOST_TEXT = 50_000_000  # characters of a page that are looked at


def read(page: Page) -> Reading:
    """Return what a task asks for; raises whatever a hostile body provokes outside of its text and its metadata."""
    if page.task == Task.FEED:
        return _or_wall(page, _feed(page))
    if page.task == Task.SITEMAP:
        return _or_wall(page, findings_of_sitemap(page.body, page.url, max(page.most, MOST_OF_SITEMAP)))
    if page.task in {Task.ARTICLE, Task.FRAME} and (form := _format(page)) is not None:
        return _document(page, form)
    text, encoding = decode(page.body, page.content_type)
    left_out = len(text) - _MOST_TEXT
    text = text[:_MOST_TEXT]
    if page.task == Task.CSS:
        return Reading(findings_of_css(text, page.url))
    if (page.content_type or "").lower().startswith("text/plain"):
        nothing = None if text.strip() else EMPTY
        article = Article(text=clean(text), availability=nothing, encoding=encoding, extractor=extractor_version())
        return Reading(Findings(), article)
    reading = _markup(page, text, encoding)
    if left_out > 0 and page.task == Task.ARTICLE:
        note = f"the last {left_out:,} of its characters are not read: only the first {_MOST_TEXT:,} are"
        reading = replace(reading, notes=(*reading.notes, note))
    return reading


def _markup(page: Page, text: str, encoding: str) -> Reading:
    """Return what is read in markup; XML that is no XHTML is no page."""
    if is_xml(page.content_type) and text.strip():
        if page.task == Task.ARTICLE and not is_xhtml(text) and "xhtml" not in (page.content_type or "").lower():
            return Reading(Findings())  # a feed, a sitemap, data
        text = as_html(text)
    expansion = expand(text)
    tree = parsed(expansion.html)
    if tree is None:
        wall = wall_of(page.url, page.status, page.headers, text)
        stands = wall.kind if wall else None if text.strip() else EMPTY
        article = Article(availability=stands, encoding=encoding, extractor=extractor_version())
        return Reading(Findings(), article, wall=(wall.kind, wall.name) if wall else None)
    findings = findings_of_html(tree, page.url, page.most)
    shown = {embed.url: embed for embed in (*expansion.embeds, *embeds_of_html(tree, page.url, findings))}
    findings = replace(findings, embeds=tuple(shown.values()))
    if page.task == Task.FRAME:
        return Reading(findings)
    return _article(tree, page, text, encoding, findings)


def _format(page: Page) -> str | None:
    """Return the format of a body that is no page: "" for one of which nothing is known."""
    mime = (page.content_type or "unk").partition(";")[0].strip().lower()
    form = document_format(mime, page.body[:BEGINNING])
    return "" if form is None and mime in GENERIC and mime not in EXTRACTABLE else form


def _document(page: Page, form: str) -> Reading:
    """Return what is read in a document of a format of its own."""
    if not form:
        return Reading(Findings(), Article(extractor=extractor_version()))
    from pipeline.extract.office.read import read_office
    from pipeline.extract.pdf.read import read_pdf  # PDFium is loaded where there is such a document

    reading = read_pdf(page) if form == "pdf" else read_office(page, form)
    return Reading(reading.findings) if page.task == Task.FRAME else reading


def _or_wall(page: Page, findings: Findings) -> Reading:
    """Return what a feed or a sitemap holds, or the wall in its place."""
    if findings.outlinks or findings.feeds or findings.sitemaps:
        return Reading(findings)
    text = decode(page.body[:_MOST_TEXT], page.content_type)[0]
    wall = wall_of(page.url, page.status, page.headers, text)
    return Reading(findings, wall=(wall.kind, wall.name) if wall else None)


def _feed(page: Page) -> Findings:
    """Return a feed's entries; a page given in its place is asked for the feeds it names."""
    if _HTML.match(page.body) or "html" in (page.content_type or "").lower():
        tree = parsed(decode(page.body, page.content_type)[0][:_MOST_TEXT])
        found = findings_of_html(tree, page.url, page.most) if tree is not None else Findings()
        if found.feeds:
            return Findings(feeds=found.feeds)
    found = findings_of_feed(page.body, page.url, page.most)
    if found.problem and "html" in (page.content_type or "").lower():
        return Findings(problem="it is a page that names no feed")
    return found


def extract(page: Page) -> Article:
    """Return a page's article.

    One without any text when there is nothing to take. Raises whatever a hostile page provokes.
    """
    article = read(page).article
    assert article is not None, "the task asks for one"
    return article


def _article(tree: HtmlElement, page: Page, html: str, encoding: str, findings: Findings) -> Reading:
    url = page.url
    structured = structured_of(tree)
    wall = wall_of(url, page.status, page.headers, html)
    seen = shown(tree)
    mark_names(seen)
    body, no_text = _body(seen, url, structured)
    blocks = visible_blocks(seen)
    data = from_data(tree, blocks, body, url) if wall is None and not page.rendered else None
    body, no_text = (data, None) if data else (body, no_text)
    metadata, no_metadata, notes = _metadata(tree, url, structured)
    availability = wall.kind if wall else None
    if not wall and not no_text:
        availability = _stands(tree, body, structured, rendered=page.rendered)
    lacks = None
    if availability is None:
        body, lacks = whole_or_plain(blocks, body, failed=no_text is not None)
        availability = TEXT_INCOMPLETE if lacks and not no_text else None
    article = Article(
        text=body.text,
        comments=body.comments,
        links=tuple(outlink.url for outlink in findings.of(Hop.LINK)),
        images=tuple(outlink.url for outlink in findings.of(Hop.EMBED) if outlink.context.startswith("img/")),
        encoding=encoding,
        extractor=extractor_version(),
        embeds=findings.embeds,
        availability=availability,
        **metadata,
    )
    if not lacks and (data or is_from_data(blocks, body, structured.text)):
        notes = (*notes, TEXT_FROM_DATA)
    problem = "; ".join(filter(None, (no_text, lacks if no_text else None, no_metadata))) or None
    return Reading(findings, article, problem, notes, (wall.kind, wall.name) if wall else None, lacks)


def _stands(tree: HtmlElement, body: Body, structured: Structured, *, rendered: bool) -> str | None:
    """Return what stands in the page's place, or that nothing does."""
    emptiness = emptiness_of(tree, body.text, structured, rendered=rendered)
    return emptiness or availability_of(tree, body.text, structured=structured)


def _body(tree: HtmlElement, url: str, structured: Structured) -> tuple[Body, str | None]:
    """Return the text, and why there is none if a library failed."""
    with caught_inside() as caught:
        try:
            body = body_of(tree, url, structured, seen=True)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile page provokes, its metadata may be had
            body = Body()
            caught.append(one_line(error))
    return body, f"no text was extracted: {caught[-1]}" if caught and body.text is None else None


def _metadata(
    tree: HtmlElement, url: str, structured: Structured
) -> tuple[dict[str, Any], str | None, tuple[str, ...]]:
    """Return the metadata, why most is missing if a library failed, and what else was passed over."""
    with caught_inside() as caught:
        try:
            metadata, problem = metadata_of(tree, url, structured), None
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hostile page provokes, its text is kept
            metadata = bare_metadata_of(tree, url)
            problem = f"most metadata could not be extracted: {one_line(error)}"
    return metadata, problem, tuple(f"part of the metadata could not be extracted: {fault}" for fault in caught)


def to_markdown(page: Page) -> str:
    """Return a page's article as Markdown, headings, emphasis and links kept; empty when there is no text."""
    if (form := _format(page)) is not None:
        article = _document(page, form).article
        return markdown_of_document(article) if article is not None else ""
    text, _ = decode(page.body, page.content_type)
    if (page.content_type or "").lower().startswith("text/plain"):
        return text
    if is_xml(page.content_type):
        text = as_html(text)
    return markdown_of(expand(text).html, page.url)
