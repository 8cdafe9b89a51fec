"""A clock that was wrong once: what it dated is noted, and neither the newest nor a fault for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import object_keys, times
from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.crypto.signed_note import Signer
from archive.model import Snapshot
from archive.redaction import plan_redaction, redact
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from tests.exchanges import a_document, an_exchange

URL = "http://example.org/a"
DAY = timedelta(days=1)


class OfAWrongMachine(MemoryStore):
    """A directory: its clock is the machine's, and as wrong; or an archive of a program that noted nothing."""

    def now(self) -> datetime:
        return times.now()

    def _keep(self, key: str, data: bytes) -> None:
        super()._keep(key, data)
        self._modified[key] = times.now()


class CutOff(MemoryStore):
    down = False

    def _keep(self, key: str, data: bytes) -> None:
        if self.down:
            raise StoreUnavailable("cut off")
        super()._keep(key, data)


@pytest.fixture(autouse=True)
def right_again() -> Iterator[None]:
    yield
    times.rehearse(timedelta())


def clock(ahead: timedelta) -> None:
    times.rehearse(ahead, wrong=True)


def captured(session: Session, body: bytes) -> Snapshot:
    exchange = an_exchange(URL, body, at=times.now().replace(microsecond=0))
    snapshot = session.add(exchange, page=True)
    if not snapshot.revisit:
        session.add_document(a_document(snapshot))
    return snapshot


def run(archive: Archive, body: bytes, ahead: timedelta = timedelta()) -> Snapshot:
    clock(ahead)
    with closing(archive.session(RunSettings("test/1"))) as session:
        snapshot = captured(session, body)
        session.commit()
    archive.refresh()
    clock(timedelta())
    return snapshot


def opened(store: MemoryStore, folder: Path) -> Archive:
    archive = Archive(store, spool=folder / "spool")
    archive.prepare()
    return archive


def noted(store: MemoryStore, snapshot: Snapshot) -> dict[str, int] | None:
    found = json.loads(store.get(object_keys.run_key(snapshot.run, object_keys.MANIFEST)))
    return found.get("clock")  # type: ignore[no-any-return]


def faults_and_notes(archive: Archive) -> tuple[list[str], list[str]]:
    found = list(archive.verify())
    return [fault for each in found for fault in each.faults], [note for each in found for note in each.notes]


@pytest.mark.parametrize("kind", [MemoryStore, OfAWrongMachine])
def test_a_run_dated_in_the_future_is_no_fault_and_not_the_newest(kind: type[MemoryStore], tmp_path: Path) -> None:
    store = kind()
    archive = opened(store, tmp_path)
    future = run(archive, b"<p>of the future</p>", 8 * DAY)
    assert (future.timestamp - datetime.now(UTC)) > 7 * DAY, "it stays as it was written"
    present = run(archive, b"<p>of now</p>")
    assert archive.closest(URL).record_id == present.record_id
    faults, notes = faults_and_notes(archive)
    assert faults == []
    assert any("ahead" in note for note in notes)
    again = run(archive, b"<p>of now</p>")
    assert again.refers_to is not None
    assert again.refers_to.record_id == present.record_id


def test_the_correction_is_a_note_and_holds_when_the_wrong_date_has_come(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = opened(store, tmp_path)
    ahead = run(archive, b"<p>earlier, dated later</p>", timedelta(minutes=50))
    present = run(archive, b"<p>of now</p>")
    assert archive.closest(URL).record_id == present.record_id
    said = noted(store, ahead)
    assert said is not None
    assert abs(said["ahead"] - 3000) <= 2
    assert abs(said["ahead_at_start"] - 3000) <= 2
    assert noted(store, present) is None
    archive.merge()
    archive.refresh()
    assert archive.closest(URL).record_id == present.record_id, "the merged index knows it too"


def test_a_clock_that_is_behind_dates_nothing_back(tmp_path: Path) -> None:
    archive = opened(MemoryStore(), tmp_path)
    run(archive, b"<p>of now</p>")
    run(archive, b"<p>later, by a clock that is behind</p>", timedelta(hours=-2))
    assert faults_and_notes(archive)[0] == []


def test_a_spooled_run_is_not_published_under_a_wrong_date_without_a_note(tmp_path: Path) -> None:
    store = CutOff()
    archive = opened(store, tmp_path)
    store.down = True
    with pytest.raises(StoreUnavailable):
        run(archive, b"<p>of the future</p>", 8 * DAY)
    clock(timedelta())
    store.down = False
    (session,) = archive.recover()
    with closing(session):
        found = session.commit()
    assert found is not None
    assert abs(found.ahead_at_start - 8 * DAY) < timedelta(minutes=1)
    assert faults_and_notes(archive)[0] == []


def test_a_run_that_is_dated_back_is_told_all_the_same(tmp_path: Path) -> None:
    """Its manifest was put long after its date and notes no clock: a wrong one cannot be known from fraud."""
    store = MemoryStore()
    archive = opened(store, tmp_path)
    run(archive, b"<p>of now</p>")
    forged = run(archive, b"<p>forged</p>", timedelta(days=-2))
    key = object_keys.run_key(forged.run, object_keys.MANIFEST)
    package = json.loads(store.get(key))
    del package["clock"]
    store.put(key, json.dumps(package).encode())
    assert any("dated back" in fault for fault in faults_and_notes(archive)[0])


def long_ago(
    store: MemoryStore, folder: Path, body: bytes, *, dated: timedelta, put: timedelta, url: str = URL
) -> Snapshot:
    """A run of onrecord 0.4, which noted nothing of clocks, by how long ago it says it was made, and was put."""
    before = set(store._objects)
    times.rehearse(-dated)
    with closing(opened(store, folder).session(RunSettings("test/1"))) as session:
        exchange = an_exchange(url, body, at=times.now().replace(microsecond=0))
        snapshot = session.add(exchange, page=True)
        session.commit()
    times.rehearse(timedelta())
    for key in store._objects.keys() - before:
        store._modified[key] = datetime.now(UTC) - put
    return snapshot


OTHER = "http://example.org/other"
SIGNER = Signer("clinic.example", bytes(32))


def copied(store: MemoryStore, folder: Path) -> MemoryStore:
    copy = MemoryStore()
    assert not [fault for each in Replica(store, copy, folder / "scratch").replicate() for fault in each.faults]
    return copy


def copied_again(store: MemoryStore, folder: Path) -> MemoryStore:
    return copied(copied(store, folder), folder)


def repaired(store: MemoryStore, folder: Path) -> MemoryStore:
    copy = copied(store, folder)
    for key in [key for key in copy._objects if key.endswith(object_keys.MANIFEST) or ".ahead-" in key]:
        del copy._objects[key]
    assert not [fault for each in Replica(store, copy, folder / "scratch").repair() for fault in each.faults]
    return copy


def redacted(store: MemoryStore, folder: Path) -> MemoryStore:
    archive = opened(store, folder)
    run = next(each.run for each in archive.snapshots(OTHER))
    redact(archive, plan_redaction(archive, run, [OTHER], ()), SIGNER, "asked for")
    return store


def merged(store: MemoryStore, folder: Path) -> MemoryStore:
    opened(store, folder).merge()
    return store


@pytest.mark.parametrize("how", [copied, copied_again, repaired, redacted, merged], ids=lambda how: how.__name__)
@pytest.mark.parametrize("is_merged", [False, True], ids=["loose", "merged"])
def test_a_wrong_date_that_has_come_misleads_no_copy(
    how: Callable[[MemoryStore, Path], MemoryStore], is_merged: bool, tmp_path: Path
) -> None:
    """Only when the manifest was put tells that the clock was ahead; a copy's is put anew."""
    store = MemoryStore()
    with_wrong_clock = long_ago(store, tmp_path, b"<p>earlier</p>", dated=22 * DAY, put=30 * DAY)
    right = long_ago(store, tmp_path, b"<p>later</p>", dated=29 * DAY, put=29 * DAY)
    wrong = with_wrong_clock.run
    long_ago(store, tmp_path, b"<p>other</p>", dated=21 * DAY, put=29 * DAY, url=OTHER)
    copy = how(store, tmp_path)
    archive = opened(copy, tmp_path / "elsewhere")
    if is_merged:
        archive.merge()
    faults = [fault for each in archive.verify(known=[SIGNER.public]) for fault in each.faults]
    assert faults == []
    assert archive.closest(URL).record_id == right.record_id
    assert archive.ahead_of(wrong) > 7 * DAY
    again = run(archive, b"<p>later</p>")
    assert again.refers_to is not None
    assert again.refers_to.record_id == right.record_id
