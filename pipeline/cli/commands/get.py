"""`onrecord get`: a past snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.interrupted import note_waiting
from pipeline.cli.lookup_note import note_lookup, same_text, when
from pipeline.cli.output import harmless, json_line, plain
from pipeline.cli.output_file import to_file
from pipeline.cli.time_params import Time
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.errors import NoSuchSnapshot
    from archive.model import Document, Snapshot
    from archive.page_history import Dated
    from archive.states import SnapshotState
    from pipeline.extract.tasks import Page

_PIECE = 1 << 20
_VISIT = timedelta(hours=1)  # between a page's capture and what was made of it
_DECODED_LIMIT = 4_000_000_000  # bytes: what is printed is streamed, so only a bomb meets this
_PAGE_LIMIT = 100_000_000  # bytes of a page that is converted in memory
_PAGE_TIME = 60.0  # seconds
_PAGE_MEMORY = 2_000_000_000  # bytes
_PROSE = frozenset({"text", "markdown"})
_TO_MARKDOWN = "pipeline.extract.article:to_markdown"


@click.command("get")
@click.argument("url")
@click.option(
    "--at", type=Time(), help="The time to be nearest to: 14 digits, ISO 8601, or '2 days ago'.  [default: newest]"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "html", "raw", "record", "png", "pdf"]),
    default="text",
    show_default=True,
    help="Clean text; Markdown; the document with its metadata, and of a PDF with the places of its paragraphs; the "
    "page as the server meant it; the response as it was on the wire; the WARC record; the picture of the page, or its "
    "print (the file itself where it is a PDF), as a browser made them.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.  [default: stdout]"
)
@withheld_option
@click.pass_obj
def command(context: Context, url: str, at: datetime | None, form: str, output: Path | None, withheld: bool) -> None:
    """Print a past snapshot of a URL: the newest, or the one nearest to a time.

    Redirects are followed within the archive. A page that is gone (404, 410) never hides an earlier good snapshot
    unless a time is named. One line on stderr says of when the snapshot is, and what is known of the page since.

    Example: onrecord get https://example.org/post --at 20261101 --format markdown
    """
    from archive.page_history import newest_shown

    archive = context.open_reader(withheld=withheld)
    note_waiting(context, url)
    snapshot = archive.closest(url, at) if at else newest_shown(archive, url, same_text)
    found = when(archive, snapshot, at)
    form = "json" if context.as_json else form
    pieces = _json(archive, found) if form == "json" else _FORMS[form](archive, snapshot)
    first = next(pieces, b"")  # what cannot be had fails before a file is begun
    if form in _PROSE and found.state and not found.state.shows_page:
        first = _instead(found.state) + first
    note_lookup(context, url, found)
    with to_file(output) as stream:
        stream.write(first)
        for piece in pieces:
            stream.write(piece)


def _text(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    article = _document(archive, snapshot).article
    if article.structure is not None and article.structure.lacks_text:
        raise _without_text(article.structure.lacks_text)
    text = article.text or ""
    yield harmless(text).rstrip("\n").encode() + b"\n"


def _instead(state: SnapshotState) -> bytes:
    """Return the line before a text that is not the page's own."""
    return f"[This snapshot does not show the page: {plain(state.words, 300)}]\n\n".encode()


def _json(archive: Reader, found: Dated) -> Iterator[bytes]:
    from archive.times import iso

    snapshot = found.snapshot
    document = _document(archive, snapshot)
    entry = {
        "url": snapshot.url,
        "timestamp": iso(snapshot.timestamp),
        **found.fields(),
        "status": snapshot.status,
        "record_id": snapshot.record_id,
        "payload_digest": snapshot.digest,
        "key": snapshot.record.key,
        "offset": snapshot.record.offset,
        "text_made_from": document.rendered.record_id if document.rendered else document.record_id,
        **asdict(document.article),
    }
    entry["embeds"] = [_present(asdict(embed)) for embed in document.article.embeds]
    yield json_line(_present(entry)) + b"\n"


def _present(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value not in (None, (), [], "")}


def _markdown(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    """Made now, in a process of its own: a page can take any time and memory, or end the process."""
    from archive.errors import NoSuchSnapshot
    from pipeline.extract.worker_pool import TaskFailure, WorkerPool

    page = _page(archive, snapshot)
    with WorkerPool[str](_TO_MARKDOWN, 1, time_limit=_PAGE_TIME, memory_limit=_PAGE_MEMORY) as pool:
        try:
            text = pool.submit(page).result()
        except TaskFailure as failure:
            raise NoSuchSnapshot(
                f"no Markdown can be made of the page ({plain(str(failure), 200)}); take it with --format html"
            ) from failure
    document = archive.document(snapshot)
    structure = document.article.structure if document else None
    if not text and structure is not None and structure.lacks_text:
        raise _without_text(structure.lacks_text)
    yield harmless(text).rstrip("\n").encode() + b"\n"


def _without_text(outcome: str) -> NoSuchSnapshot:
    from archive.errors import NoSuchSnapshot

    return NoSuchSnapshot(f"the document has no text ({plain(outcome)}); take the file with --format html -o FILE")


def _html(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    from archive.warc import decoded

    head, _, entity = archive.payload(snapshot)
    return decoded(entity, head.content_encoding, _DECODED_LIMIT)


def _raw(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    """Return the response block; a revisit's is that of the record that holds its payload."""
    record = archive.payload_record(snapshot)
    return iter(lambda: record.block.read(_PIECE), b"")


def _record(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    record = archive.read(snapshot)
    yield record.head_bytes()
    yield from iter(lambda: record.block.read(_PIECE), b"")
    yield b"\r\n\r\n"


def _png(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    return _html(archive, _made(archive, snapshot, "image/png", ("urn:fullPageFinal:", "urn:view:")))


def _pdf(archive: Reader, snapshot: Snapshot) -> Iterator[bytes]:
    return _html(archive, _made(archive, snapshot, "application/pdf", ("urn:pdf:",)))


def _made(archive: Reader, snapshot: Snapshot, mime: str, forms: tuple[str, ...]) -> Snapshot:
    """Return the capture itself where it is of a type, else what a browser made of it; raises NoSuchSnapshot."""
    from archive.errors import NoSuchSnapshot
    from archive.times import iso

    if snapshot.mime == mime:
        return snapshot
    for form in forms:
        end = snapshot.timestamp + _VISIT
        found = archive.snapshots(form + snapshot.url, start=snapshot.timestamp, end=end)
        if made := next((each for each in found if each.run == snapshot.run and not each.withheld), None):
            return made
    option = "--browser" if mime == "image/png" else "--browser --pdf"
    raise NoSuchSnapshot(
        f"no {mime} was made of the snapshot of {iso(snapshot.timestamp)}: capture the page with {option}, or name the "
        "time of a capture that was made so with --at"
    )


_FORMS: dict[str, Callable[[Reader, Snapshot], Iterator[bytes]]] = {
    "text": _text,
    "markdown": _markdown,
    "html": _html,
    "raw": _raw,
    "record": _record,
    "png": _png,
    "pdf": _pdf,
}


def _document(archive: Reader, snapshot: Snapshot) -> Document:
    from archive.errors import NoSuchSnapshot
    from archive.times import iso

    document = archive.document(snapshot)
    if document is None:
        raise NoSuchSnapshot(
            f"the snapshot of {iso(snapshot.timestamp)} ({snapshot.status}, {snapshot.mime}) has no text; "
            "take its bytes with --format html or raw"
        )
    return document


def _page(archive: Reader, snapshot: Snapshot) -> Page:
    from archive.warc import decoded
    from pipeline.extract.tasks import Page

    document = archive.document(snapshot)
    head, _, entity = archive.page_body(snapshot, document.rendered if document else None)
    body = b"".join(decoded(entity, head.content_encoding, _PAGE_LIMIT))
    return Page(snapshot.url, body, head.header("Content-Type"))
