"""A word processor's document as an article: its text by paragraph, metadata and structure."""

from __future__ import annotations

from collections.abc import Callable

from archive.model import Article, OutlineEntry, Structure
from pipeline.discover.outlinks import Collector, Findings, Hop
from pipeline.extract.document_text import Part, assembled
from pipeline.extract.extractor_version import extractor_version
from pipeline.extract.office.content import Content
from pipeline.extract.office.docx import read_docx
from pipeline.extract.office.odt import read_odt
from pipeline.extract.office.package import NotRead
from pipeline.extract.tasks import Page, Reading

_READERS: dict[str, Callable[[bytes], Content | None]] = {"docx": read_docx, "odt": read_odt}


def read_office(page: Page, form: str) -> Reading:
    """Return a document's text, metadata, structure and links; raises what a hostile file provokes in a library."""
    try:
        content = _READERS[form](page.body)
    except NotRead as error:
        structure = Structure(form, lacks_text=error.outcome)
        article = Article(structure=structure, extractor=extractor_version())
        return Reading(Findings(), article, str(error), outcome=error.outcome)
    if content is None:  # another kind of ZIP file
        return Reading(Findings(), Article(extractor=extractor_version()))
    links = Collector(page.url, page.most)
    for address in content.links:
        links.add(address, Hop.LINK, f"{form}/hyperlink")
    parts: list[Part] = [(kind, text, ()) for kind, text in content.paragraphs]
    text, passages = assembled([*parts, *(("note", note, ()) for note in content.notes)])
    lack = None if text else "no-text-layer"
    outline = tuple(OutlineEntry(level, title) for level, title in content.outline)
    properties = tuple(content.properties.items())
    structure = Structure(form, paragraphs=passages, outline=outline, properties=properties, lacks_text=lack)
    findings = Findings(links.outlinks, left_out=links.left_out)
    article = _article(content, text, links, structure)
    if lack:
        return Reading(findings, article, "the document has no text", outcome=lack)
    return Reading(findings, article)


def _article(content: Content, text: str, links: Collector, structure: Structure) -> Article:
    stated = content.properties
    created = stated.get("created") or stated.get("creation-date") or ""
    words = stated.get("keywords") or stated.get("keyword") or ""
    return Article(
        title=stated.get("title") or next((text for kind, text in content.paragraphs if kind == "heading"), None),
        text=text or None,
        author=stated.get("initial-creator") or stated.get("creator"),
        date=created[:10] if len(created) >= len("2024-03-05") else None,
        description=stated.get("description") or stated.get("subject"),
        language=stated.get("language"),
        tags=tuple(dict.fromkeys(word.strip() for word in words.replace(";", ",").split(",") if word.strip())),
        links=tuple(link.url for link in links.outlinks),
        extractor=extractor_version(),
        structure=structure,
    )
