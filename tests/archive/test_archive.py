"""Runs are whole or absent, and what was kept is found and read back."""

from __future__ import annotations

import io
import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from archive import object_keys
from archive.archive import Archive
from archive.errors import FormatError, IntegrityError, NoSuchSnapshot
from archive.model import Outcome, Truncation
from archive.runs.warc_files import RunSettings
from storage.base import ObjectInfo
from storage.errors import StoreMissing, StoreUnavailable
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import NOON, a_document, an_exchange

DAY = timedelta(days=1)
URL = "http://example.org/a"


def body_of(archive: Archive, snapshot) -> bytes:
    return b"".join(archive.payload(snapshot)[2])


def warcs(store: MemoryStore) -> list[bytes]:
    return [store.get(info.key) for info in store.list("runs/") if info.key.endswith(".warc.gz")]


def test_a_run_has_seven_objects(store: MemoryStore, keep: Keep) -> None:
    run = keep(an_exchange(), an_exchange("http://example.org/b", b"other"))
    names = [info.key.removeprefix(f"runs/{run}/") for info in store.list("runs/")]
    assert names == sorted(
        [
            object_keys.warc_path(0),
            object_keys.PAGES,
            object_keys.CDX,
            object_keys.IDX,
            object_keys.OUTCOMES,
            object_keys.MANIFEST_DIGEST,
            object_keys.MANIFEST,
        ]
    )


def test_what_was_kept_is_read_back_byte_for_byte(archive: Archive, keep: Keep) -> None:
    exchange = an_exchange(
        body=b"5;ext=1\r\n<p>ch\r\n4\r\n</p>\r\n0\r\nTrailer: x\r\n\r\n", head=b"transfer-ENCODING:  chunked\r\n"
    )
    keep(exchange)
    snapshot = archive.closest(URL)
    assert archive.read(snapshot).block.read() == exchange.response.data
    assert body_of(archive, snapshot) == b"<p>ch</p>"
    document = archive.document(snapshot)
    assert document is not None
    assert (document.article.text, document.record_id, document.payload_digest) == (
        "hello",
        snapshot.record_id,
        snapshot.digest,
    )


def test_an_unchanged_page_is_a_revisit_of_the_first_record(archive: Archive, keep: Keep, store: MemoryStore) -> None:
    for number in range(3):
        keep(an_exchange(at=NOON + number * DAY))
    first, second, third = archive.snapshots(URL)
    assert [first.revisit, second.revisit, third.revisit] == [False, True, True]
    assert third.refers_to is not None
    assert (third.refers_to.record_id, third.refers_to.timestamp) == (first.record_id, first.timestamp)
    assert body_of(archive, third) == b"<p>hello</p>"
    assert archive.document(third) == archive.document(first)
    record = archive.read(third)
    assert record.header("WARC-Profile") == "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    assert record.header("WARC-Refers-To") == first.record_id
    assert record.header("WARC-Refers-To-Target-URI") == URL
    assert record.header("WARC-Refers-To-Date") == "2026-11-23T12:00:00Z"
    assert record.header("WARC-Truncated") == "length"
    assert record.block.read() == b"HTTP/1.1 200 Status\r\nContent-Type: text/html\r\n\r\n"


def test_not_modified_is_a_revisit_of_the_last_good_capture(archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    keep(an_exchange(at=NOON + DAY, status=304, body=b"", head=b"ETag: x\r\n"))
    snapshot = archive.closest(URL)
    assert (snapshot.status, snapshot.revisit, snapshot.mime) == (304, True, "text/html")
    assert body_of(archive, snapshot) == b"<p>hello</p>"
    record = archive.read(snapshot)
    assert record.header("WARC-Profile") == "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    assert record.header("WARC-Truncated") is None


def test_the_same_payload_under_two_urls_of_a_run_is_stored_once(archive: Archive, keep: Keep) -> None:
    keep(an_exchange(), an_exchange("http://example.org/copy"))
    copy = archive.closest("http://example.org/copy")
    assert copy.revisit
    assert copy.payload.url == URL
    assert archive.document(copy) is not None


def test_forced_and_truncated_and_empty_captures_are_no_revisits(archive: Archive, keep: Keep) -> None:
    cut = an_exchange(body=b"<p>he", truncated=Truncation.DISCONNECT)
    empty = an_exchange("http://example.org/empty", b"")
    keep(an_exchange(), cut, empty)
    keep(an_exchange(at=NOON + DAY), force=True)
    keep(an_exchange("http://example.org/empty", b"", at=NOON + DAY))
    assert not any(snapshot.revisit for snapshot in archive.snapshots("http://example.org/", match="host"))
    truncated = [snapshot for snapshot in archive.snapshots(URL) if snapshot.truncated]
    assert [archive.read(snapshot).header("WARC-Truncated") for snapshot in truncated] == ["disconnect"]


def test_warcio_and_fastwarc_read_every_record(store: MemoryStore, keep: Keep) -> None:
    keep(an_exchange(notes=("a note\r\nWARC-Type: forged",)), an_exchange("http://example.org/copy"))
    for data in warcs(store):
        kinds = [record.rec_type for record in ArchiveIterator(io.BytesIO(data))]
        assert kinds == ["warcinfo", "response", "request", "metadata", "revisit", "request"]
        assert sum(1 for _ in FastIterator(io.BytesIO(data))) == len(kinds)


def test_warc_files_roll_over(store: MemoryStore, keep: Keep, archive: Archive) -> None:
    keep(*(an_exchange(f"http://example.org/{n}", b"%d" % n * 100) for n in range(4)), max_warc=1000)
    assert len(warcs(store)) > 1
    for number in range(4):
        assert body_of(archive, archive.closest(f"http://example.org/{number}")) == b"%d" % number * 100
    assert [finding.faults for finding in archive.verify()] == [()]


def test_closest_takes_the_newest_that_stands_and_any_by_time(archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    keep(an_exchange(body=b"<p>edited</p>", at=NOON + DAY))
    keep(an_exchange(body=b"gone", status=404, at=NOON + 2 * DAY))
    assert archive.closest(URL).timestamp == NOON + DAY
    assert archive.closest(URL, NOON + 3 * DAY).status == 404
    assert archive.closest(URL, NOON).timestamp == NOON
    assert [s.timestamp for s in archive.snapshots(URL, start=NOON + DAY, end=NOON + DAY)] == [NOON + DAY]


def test_only_tombstones_are_no_snapshot_without_a_time(archive: Archive, keep: Keep) -> None:
    keep(an_exchange(status=410, body=b"gone"))
    with pytest.raises(NoSuchSnapshot, match=r"only tombstones.*410.*--at"):
        archive.closest(URL)
    assert archive.closest(URL, NOON).status == 410


def test_redirects_are_followed_within_the_archive(archive: Archive, keep: Keep) -> None:
    keep(an_exchange("http://example.org/old", b"", status=301, head=b"Location: /a\r\n"), an_exchange())
    assert archive.closest("http://example.org/old").url == URL
    keep(an_exchange("http://example.org/lost", b"", status=302, head=b"Location: /nowhere\r\n"))
    assert archive.closest("http://example.org/lost").status == 302
    keep(
        an_exchange("http://example.org/x", b"", status=302, head=b"Location: /y\r\n"),
        an_exchange("http://example.org/y", b"", status=302, head=b"Location: /x\r\n"),
    )
    assert archive.closest("http://example.org/x").status == 302


def test_nothing_kept_and_no_archive_are_told_apart(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(NoSuchSnapshot, match="nothing is kept of"):
        archive.closest("http://example.org/none")
    with pytest.raises(StoreMissing, match="no archive at memory:"):
        Archive(MemoryStore(), spool=tmp_path).closest(URL)


def test_a_newer_layout_is_refused(store: MemoryStore, archive: Archive) -> None:
    from archive.digests import self_digested

    store.put(object_keys.STORE_KEY, self_digested({"layout": 2}))
    with pytest.raises(FormatError, match="upgrade onrecord"):
        archive.prepare()
    store.put(object_keys.STORE_KEY, b"{}")
    with pytest.raises(IntegrityError, match="damaged"):
        archive.prepare()


def test_each_run_names_the_newest_manifests_as_its_parents(archive: Archive, keep: Keep) -> None:
    first = archive.manifest(keep(an_exchange()))
    second = archive.manifest(keep(an_exchange(at=NOON + DAY)))
    assert (first.parents, second.parents) == ((), (first.hash,))


def test_two_writers_at_once_fork_the_chain_and_the_next_run_joins_it(archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    sessions = [archive.session(RunSettings("test/1")) for _ in range(2)]
    for number, session in enumerate(sessions):
        session.add(an_exchange(f"http://example.org/{number}"), page=False)
    manifests = [session.commit() for session in sessions]
    joined = archive.manifest(keep(an_exchange("http://example.org/z", b"z")))
    assert {manifest.hash for manifest in manifests if manifest} >= set(joined.parents)
    assert manifests[1] is not None
    assert manifests[1].hash in joined.parents
    assert all(not finding.faults for finding in archive.verify())


class Failing(MemoryStore):
    """A store that stops taking objects after a number of them."""

    def __init__(self, puts: int) -> None:
        super().__init__()
        self.left = puts

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("the store is out of reach")

    def put(self, key: str, data: bytes) -> None:
        self._count()
        super().put(key, data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._count()
        return super().put_if_absent(key, data)


@pytest.mark.parametrize("puts", range(1, 11))
def test_a_run_is_whole_or_absent_wherever_the_store_fails(tmp_path: Path, puts: int) -> None:
    store = Failing(puts)
    archive = Archive(store, spool=tmp_path)
    archive.prepare()
    session = archive.session(RunSettings("test/1"))
    snapshot = session.add(an_exchange(), page=True)
    session.add_document(a_document(snapshot))
    committed = True
    try:
        session.commit()
    except StoreUnavailable:
        committed = False
    session.close()
    assert committed == (puts == 10)
    archive.refresh()
    assert len(list(archive.snapshots(URL))) == committed
    store.left = 100
    recovered = [waiting.commit() for waiting in archive.recover()]
    assert len(recovered) == (not committed)
    archive.refresh()
    assert [body_of(archive, found) for found in archive.snapshots(URL)] == [b"<p>hello</p>"]
    assert [finding.faults for finding in archive.verify()] == [()]
    assert not list(archive.recover())


def test_a_store_that_loses_what_was_put_gets_no_manifest(tmp_path: Path) -> None:
    class Forgetful(MemoryStore):
        def list(self, prefix: str = "", start_after: str = ""):
            return (ObjectInfo(info.key, info.size - 1) for info in super().list(prefix, start_after))

    store = Forgetful()
    archive = Archive(store, spool=tmp_path)
    session = archive.session(RunSettings("test/1"))
    session.add(an_exchange(), page=False)
    with pytest.raises(StoreUnavailable, match="does not list"):
        session.commit()
    assert not any(info.key.endswith(object_keys.MANIFEST) for info in MemoryStore.list(store))


def test_reading_takes_five_requests_cold_and_two_warm(tmp_path: Path, keep: Keep, store: MemoryStore) -> None:
    keep(*(an_exchange(f"http://example.org/{n}", b"%d" % n) for n in range(50)))
    asked: list[str] = []

    class Counting(MemoryStore):
        def get(self, key: str) -> bytes:
            asked.append(key)
            return store.get(key)

        def list(self, prefix: str = "", start_after: str = ""):
            asked.append("list")
            return store.list(prefix, start_after)

    archive = Archive(Counting(), spool=tmp_path)
    body_of(archive, archive.closest("http://example.org/7"))
    assert len([key for key in asked if key != "list"]) <= 5
    archive = Archive(Counting(), spool=tmp_path)
    (run,) = archive._index.parts().runs
    archive.unguarded().catalog.block_index(run)
    archive.notices.policy()
    asked.clear()
    body_of(archive, archive.closest("http://example.org/8"))
    assert len(asked) == 2


def test_the_manifest_has_the_fields_of_wacz(store: MemoryStore, keep: Keep) -> None:
    run = keep(an_exchange())
    package = json.loads(store.get(object_keys.run_key(run, object_keys.MANIFEST)))
    assert (package["profile"], package["wacz_version"]) == ("data-package", "1.1.1")
    for resource in package["resources"]:
        data = store.get(object_keys.run_key(run, resource["path"]))
        assert len(data) == resource["bytes"]
    counts = {"targets": 1, "failed": 0, "requisites": 0, "skipped": 0, "captures": 1, "revisits": 0, "documents": 1}
    assert package["counts"] == counts


def test_a_recovery_that_is_killed_too_loses_nothing(archive: Archive) -> None:
    session = archive.session(RunSettings("test/1"))
    session.add(an_exchange(), page=True)
    session.add_document(a_document(session.add(an_exchange("http://example.org/b", b"b"), page=True)))
    session.checkpoint()
    session.add(an_exchange("http://example.org/not-acknowledged", b"x"), page=True)
    session.close()
    for _ in range(3):
        (again,) = archive.recover()
        assert [snapshot.url for snapshot in again.pending] == [URL]
        again.add_outcome(Outcome(URL, "ok", "2026-11-23T12:00:00Z"))
        again.checkpoint()
        again.close()
    (last,) = archive.recover()
    assert last.counts()["targets"] == 3
    last.add_document(a_document(last.pending[0]))
    assert last.commit() is not None
    archive.refresh()
    snapshot, other = archive.snapshots("http://example.org/", match="host")
    assert (body_of(archive, other), snapshot.url) == (b"b", URL)
    assert body_of(archive, snapshot) == b"<p>hello</p>"
    assert [finding.faults for finding in archive.verify()] == [()]


def test_runs_of_the_same_second_keep_their_order(archive: Archive, keep: Keep) -> None:
    from datetime import UTC, datetime

    early, late = (datetime(2026, 11, 23, 12, 0, 0, micro, tzinfo=UTC) for micro in (5_000, 900_000))
    assert object_keys.new_run_id(early) < object_keys.new_run_id(late)
    assert all(object_keys.is_run_id(object_keys.new_run_id(moment)) for moment in (early, late))
    for number in range(5):
        keep(an_exchange(body=b"<p>%d</p>" % number))
        time.sleep(0.002)
    assert [body_of(archive, snapshot) for snapshot in archive.snapshots(URL)] == [b"<p>%d</p>" % n for n in range(5)]
    assert body_of(archive, archive.closest(URL)) == b"<p>4</p>"
