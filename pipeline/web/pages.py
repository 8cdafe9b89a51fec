"""Pages for people: search, a page's history, its text, and what changed in it. No script, no request to elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from archive.archive import Archive
from archive.diff import Kind, compare
from archive.errors import NoSuchSnapshot
from archive.model import Document, Snapshot
from archive.search import Hit
from archive.times import from_stamp, iso, stamp
from pipeline.web import raw
from pipeline.web.markup import Markup, e, marked, page, text

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NEWEST = 5000  # captures of a page that its history lists
_TEXT = 2_000_000  # characters of a text that is shown or compared

Search = Callable[[str], list[Hit]]


def shown(title: str, body: Markup, status: int = 200, question: str = "") -> Response:
    """A page of the interface."""
    return HTMLResponse(page(title, body, question), status, headers=HEADERS)


def home(_request: Request, archive: Archive) -> Response:
    """What can be asked for."""
    runs = archive.run_count()
    if not runs:
        hint = e("p", "Nothing is kept here yet. Put a page on record with: ", e("code", "onrecord capture URL"))
        return shown("An empty archive", hint)
    body = (
        e("p", "Look for words in what was captured, or for the address of a page.")
        + e("p", f"{runs:,} {'run is' if runs == 1 else 'runs are'} kept here.")
        + e("p", "Programs ask here too: see ", e("a", "what they can ask", href="/help"), ".")
    )
    return shown("What was on record", body)


def search(request: Request, archive: Archive, find: Search) -> Response:
    """Words lead to texts, an address to its history."""
    question = request.query_params.get("q", "").strip()[:500]
    if "://" in question and " " not in question:
        return RedirectResponse(f"/history/{_path(question)}", 302, headers=HEADERS)
    if not question:
        return RedirectResponse("/", 302, headers=HEADERS)
    if " " not in question and "." in question and next(archive.back(question), None) is not None:
        return RedirectResponse(f"/history/http://{_path(question)}", 302, headers=HEADERS)
    hits = find(question)
    if not hits:
        return shown(
            "Nothing found",
            e("p", "No text holds these words. Try fewer, or a word* with its ending left open."),
            200,
            question,
        )
    items = [
        e(
            "li",
            e("a", text(hit.title or hit.url), href=f"/read/{stamp(hit.timestamp)}/{_path(hit.url)}"),
            e("p", marked(hit.snippet), cls="snippet"),
            e("p", iso(hit.timestamp), " · ", text(hit.author or "author unknown"), " · ", text(hit.url), cls="about"),
        )
        for hit in hits
    ]
    return shown(f"{len(hits)} texts found", e("ol", *items, cls="hits"), 200, question)


def history(request: Request, archive: Archive) -> Response:
    """Every capture of a page, the newest first, with what became of it."""
    url = raw.target_of(request, "/history/")
    found = []
    for snapshot in archive.back(url):
        found.append(snapshot)
        if len(found) == _NEWEST:
            break
    if not found:
        raise NoSuchSnapshot(f"nothing is kept of {url}")
    texts = [each for each in found if each.document is not None]
    body = e("p", f"{len(found):,} captures, from {iso(found[-1].timestamp)} to {iso(found[0].timestamp)}.")
    body += e("p", text(url), cls="url")
    if len({each.document for each in texts}) > 1:
        body += e("p", e("a", "What changed from the first text to the newest", href=_compare(texts[-1], texts[0])))
    rows = dict(zip((each.record_id for each in found), _rows(found), strict=True))
    years: dict[int, list[Snapshot]] = {}
    for snapshot in found:
        years.setdefault(snapshot.timestamp.year, []).append(snapshot)
    for year, captures in years.items():
        body += (
            e("h2", str(year))
            + _months(captures)
            + e("ol", *(rows[each.record_id] for each in captures), cls="captures")
        )
    return shown(next((each.title for each in found if each.title), "Captures of a page"), body)


def _months(captures: list[Snapshot]) -> Markup:
    counts = [sum(each.timestamp.month == month for each in captures) for month in range(1, 13)]
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    cells = [
        e("td", e("span", name), e("b", str(count) if count else "-"))
        for name, count in zip(names, counts, strict=True)
    ]
    return e("table", e("caption", "Captures a month"), e("tr", *cells), cls="months")


def _rows(captures: list[Snapshot]) -> Iterator[Markup]:
    for number, snapshot in enumerate(captures):
        kind, words = _state(snapshot)
        digits, address = stamp(snapshot.timestamp), _path(snapshot.url)
        links = [e("a", "as it was", href=f"/web/{digits}id_/{address}")]
        earlier = next((each for each in captures[number + 1 :] if each.document is not None), None)
        if snapshot.document is not None:
            links.insert(0, e("a", "text", href=f"/read/{digits}/{address}"))
            if earlier is not None and earlier.document != snapshot.document:
                links.append(e("a", "what changed", href=_compare(earlier, snapshot)))
        time = e("time", iso(snapshot.timestamp), datetime=iso(snapshot.timestamp))
        yield e("li", time, e("span", words, cls=f"state {kind}"), e("span", *_spaced(links)))


def _spaced(parts: list[Markup]) -> Iterator[Markup | str]:
    for number, part in enumerate(parts):
        yield part if not number else Markup(" · ") + part


def _state(snapshot: Snapshot) -> tuple[str, str]:
    if snapshot.is_tombstone:
        return "gone", f"✕ {snapshot.availability or snapshot.status}"
    if snapshot.availability:
        return "wall", f"▲ {snapshot.availability}"
    if snapshot.is_redirect:
        return "moved", "→ leads elsewhere"
    return ("same", "= unchanged") if snapshot.revisit else ("new", "● new")


def read(request: Request, archive: Archive) -> Response:
    """The clean text of a capture, and where its evidence lies."""
    digits = request.path_params["digits"]
    snapshot, document = _document(archive, raw.target_of(request, f"/read/{digits}/"), digits)
    article = document.article
    about = [part for part in (article.author, article.date, article.sitename) if part]
    lines = [e("p", text(line)) for line in (article.text or "").replace("\r", "").split("\n") if line.strip()]
    language = article.language if article.language and article.language.isalnum() else ""
    body = e("p", text(" · ".join(about)), cls="about") if about else Markup("")
    body += _neighbours(archive, snapshot)
    body += e("article", *lines, dir="auto", lang=language) if lines else e("p", "This capture has no text.")
    works = [
        e("li", text(f"{embed.kind}: {embed.url}"), " ", text(embed.reason or "captured")) for embed in article.embeds
    ]
    if works:
        body += e("h2", "Works it shows") + e("ul", *works)
    return shown(article.title or "A text", body + _evidence(snapshot, document))


def _document(archive: Archive, url: str, digits: str) -> tuple[Snapshot, Document]:
    snapshot = archive.near(url, from_stamp(digits))
    if snapshot is None:
        raise NoSuchSnapshot(f"nothing is kept of {url}")
    document = archive.document(snapshot)
    if document is None:
        raise NoSuchSnapshot(f"the capture of {iso(snapshot.timestamp)} has no text")
    if len(document.article.text or "") > _TEXT:
        raise NoSuchSnapshot("the text is too long for a page; take it with: onrecord get")
    return snapshot, document


def _neighbours(archive: Archive, snapshot: Snapshot) -> Markup:
    before, after = raw.neighbours(archive, snapshot)
    links = [e("a", "all captures", href=f"/history/{_path(snapshot.url)}")]
    if before is not None and before.document is not None:
        links.insert(0, e("a", "← earlier", href=f"/read/{stamp(before.timestamp)}/{_path(before.url)}"))
    if after is not None and after.document is not None:
        links.append(e("a", "later →", href=f"/read/{stamp(after.timestamp)}/{_path(after.url)}"))
    return e("nav", *_spaced(links), aria_label="Other captures")


def _evidence(snapshot: Snapshot, document: Document) -> Markup:
    entries = {
        "Address": snapshot.url,
        "Captured": iso(snapshot.timestamp),
        "Record": snapshot.record_id,
        "Payload": snapshot.digest,
        "Lies in": f"{snapshot.record.key}, byte {snapshot.record.offset:,}",
        "Text by": document.article.extractor,
    }
    parts = [part for name, value in entries.items() for part in (e("dt", name), e("dd", text(value)))]
    link = e("a", "The page as it was captured", href=f"/web/{stamp(snapshot.timestamp)}id_/{_path(snapshot.url)}")
    return e("section", e("h2", "Evidence"), e("dl", *parts), e("p", link), cls="evidence")


def comparison(request: Request, archive: Archive) -> Response:
    """Two texts of a page in one, and the way through all pairs of neighbours."""
    first, second = request.path_params["first"], request.path_params["second"]
    url = raw.target_of(request, f"/compare/{first}/{second}/")
    (old, before), (new, after) = (_document(archive, url, digits) for digits in (first, second))
    pieces = compare(before.article.text or "", after.article.text or "")
    tags = {Kind.SAME: "span", Kind.DELETED: "del", Kind.INSERTED: "ins"}
    changed = any(piece.kind != Kind.SAME for piece in pieces)
    body = e("nav", *_spaced(list(_steps(archive, url, new))), aria_label="Other pairs")
    for word, snapshot in (("Before", old), ("After", new)):
        body += e("p", f"{word}: {iso(snapshot.timestamp)} ", e("code", text(snapshot.record_id)), cls="about")
    body += e("p", "Taken out is struck through, put in is underlined." if changed else "The texts are the same.")
    body += e("article", *(e(tags[piece.kind], text(piece.text)) for piece in pieces), dir="auto", cls="diff")
    return shown(f"What changed: {new.title or url}", body)


def _steps(archive: Archive, url: str, new: Snapshot) -> Iterator[Markup]:
    texts: list[Snapshot] = []
    for snapshot in archive.snapshots(url):
        if snapshot.document is not None and (not texts or texts[-1].document != snapshot.document):
            texts.append(snapshot)
    documents = [each.document for each in texts]
    at = documents.index(new.document) if new.document in documents else 0
    if at >= 2:
        yield e("a", "← the change before", href=_compare(texts[at - 2], texts[at - 1]))
    yield e("span", f"text {at + 1} of {len(texts)}")
    if at + 1 < len(texts):
        yield e("a", "the next change →", href=_compare(texts[at], texts[at + 1]))
    yield e("a", "all captures", href=f"/history/{_path(url)}")


def _compare(old: Snapshot, new: Snapshot) -> str:
    return f"/compare/{stamp(old.timestamp)}/{stamp(new.timestamp)}/{_path(new.url)}"


def _path(url: str) -> str:
    """A URL as it stands in a path of ours."""
    return quote(url, safe="/:?&=%~!$'()*+,;@")
