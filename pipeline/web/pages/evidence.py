"""What proves a snapshot, in sentences, checked when the page is opened; and the files that prove it to others."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, BinaryIO, cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from archive.errors import IntegrityError, NoSuchSnapshot, NothingSigned
from archive.model import Article, Snapshot
from archive.times import now, stamp
from pipeline.export.evidence_parts import beside
from pipeline.export.export import export_wacz
from pipeline.export.selection import Wanted
from pipeline.web.common.archive_reader import BadQuestion, Reading
from pipeline.web.common.responses import Streamed
from pipeline.web.pages.citation import citation_of
from pipeline.web.pages.page import Frame, walls
from pipeline.web.pages.reader_view import around, asked, technical

_HELD = 8 << 20  # bytes of a file that stay in memory while it is made
_PIECE = 1 << 16
_WAIT = 60.0  # seconds that a file waits for the one that is being made

Write = Callable[[BinaryIO], object]


@dataclass(frozen=True, slots=True)
class Check:
    """What reading a snapshot's payload found: how many bytes, when, and the fault if there is one."""

    read: int
    at: datetime
    fault: str | None = None


class Files:
    """Makes files for download, one at a time: each reads whole runs."""

    def __init__(self) -> None:
        self._one = threading.Lock()

    def made(self, write: Write, name: str, kind: str) -> Response:
        """Return a file as a response; raises what `write` raises, and BadQuestion while another is being made."""
        if not self._one.acquire(timeout=_WAIT):
            raise BadQuestion("another file is being made; try again in a minute")
        file = tempfile.SpooledTemporaryFile(_HELD)  # noqa: SIM115 (the answer closes it, once it is sent)
        try:
            write(cast("BinaryIO", file))
            size = file.seek(0, 2)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        finally:
            self._one.release()
        headers = walls() | {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(size)}
        return Streamed(_pieces(file), media_type=kind, headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece


def routes(frame: Frame) -> list[BaseRoute]:
    """Return the page of evidence, and the two files."""
    files = Files()
    return [
        frame.route("/evidence", lambda request: _evidence(frame, request)),
        frame.route("/bundle", lambda request: _bundle(frame, files, request)),
        frame.route("/wacz", lambda request: _wacz(frame, files, request)),
    ]


def _evidence(frame: Frame, request: Request) -> Response:
    snapshot, found = asked(frame, request)
    document = frame.reading.document(snapshot)
    article = document.article if document else Article()
    values = {
        **around(frame, snapshot, found),
        "title": article.title or snapshot.title or snapshot.url,
        "host": urlsplit(snapshot.url).netloc or snapshot.url,
        "check": check(frame.reading, snapshot),
        "citation": citation_of(snapshot, document),
        "evidence": technical(snapshot),
        "extractor": article.extractor,
    }
    return frame.render(request, "evidence.html", values)


def check(reading: Reading, snapshot: Snapshot) -> Check:
    """Read a snapshot's payload to its end, so that its digest is computed and compared; raises StoreError."""
    read = 0
    try:
        _, _, entity = reading.archive.payload(snapshot)
        for piece in entity:
            read += len(piece)
    except IntegrityError as error:
        return Check(read, now(), str(error))
    return Check(read, now())


def _bundle(frame: Frame, files: Files, request: Request) -> Response:
    snapshot, _ = asked(frame, request)
    archive = frame.reading.archive
    name = f"evidence-{stamp(snapshot.timestamp)}.zip"

    def write(file: BinaryIO) -> None:
        archive.create_bundle(snapshot, file, None, beside(archive, snapshot.url, snapshot))

    try:
        return files.made(write, name, "application/zip")
    except NothingSigned as error:
        raise NoSuchSnapshot(
            "no signed checkpoint covers this snapshot yet; the keeper of the archive makes one: "
            "onrecord evidence checkpoint"
        ) from error


def _wacz(frame: Frame, files: Files, request: Request) -> Response:
    snapshot, _ = asked(frame, request)
    wanted = Wanted(snapshot.url, "exact", snapshot.timestamp, snapshot.timestamp)
    name = f"page-{stamp(snapshot.timestamp)}.wacz"
    return files.made(lambda file: export_wacz(frame.reading.archive, wanted, file), name, "application/wacz+zip")
