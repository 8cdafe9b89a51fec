"""A snapshot's clean text with the evidence it was made from; and the captured page in its sandbox."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.errors import NoSuchSnapshot
from archive.model import Article, Snapshot
from archive.times import iso, stamp
from pipeline.web.common.archive_reader import asked_url
from pipeline.web.common.page_pictures import PagePictures
from pipeline.web.pages.page import Frame, moment_of, number_of, walls
from pipeline.web.pages.paged_text import paged
from pipeline.web.pages.snapshot_state import entries_of, shows_a_text
from pipeline.web.pages.text_html import link, prose_of

_LONGEST = 2_000_000  # characters of a text on one page
_LANGUAGE_LENGTH = 35
_LONGEST_QUESTION = 500  # characters
_FORMS = {"final": "urn:dom:", "picture": "urn:fullPageFinal:"}  # what is shown first, and what stands before the URL
_MOST_GROUPS = 99_999  # of pages of a document


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the reader view, the captured page, and pictures of the pages of documents."""
    pictures = PagePictures(frame.reading)
    return [
        frame.route("/picture", lambda request: _picture(frame, pictures, request)),
        frame.route("/read", lambda request: _read(frame, request)),
        frame.route("/page", lambda request: _page(frame, request)),
    ]


def asked(frame: Frame, request: Request) -> tuple[Snapshot, list[Snapshot]]:
    """Return the snapshot that is asked for by `url` and `at`, and all of its URL; without `at`, the newest text."""
    url = asked_url(request.query_params.get("url", ""))
    at = request.query_params.get("at", "")
    found = frame.reading.snapshots(url)
    if not at:
        entries = entries_of(frame.reading, found)
        shown = [it.snapshot for it in entries if shows_a_text(it.snapshot, it.judged)] or found
        moment = shown[-1].timestamp if shown else datetime.max
        archive = frame.reading.archive
        newest = next(archive.newest_first(shown)) if shown else frame.reading.snapshot(url, moment)
        return archive.checked(newest), found
    return frame.reading.snapshot(url, moment_of(at, "at")), found


def _read(frame: Frame, request: Request) -> Response:
    snapshot, found = asked(frame, request)
    document = frame.reading.document(snapshot)
    article = document.article if document else Article()
    text = article.text or ""
    looked_for = request.query_params.get("q", "")[:_LONGEST_QUESTION]
    shown = None
    if article.structure is not None and article.structure.format == "pdf" and article.structure.pages:
        group = request.query_params.get("page", "")
        shown = paged(article, article.structure, looked_for, number_of(group, _MOST_GROUPS) if group else 0)
    values = {
        **around(frame, snapshot, found),
        "document": document,
        "article": article,
        "language": (article.language or "")[:_LANGUAGE_LENGTH],
        "paged": shown,
        "asked": {"url": snapshot.url, "at": stamp(snapshot.timestamp), "q": looked_for},
        "prose": None if shown else prose_of(_without_title(text[:_LONGEST], article.title)),
        "cut": shown is None and len(text) > _LONGEST,
        "comments": prose_of(article.comments[:_LONGEST]) if article.comments else None,
        "embeds": [(embed, link(embed.url, embed.url)) for embed in article.embeds],
        "evidence": technical(snapshot),
        "host": urlsplit(snapshot.url).netloc or snapshot.url,
        "words": frame.reading.archive.annotations.said().of(snapshot),
    }
    return frame.render(request, "reader.html", values)


def _picture(frame: Frame, pictures: PagePictures, request: Request) -> Response:
    """Answer with the picture of a page of a PDF capture."""
    snapshot, _ = asked(frame, request)
    document = frame.reading.document(snapshot)
    structure = document.article.structure if document else None
    number = request.query_params.get("number", "")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 0
    if structure is None or structure.format != "pdf" or not 1 <= page <= len(structure.pages):
        raise NoSuchSnapshot(f"there is no page {number[:20]!r} of a PDF file here")
    headers = walls() | {"Content-Type": "image/png", "Cache-Control": "private, max-age=600"}
    return Response(pictures.picture(snapshot, page), headers=headers)


def _page(frame: Frame, request: Request) -> Response:
    """Answer with the captured page: as a browser had it in the end, its picture, or as the server sent it."""
    snapshot, found = asked(frame, request)
    try:
        page = frame.reading.nearest(snapshot.url, snapshot.timestamp, standing=False)
    except NoSuchSnapshot:  # a redirect to what is not kept
        page = snapshot
    made = {name: frame.reading.made_of(page, form) for name, form in _FORMS.items()}
    forms = {name: it for name, it in {**made, "sent": snapshot}.items() if it is not None}
    wanted = request.query_params.get("form", "")
    form = wanted if wanted in forms else next(iter(forms))
    values = {**around(frame, snapshot, found), "forms": list(forms), "form": form, "shown": forms[form]}
    return frame.render(request, "page.html", values)


def around(frame: Frame, snapshot: Snapshot, found: list[Snapshot]) -> dict[str, object]:
    """Return a snapshot between the one before it and the one after it."""
    entries = entries_of(frame.reading, found)
    entry = next((it for it in entries if it.snapshot == snapshot), entries[-1])
    place = entries.index(entry)
    times = [it.timestamp for it in found]
    before = bisect_left(times, snapshot.timestamp)
    after = next((it for it in found[place + 1 :] if it.timestamp > snapshot.timestamp), None)
    return {
        "snapshot": snapshot,
        "state": entry.state,
        "earlier": entry.earlier,
        "since": frame.reading.dated(snapshot).notes(),
        "previous": found[before - 1] if before else None,
        "following": after,
        "number": place + 1,
        "count": len(found),
    }


def _without_title(text: str, title: str | None) -> str:
    """Many texts begin with their title, which stands above them here."""
    first, _, rest = text.partition("\n")
    return rest if title and first.strip().lstrip("# ").casefold() == title.strip().casefold() else text


def technical(snapshot: Snapshot) -> list[tuple[str, str]]:
    """Return what ties the text to the bytes, in the words of the formats."""
    payload = snapshot.payload
    rows = [
        ("Record", snapshot.record_id),
        ("Payload digest", snapshot.digest),
        ("Captured", iso(snapshot.timestamp)),
        ("Run", snapshot.run),
        ("Object", snapshot.record.key),
        ("Offset, length", f"{snapshot.record.offset}, {snapshot.record.length}"),
    ]
    if snapshot.revisit:
        rows.append(("Payload lies in", f"{payload.record_id} of {iso(payload.timestamp)}"))
        rows.append(("its object", f"{payload.record.key} at {payload.record.offset}"))
    if snapshot.recovered:
        rows.append(("Recovered from", snapshot.recovered))
    if snapshot.session:
        rows.append(("Made with a session", snapshot.session))
    if snapshot.truncated:
        rows.append(("Truncated", snapshot.truncated))
    return rows
