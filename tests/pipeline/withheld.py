"""An archive with a page that is not to be shown: a word stands in all that was captured of it, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from archive.archive import Archive
from archive.digests import text_digest
from archive.formats.outcomes_jsonl import at_capture
from archive.model import Article, Block, Document, Made, Outcome
from archive.runs.warc_files import RunSettings
from archive.times import iso
from storage.base import ObjectStore
from tests.exchanges import NOON, an_exchange

WORD = "Quixarbo"
HOST = "https://gazette.example"
SECRET, ALIAS, OPEN, FRAME = f"{HOST}/secret", f"{HOST}/also-here", f"{HOST}/open", f"{HOST}/secret/frame"
MOVED, LEADS = f"{HOST}/secret/old", f"{HOST}/leads"
DOM, PICTURE = f"urn:dom:{SECRET}", f"urn:fullPageFinal:{SECRET}"

_TEXT = (
    "What {word} said to the harbour court that day was heard by eleven clerks and two reporters, and none of them "
    "wrote it down. The bench has since decided that hearings are open to whoever walks in. It took {years} years.\n"
    "The second paragraph says the same in other words, as second paragraphs do, at the same length or nearly."
)


def page(word: str, years: str) -> tuple[bytes, str]:
    """A page and its text."""
    text = _TEXT.format(word=word, years=years)
    frame = f'<iframe src="{FRAME}"></iframe>' if word != WORD else ""
    lines = "".join(f"<p>{line}</p>" for line in text.split("\n"))
    return (
        f"<html lang=en><head><title>On {word}</title></head><body><article><h1>On {word}</h1>{lines}</article>"
        f"{frame}</body></html>"
    ).encode(), text


def furnish(store: ObjectStore, folder: Path, replicas: Sequence[ObjectStore] = ()) -> list[str]:
    """Captures over three hours: the page twice unchanged and once edited, what was made of it, and its neighbours."""
    archive = Archive(store, replicas, spool=folder / "furnishing")
    archive.prepare()
    runs = []
    for hour, years in enumerate(("eleven", "eleven", "twelve", "twelve")):
        session = archive.session(RunSettings("test/1"))
        at = NOON + timedelta(hours=hour)
        for url, word in ((SECRET, WORD), (OPEN, "Someone"), (ALIAS, WORD)):
            if url == ALIAS and hour:
                continue  # the same bytes under another address: a revisit of the page's record
            body, text = page(word, years)
            head = b"Content-Type: text/html; charset=utf-8\r\nX-Said-By: %s\r\n" % word.encode()
            snapshot = session.add(an_exchange(url, body, at=at, head=head), page=True)
            if not snapshot.revisit:
                place = (snapshot.record_id, snapshot.digest, snapshot.record.key, snapshot.record.offset)
                article = Article(title=f"On {word}", text=text, author=word, extractor="test 1")
                session.add_document(Document(url, at, *place, article=article))
            session.checkpoint()
            kept = session.snapshot(snapshot.place)
            words = text.split()
            outcome = at_capture(Outcome(url, "ok", iso(at), text=text_digest(words), words=len(words)), kept)
            session.add_outcome(outcome)
            if url == SECRET and not hour:
                for made, kind in ((DOM, "text/html"), (PICTURE, "image/png")):
                    session.add_made(Made(made, kind, Block.of(body), at), snapshot)
        if not hour:
            body, _ = page(WORD, "no")
            session.add(an_exchange(FRAME, body + b" ", at=at), page=False)
            moved = b"Location: /secret\r\n"
            session.add(an_exchange(LEADS, b"Moved.", at=at, status=301, head=moved), page=False)
            gone = b"Location: /open\r\nX-Said-By: %s\r\n" % WORD.encode()
            session.add(an_exchange(MOVED, b"Moved, " + WORD.encode(), at=at, status=301, head=gone), page=False)
        manifest = session.commit()
        assert manifest is not None
        runs.append(manifest.run)
        session.close()
    return runs
