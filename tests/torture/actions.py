"""What is done to an archive while something goes wrong: each as a user's command does it, without its printing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from archive.access.replicate_rules import Copied
from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.model import Outcome
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from pipeline.alerts.event import Event
from pipeline.alerts.outbox import Outbox
from pipeline.ingest.import_files import import_file
from pipeline.watch.history import Ledger
from storage.base import ObjectStore
from storage.errors import OnrecordError
from storage.location import open_store
from tests.exchanges import NOON, a_document, an_exchange
from tests.pipeline.ingest.test_import_files import members, record

Told = Callable[[str], None]

PAGES = 3
BROUGHT = 4  # captures in the file that is imported
HOST = "http://example.org/"


class NotDone(OnrecordError):
    """Something was named as damaged or left out: the command would end with a code of its own."""

    exit_code = 5


@cache
def opened(location: str) -> ObjectStore:
    """A store, opened once a process: making a client for a bucket takes longer than what it is used for here."""
    return open_store(location)


@dataclass(frozen=True)
class Place:
    """An archive with all that belongs to it: its store and a copy lie in the folder, or in a bucket.

    `bucket` is a location with NAME where theirs come in.
    """

    folder: Path
    bucket: str = ""
    wrap: Callable[[ObjectStore], ObjectStore] = lambda store: store  # what goes wrong in them, if anything

    def location(self, name: str) -> str:
        return self.bucket.replace("NAME", name) or str(self.folder / name)

    def store(self) -> ObjectStore:
        return self.wrap(opened(self.location("store")))

    def copy(self) -> ObjectStore:
        return self.wrap(opened(self.location("copy")))

    def archive(self) -> Archive:
        return Archive(self.store(), spool=self.folder / "spool", cache=self.folder / "cache", kept_blocks=1 << 20)


def capture(place: Place, told: Told, edition: int = 0) -> None:
    """Some pages of which one has not changed; each is told once it is durable."""
    archive = place.archive()
    archive.prepare()
    finish_left(archive)
    session = archive.session(RunSettings("test/1"))
    try:
        write(session, told, edition)
        session.commit()
    finally:
        session.close()
    archive.merge_if_many()


def write(session: Session, told: Told, edition: int) -> None:
    """The records, texts and outcomes of a run."""
    for number in range(PAGES):
        body = b"<p>page %d, edition %d</p>" % (number, edition if number else 0)
        snapshot = session.add(an_exchange(f"{HOST}{number}", body), page=True)
        if not snapshot.revisit:
            session.add_document(a_document(snapshot))
        session.add_outcome(Outcome(snapshot.url, "ok", "2026-11-23T12:00:00Z", status=200))
        session.checkpoint()
        told(snapshot.record_id)


def finish_left(archive: Archive) -> None:
    """Publish what other invocations left."""
    for session in archive.recover():
        try:
            session.commit()
        finally:
            session.close()
    archive.refresh()


def recover(place: Place, told: Told) -> None:
    finish_left(place.archive())


def merge(place: Place, told: Told) -> None:
    place.archive().merge(whole=True)


def replicate(place: Place, told: Told) -> None:
    _whole(Replica(place.store(), place.copy(), place.folder / "spool" / "scratch").replicate())


def repair(place: Place, told: Told) -> None:
    _whole(Replica(place.copy(), place.store(), place.folder / "spool" / "scratch").repair())


def bring(place: Place, told: Told, name: str = "second") -> None:
    """Import a file of another program."""
    archive = place.archive()
    archive.prepare()
    finish_left(archive)
    done = import_file(archive, place.folder / f"{name}.warc.gz", lambda left: None, None)
    if done.result is not None and done.result.waiting:
        raise NotDone(done.result.waiting)


def foreign_file(place: Place, name: str, first: int) -> None:
    """A file for `bring`, whose records have ids from a number on."""
    numbers = range(first, first + BROUGHT)
    records = (record(url=f"http://a.example/{number}", number=number) for number in numbers)
    (place.folder / f"{name}.warc.gz").write_bytes(members(*records))


def read(place: Place, told: Told) -> None:
    """Read every byte, and each snapshot as a reader finds it."""
    archive = place.archive()
    if faults := [fault for finding in archive.verify() for fault in finding.faults]:
        raise NotDone("; ".join(faults))
    for snapshot in archive.every():
        archive.payload(snapshot)[2].close()


def know(place: Place, told: Told) -> None:
    """Read what all runs say of their pages into the ledger."""
    Ledger(place.folder / "watch" / "ledger.db").sync(place.archive())


def remember(place: Place, told: Told) -> None:
    """Keep events until they are sent; each is told once it is kept."""
    outbox = Outbox(place.folder / "outbox")
    for number in range(3):
        event = Event("gone", f"{HOST}{number}", NOON, "Gone")
        outbox.add([event])
        told(event.id)


def _whole(copies: Iterable[Copied]) -> None:
    if faults := [fault for copied in copies for fault in copied.faults]:
        raise NotDone("; ".join(faults))


ACTIONS: dict[str, Callable[[Place, Told], None]] = {
    "capture": lambda place, told: capture(place, told, 9),
    "recover": recover,
    "merge": merge,
    "replicate": replicate,
    "repair": repair,
    "import": bring,
    "read": read,
    "ledger": know,
    "outbox": remember,
}
