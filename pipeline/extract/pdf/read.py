"""A PDF file's article: its text by paragraph, metadata and structure, or the name of what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archive.model import Article, Structure
from pipeline.discover.outlinks import Collector, Findings
from pipeline.extract.document_text import Part, assembled
from pipeline.extract.extractor_version import extractor_version
from pipeline.extract.pdf.metadata import Facts, facts_of, outline_of
from pipeline.extract.pdf.opened import NotOpened, opened
from pipeline.extract.pdf.pages import Read, read_pages
from pipeline.extract.pdf.paragraphs import Paragraph
from pipeline.extract.pdf.repair import Repaired
from pipeline.extract.tasks import Page, Reading

_UNMAPPED = 0.5  # share of characters without a meaning from which on a text is none
_SOME_UNMAPPED = 0.02
_LONGEST_TITLE = 300  # characters
_LISTED = 12  # pages that a note names


@dataclass(frozen=True, slots=True)
class _Lack:
    """What a text lacks: an outcome and its reason."""

    outcome: str
    reason: str


def read_pdf(page: Page) -> Reading:
    """Return a PDF's text, metadata, structure and links; raises what a hostile file provokes in a library."""
    try:
        with opened(page.body) as (document, repair):
            links = Collector(page.url, page.most)
            read = read_pages(document, links)
            facts = facts_of(document, page.body, whole=repair is None)
            outline = outline_of(document)
    except NotOpened as error:
        structure = Structure("pdf", lacks_text=error.outcome)
        article = Article(structure=structure, extractor=extractor_version())
        return Reading(Findings(), article, str(error), outcome=error.outcome)
    lack = _lack(read, repair)
    notes = tuple(_notes(read, repair))
    text, passages = assembled(_parts(read, facts)) if lack is None or lack.outcome == "text-incomplete" else ("", ())
    structure = Structure(
        "pdf",
        pages=tuple(read.sizes),
        paragraphs=passages,
        outline=outline,
        fields=tuple(facts.fields),
        properties=tuple(facts.properties.items()),
        notes=notes,
        lacks_text=lack.outcome if lack and not text else None,
    )
    outlinks = links.outlinks
    article = Article(
        title=facts.title or _title_in(read.text),
        text=text or None,
        author=facts.author,
        date=facts.day,
        description=facts.first("xmp:description", "Subject"),
        language=facts.first("Lang", "xmp:language"),
        tags=_keywords(facts),
        links=tuple(link.url for link in outlinks),
        extractor=extractor_version(),
        structure=structure,
    )
    findings = Findings(outlinks, left_out=links.left_out)
    all_notes = (*notes, *facts.problems)
    if lack is None:
        return Reading(findings, article, notes=all_notes)
    return Reading(findings, article, lack.reason, all_notes, outcome=lack.outcome)


def _lack(read: Read, repair: Repaired | None) -> _Lack | None:
    """Return what keeps a document from having its whole text; None where nothing does."""
    if read.cut:
        where = f"the text ends before page {len(read.sizes) + 1:,} of {read.count:,}"
        return _Lack("text-incomplete", f"{where}: {read.cut}")
    every = read.characters + read.unmapped
    if read.unmapped > _UNMAPPED * every:
        reason = "the document's fonts do not say which letters they draw"
        return _Lack("no-unicode-map", f"{reason}: {read.unmapped:,} of {every:,} characters have no Unicode value")
    if repair is not None and repair.pages != repair.stated:
        of = f" of {repair.stated:,}" if repair.stated else ""
        return _Lack("text-incomplete", f"the PDF file is damaged: {repair.pages:,}{of} pages were found in it")
    readable = read.count - len(read.failed)
    if not read.text and not read.notes:
        scanned = f": {len(read.scans)} of {read.count} pages are pictures" if read.scans else ""
        return _Lack("no-text-layer", f"the document has no text layer{scanned}")
    if read.scans and len(read.scans) + len(read.blank) >= readable:
        return _Lack(
            "no-text-layer", f"the document has no text layer: {len(read.scans)} of {read.count} pages are pictures"
        )
    if read.failed or (len(read.blank) > 1 and 2 * len(read.blank) > read.count):
        numbers = _listed(sorted([*read.failed, *read.blank]))
        return _Lack("text-incomplete", f"of {read.count} pages, nothing can be read on {numbers}: the file is damaged")
    return None


def _notes(read: Read, repair: Repaired | None) -> Iterator[str]:
    """Yield what a reader of the text should know."""
    if repair is not None:
        yield f"the PDF file is damaged; it was read after a repair, which found {repair.pages:,} pages"
    if read.has_ocr:
        yield "the text is an OCR layer: what a program read in pictures of the pages"
    if read.scans:
        yield f"no text layer on {_listed(read.scans)}"
    every = read.characters + read.unmapped
    if read.unmapped > _SOME_UNMAPPED * every:
        yield f"{read.unmapped:,} of {every:,} characters have no Unicode value"


def _listed(numbers: list[int]) -> str:
    """Return the numbers of pages in a few words."""
    named = ", ".join(map(str, numbers[:_LISTED]))
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return f"page{'s' if len(numbers) > 1 else ''} {named}{more}"


def _parts(read: Read, facts: Facts) -> Iterator[Part]:
    """Yield the paragraphs of the text, the values of the form, the notes."""
    for paragraph in read.text:
        yield "heading" if paragraph.heading else "text", paragraph.text, _boxes(paragraph)
    for name, value in facts.fields:
        yield "field", f"{name}: {value}", ()
    for paragraph in read.notes:
        yield "note", paragraph.text, _boxes(paragraph)


def _boxes(paragraph: Paragraph) -> tuple[tuple[float, ...], ...]:
    return tuple((page, *box) for page, box in paragraph.boxes)


def _title_in(text: list[Paragraph]) -> str | None:
    """Return the largest heading of the first page."""
    first = [each for each in text[:40] if each.heading and each.boxes and each.boxes[0][0] == 1]
    best = max(first, key=lambda each: each.size, default=None)
    return best.text[:_LONGEST_TITLE] if best else None


def _keywords(facts: Facts) -> tuple[str, ...]:
    words = facts.properties.get("Keywords", "")
    parted = words.split(";") if ";" in words else words.split(",")
    return tuple(dict.fromkeys(word.strip() for word in parted if word.strip()))[:100]
