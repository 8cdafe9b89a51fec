"""An archive with a past: pages that were edited, went behind walls and vanished, over three years; and two origins."""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from archive.archive import Archive
from archive.model import Article, Document, Embed, Snapshot
from archive.runs.warc_files import RunSettings
from pipeline.watch.history import Ledger
from pipeline.web.api.feeds import Feeds
from pipeline.web.app import create_app
from pipeline.web.common.archive_reader import Reading
from pipeline.web.replay.app import create_replay
from storage.base import ObjectStore
from storage.memory import MemoryStore
from tests.exchanges import an_exchange

COURT = "https://gazette.example/open-court"
TAX = "https://gazette.example/harbour-tax"
TRAIN = "https://gazette.example/night-trains"
ARABIC = "https://jaridat.example/الرصيف"
JAPANESE = "https://kawaraban.example/minato"
WALLED = "https://ledger.example/dredging"
PICTURE = "https://gazette.example/img/quay.png"
STYLE = "https://gazette.example/paper.css"

_STYLE = b"@import 'type.css'; body{max-width:40em;margin:2em auto;color:#123} h1{border-bottom:3px double}"
_TYPE = b"body{font:18px/1.6 Georgia,serif} blockquote{background:url(img/quay.png)}"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63e0909500000082004169c25c"
    "8f0000000049454e44ae426082"
)

COURT_TEXTS = [
    (
        "An open court, at last\nThe bench has decided that hearings of the harbour court are open to whoever walks in. It "
        "took eleven years and four clerks to get there.\nThe port authority knew of the closed sessions and kept silent. Its "
        "chairman should resign, and he should do so before the council meets.\n## What the ruling says\nThree things follow "
        "from it:\n- hearings are announced a week ahead;\n- the register may be read by anyone;\n- reasons are given in "
        "writing.\n> A court that sits behind a door is a committee.\nCounsel for the port says it will read the ruling "
        "before it says anything, which would be new. The ruling is at https://court.example/rulings/2024-17."
    ),
]
COURT_TEXTS.append(
    COURT_TEXTS[0].replace("knew of the closed sessions and kept silent", "may have known of the closed sessions")
)
COURT_TEXTS.append(
    COURT_TEXTS[1]
    .replace("should resign, and he should do so", "has questions to answer, and he should do so")
    .replace("- the register may be read by anyone;\n", "")
)
COURT_TEXTS.append(COURT_TEXTS[2] + "\nCorrection: an earlier version of this column named the wrong council.")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Library:
    """Puts captures into an archive, a run each."""

    archive: Archive
    runs: list[str] = field(default_factory=list)

    @classmethod
    def empty(cls, folder: Path, store: ObjectStore | None = None) -> Library:
        archive = Archive(store or MemoryStore(), spool=folder / "spool", cache=folder / "cache")
        archive.prepare()
        return cls(archive)

    def keep(self, *captures: tuple[str, datetime, dict[str, Any]]) -> list[Snapshot]:
        """Commit captures as a run; each is a URL, a time, and what `_capture` takes."""
        session = self.archive.session(RunSettings("test/1"))
        kept = [_capture(session, url, moment, **more) for url, moment, more in captures]
        manifest = session.commit()
        assert manifest is not None
        self.runs.append(manifest.run)
        self.archive.refresh()
        return kept


def _capture(
    session: Any,
    url: str,
    moment: datetime,
    *,
    body: bytes | None = None,
    text: str | None = None,
    title: str = "",
    status: int = 200,
    kind: str = "text/html; charset=utf-8",
    head: str = "",
    **article: Any,
) -> Snapshot:
    if body is None:
        body = _page(title, text or "", article.get("language", "en"))
    lines = f"Content-Type: {kind}\r\n{head}".encode()
    snapshot: Snapshot = session.add(
        an_exchange(url, body, at=moment, status=status, head=lines), page=text is not None
    )
    if text is not None and not snapshot.revisit:
        made = Article(
            title=title, text=text, extractor="trafilatura 2.3.1, onrecord 0.2.0", encoding="utf-8", **article
        )
        place = (snapshot.record_id, snapshot.digest, snapshot.record.key, snapshot.record.offset)
        session.add_document(Document(snapshot.url, snapshot.timestamp, *place, article=made))
    return snapshot


def _page(title: str, text: str, language: str) -> bytes:
    lines = text.split("\n")[1:]
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<!doctype html><html lang="{language}"><head><title>{title}</title>'
        f'<link rel="stylesheet" href="/paper.css"></head><body><nav><a href="{COURT}">Courts</a> <a href="{TAX}">Tax</a>'
        f'</nav><article><h1>{title}</h1><img src="/img/quay.png" width="320" height="80" alt="The quay">{paragraphs}'
        "</article></body></html>"
    ).encode()


def furnish(library: Library) -> None:
    """Three years of a few pages."""
    by = {"author": "Mirela Stam", "sitename": "The Quay Gazette", "language": "en", "date": "2024-03-02"}
    court = {"title": "An open court, at last", **by}
    sheets: list[tuple[str, datetime, dict[str, Any]]] = [
        (STYLE, at("2024-03-02T09:00:01"), {"body": _STYLE, "kind": "text/css"}),
        ("https://gazette.example/type.css", at("2024-03-02T09:00:02"), {"body": _TYPE, "kind": "text/css"}),
        (PICTURE, at("2024-03-02T09:00:03"), {"body": PNG, "kind": "image/png"}),
    ]
    library.keep((COURT, at("2024-03-02T09:00:00"), {"text": COURT_TEXTS[0], **court}), *sheets)
    for day in ("2024-03-05", "2024-03-09", "2024-04-01", "2024-07-20"):
        library.keep((COURT, at(f"{day}T09:00:00"), {"text": COURT_TEXTS[0], **court}))
    library.keep((COURT, at("2024-11-03T18:30:00"), {"text": COURT_TEXTS[1], **court}))
    tax = {"title": "The harbour tax pays for nothing", **by, "author": "Joost Akker"}
    tax_text = (
        "The harbour tax pays for nothing\nEvery crate that crosses the quay pays a tax for dredging, and the channel has "
        "not been dredged since the year the tax was doubled. We asked where the money is.\nThe answer came by post."
    )
    library.keep(
        (TAX, at("2025-01-10T08:00:00"), {"text": tax_text, **tax}),
        ("http://www.gazette.example/harbour-tax", at("2025-01-10T07:59:59"), {"status": 301, "head": f"Location: {TAX}\r\n", "body": b""}),
    )  # fmt: skip
    library.keep((COURT, at("2025-05-21T07:00:00"), {"text": COURT_TEXTS[2], **court}))
    library.keep((COURT, at("2025-05-22T07:00:00"), {"status": 503, "body": b"<h1>Later</h1>"}))
    train = {
        "title": "In praise of the night train",
        **by,
        "author": "Ida Koster",
        "tags": ("transport", "slowness"),
        "description": "A night train is an argument against hurry.",
        "embeds": (
            Embed("scribd", "https://www.scribd.com/embeds/123456789/content", "123456789", reason="not asked for"),
            Embed("youtube", "https://www.youtube.com/watch?v=aaaaaaaaaaa", "aaaaaaaaaaa", record_id="<urn:uuid:1>"),
        ),
    }
    library.keep((TRAIN, at("2025-11-04T22:10:00"), {"text": "In praise of the night train\nIt leaves after supper and arrives before the mail.", **train}))  # fmt: skip
    arabic = {"title": "محكمة مفتوحة أخيراً", "language": "ar", "author": "سلمى"}
    library.keep(
        (ARABIC.encode().decode(), at("2026-02-01T06:00:00"), {"text": "محكمة مفتوحة أخيراً\nقررت المحكمة أن جلسات الميناء مفتوحة للجميع (2026).\nاستغرق ذلك أحد عشر عاماً.", **arabic}),
        (JAPANESE, at("2026-02-02T06:00:00"), {"text": "開かれた法廷\n港の裁判所は、傍聴を誰にでも認めると決めた。十一年かかった。", "title": "開かれた法廷", "language": "ja"}),
    )  # fmt: skip
    ledger = {"title": "Who dredges the channel", "language": "en", "sitename": "The Ledger"}
    library.keep(
        (WALLED, at("2026-03-01T10:00:00"), {"text": "Who dredges the channel\nNobody, it turns out.", **ledger})
    )
    library.keep((WALLED, at("2026-09-01T10:00:00"), {"text": "Who dredges the channel\nSubscribe to read on.", "availability": "paywalled", **ledger}))  # fmt: skip
    library.keep((TAX, at("2026-10-05T08:00:00"), {"status": 410, "body": b"<h1>Gone</h1>"}))
    library.keep((COURT, at("2026-11-20T12:00:00"), {"text": COURT_TEXTS[3], **court}))
    library.keep(
        ("https://gazette.example/packed", at("2026-11-21T12:00:00"), {"text": "Packed\nSent deflated.", "title": "Packed", "body": zlib.compress(_page("Packed", "Packed\nSent deflated.", "en")), "head": "Content-Encoding: deflate\r\n"}),
    )  # fmt: skip


@dataclass(frozen=True)
class Served:
    """Both origins of one archive, on loopback."""

    pages: str
    replay: str
    library: Library


@contextmanager
def served(library: Library, folder: Path) -> Iterator[Served]:
    """Serve an archive at two ports for as long as the block runs."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [each.getsockname()[1] for each in sockets]
    reading = Reading(library.archive, folder / "search.sqlite")
    feeds = Feeds(reading, Ledger(folder / "state" / "ledger.db"), list)
    apps = [create_app(reading, ports[1], feeds=feeds), create_replay(reading, ports[0])]
    servers = [
        uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False)) for app in apps
    ]
    threads = [
        threading.Thread(target=server.run, kwargs={"sockets": [each]}, daemon=True)
        for server, each in zip(servers, sockets, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield Served(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}", library)
    finally:
        for server in servers:
            server.should_exit = True
        for thread in threads:
            thread.join()
