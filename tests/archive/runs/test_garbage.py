"""What is cleared away is needed by nobody, whoever writes meanwhile."""

from __future__ import annotations

import os
import random
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.coordination.leases import claimed
from archive.copies.replicate import Replica
from archive.errors import IntegrityError
from archive.formats import manifest
from archive.local_cache import Cache
from archive.model import Outcome
from archive.runs.garbage import Orphan, Orphans
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from archive.times import now
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable
from storage.local import LocalStore
from storage.location import open_store
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.archive.interleaved import Turns, View
from tests.exchanges import an_exchange

OLD_RUN = "20260101T000000Z-00000000"
SEEDS = int(os.environ.get("INTERLEAVINGS", "60"))
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def aged(store: MemoryStore, prefix: str = "", at: datetime = LONG_AGO) -> None:
    for key in store._objects:
        if key.startswith(prefix):
            store._modified[key] = at


def collected(store: ObjectStore, *, dry: bool = False, cache: Path | None = None) -> list[Orphan]:
    return list(Orphans(store, Cache(cache)).collect(dry=dry))


class NoManifest(MemoryStore):
    """Everything but a manifest can be put, for the time being."""

    refuses = True

    def put_if_absent(self, key: str, data: bytes) -> bool:
        if self.refuses and key.endswith(object_keys.MANIFEST):
            raise StoreUnavailable("cut off")
        return super().put_if_absent(key, data)


def left(store: NoManifest, spool: Path, run: str = OLD_RUN) -> Archive:
    """A run whose writer was cut off before the manifest, long ago: all of it is in the spool still."""
    archive = Archive(store, spool=spool)
    archive.prepare()
    spooled = archive.spool.create(run, {"software": "test/1", "started": LONG_AGO.isoformat()})
    session = Session(store, archive.unguarded().catalog, spooled, RunSettings("test/1"))
    session.started = object_keys.started(run)
    session.add(an_exchange(), page=False)
    session.add_outcome(Outcome("http://example.org/a", "ok", "2026-11-23T12:00:00Z"))
    store.refuses = True
    with pytest.raises(StoreError, match="cut off"):
        session.commit()
    session.close()
    store.refuses = False
    aged(store)
    return archive


def recovered(archive: Archive) -> None:
    for session in archive.recover():
        with suppress(StoreUnavailable):
            session.commit()
        session.close()


def half_runs(store: MemoryStore) -> list[str]:
    """Runs that can be seen and lack something."""
    found = []
    for key, data in list(store._objects.items()):
        if not key.endswith(f"/{object_keys.MANIFEST}"):
            continue
        named = manifest.parse(data)
        sizes = (
            len(store._objects.get(object_keys.run_key(named.run, it.path), b"-")) == it.bytes for it in named.resources
        )
        if not all(sizes):
            found.append(named.run)
    return found


def test_an_archive_without_orphans_stays_as_it_is(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    for number in range(3):
        keep(an_exchange(f"http://example.org/{number}"))
    archive.merge()
    keep(an_exchange("http://example.org/loose"))
    aged(store)
    before = dict(store._objects)
    assert collected(store) == []
    assert store._objects == before


def test_files_of_a_run_that_was_never_committed_go(tmp_path: Path) -> None:
    store = NoManifest()
    left(store, tmp_path / "spool")
    mark = object_keys.loose_key(OLD_RUN)
    assert mark in store._objects
    size = sum(len(data) for key, data in store._objects.items() if key.startswith("runs/"))
    (would,) = collected(store, dry=True)
    assert (would.kind, would.name, would.objects, would.bytes) == ("run", OLD_RUN, 6, size)
    assert object_keys.run_key(OLD_RUN, object_keys.PAGES) in store._objects
    assert collected(store) == [would]
    assert list(store._objects) == [object_keys.STORE_KEY]


def test_what_was_cleared_away_is_published_whole_from_the_spool(tmp_path: Path) -> None:
    store = NoManifest()
    archive = left(store, tmp_path / "spool")
    collected(store)
    recovered(archive)
    assert [finding.faults for finding in archive.verify()] == [()]
    assert archive.runs() == [OLD_RUN]


@pytest.mark.parametrize("young", ["the name", "one object"])
def test_nothing_young_goes(young: str, tmp_path: Path) -> None:
    store = NoManifest()
    run = OLD_RUN if young == "one object" else object_keys.new_run_id(now() - timedelta(days=6))
    left(store, tmp_path / "spool", run)
    if young == "one object":
        store._modified[object_keys.run_key(run, object_keys.PAGES)] = now() - timedelta(days=6)
    before = dict(store._objects)
    assert collected(store) == []
    assert store._objects == before


def test_a_name_of_no_time_is_always_young(store: MemoryStore, archive: Archive) -> None:
    for key in ("runs/20269999T999999Z-00000000/pages/pages.jsonl", object_keys.loose_key("20269999T999999Z-00000000")):
        store.put(key, b"x")
    aged(store)
    assert collected(store) == []


def test_less_than_two_days_is_not_safe(store: MemoryStore) -> None:
    with pytest.raises(ValueError, match="not safe"):
        Orphans(store, Cache(None), timedelta(days=1))


@pytest.mark.parametrize("known_by", ["generation", "later run", "cache"])
def test_a_run_that_lost_its_manifest_is_damaged_and_no_orphan(known_by: str, tmp_path: Path) -> None:
    store = NoManifest()
    archive = left(store, tmp_path / "spool")
    recovered(archive)
    if known_by == "generation":
        archive.merge()
    elif known_by == "later run":
        session = archive.session(RunSettings("test/1"))
        session.add(an_exchange("http://example.org/later"), page=False)
        session.commit()
    else:
        Archive(store, spool=tmp_path / "x", cache=tmp_path / "cache").manifest(OLD_RUN)
    store.delete(object_keys.run_key(OLD_RUN, object_keys.MANIFEST))
    aged(store)
    before = {key for key in store._objects if key.startswith("runs/")}
    (found,) = [it for it in collected(store, cache=tmp_path / "cache") if it.kind == "run"]
    assert found.damaged
    assert "repair --from" in (found.stays or "")
    assert {key for key in store._objects if key.startswith("runs/")} == before


def test_a_damaged_merged_index_can_vouch_for_nothing(tmp_path: Path) -> None:
    store = NoManifest()
    archive = left(store, tmp_path / "spool")
    recovered(archive)
    archive.merge()
    (key,) = [key for key in store._objects if key.endswith(object_keys.GENERATION)]
    store.put(key, store.get(key)[:-5])
    store.delete(object_keys.run_key(OLD_RUN, object_keys.MANIFEST))
    aged(store)
    with pytest.raises(IntegrityError, match="onrecord compact"):
        collected(store)


def test_marks_and_claims_of_nothing_go(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    run = keep(an_exchange())
    other = "20260101T000000Z-00000001"
    for key in (object_keys.loose_key(OLD_RUN), object_keys.claim_key(other)):
        store.put(key, b"")
    assert collected(store) == [], "they are young"
    aged(store)
    assert {(it.kind, it.name) for it in collected(store)} == {("mark", OLD_RUN), ("claim", other)}
    assert object_keys.loose_key(run) in store._objects


def test_generations_that_were_replaced_or_never_finished_go(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    old = archive.merge().generation
    assert old is not None
    unfinished = object_keys.generation_key("20260102T000000Z-00000000", object_keys.GENERATION_CDX)
    store.put(unfinished, b"begun")
    assert collected(store) == []
    aged(store)
    assert [(it.kind, it.name) for it in collected(store)] == [("generation", "20260102T000000Z-00000000")]
    assert unfinished not in store._objects
    assert len(list(archive.snapshots("http://example.org/a"))) == 1


def test_what_killed_puts_left_in_a_directory_goes(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    Archive(store, spool=tmp_path / "spool").prepare()
    folder = tmp_path / "store" / ".~tmp"
    for name, days in (("left", 8), ("young", 1)):
        (folder / name).write_bytes(b"part")
        at = (now() - timedelta(days=days)).timestamp()
        os.utime(folder / name, (at, at))
    assert [(it.kind, it.name, it.bytes) for it in collected(store, dry=True)] == [("broken-put", "left", 4)]
    collected(store)
    assert [path.name for path in folder.iterdir()] == ["young"]


def test_uploads_that_were_never_ended_go(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.s3 import S3Store

    store = open_store(s3_bucket)
    assert isinstance(store, S3Store)
    store.put("runs/x", b"whole")
    place = {"Bucket": store._bucket, "Key": "runs/big.warc.gz"}
    upload = store._client.create_multipart_upload(**place)["UploadId"]
    store._client.upload_part(**place, UploadId=upload, PartNumber=1, Body=b"x" * (5 << 20))
    assert collected(store) == []
    present = store.now()
    monkeypatch.setattr(S3Store, "now", lambda self: present + timedelta(days=8))
    (found,) = collected(store)
    assert (found.kind, found.bytes) == ("broken-put", 5 << 20)
    assert found.name.startswith("runs/big.warc.gz ")
    assert collected(store) == []
    assert store.get("runs/x") == b"whole"


def test_of_writer_and_clearing_one_has_the_claim(store: MemoryStore) -> None:
    with claimed(store, OLD_RUN) as mine, claimed(store, OLD_RUN) as other:
        assert (mine, other) == (True, False)
    assert object_keys.claim_key(OLD_RUN) not in store._objects
    store.put(object_keys.claim_key(OLD_RUN), b"of a process that was killed")
    aged(store)
    with claimed(store, OLD_RUN) as mine:
        assert mine


@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_whatever_order_no_half_run_is_ever_seen(seed: int, tmp_path: Path) -> None:
    """A late writer, a copy being brought, and two that clear away: every call in any order."""
    dice = random.Random(seed)
    store = NoManifest()
    archive = left(store, tmp_path / "spool")
    source = MemoryStore()
    source._objects |= store._objects  # a replica from which the same run comes
    recovered_source = Archive(source, spool=tmp_path / "source")
    _publish_copy(source, tmp_path)
    for key in [key for key in store._objects if key.startswith("runs/") and dice.random() < 0.3]:
        store.delete(key)
    turns = Turns(seed, lambda: _sound(store))
    views = {name: View(store, turns, name) for name in ("writer", "copier", "gc", "another gc")}
    late = Archive(views["writer"], spool=tmp_path / "spool")
    agents = {
        "writer": lambda: recovered(late),
        "gc": lambda: collected(views["gc"]),
        "another gc": lambda: collected(views["another gc"]),
    }
    if seed % 2:
        agents["copier"] = lambda: _copied(source, views["copier"], tmp_path / f"scratch{threading.get_ident()}")
    turns.run(agents)
    recovered(archive)
    assert [finding.faults for finding in archive.verify() if finding.committed] == [()]
    assert archive.spool.names() == []
    assert recovered_source.runs() == [OLD_RUN]


def _publish_copy(source: MemoryStore, tmp_path: Path) -> None:
    """The same run, as its manifest lies in the spool."""
    (data,) = [path.read_bytes() for path in (tmp_path / "spool").glob(f"*/{OLD_RUN}/{object_keys.MANIFEST}")]
    source.put(object_keys.run_key(OLD_RUN, object_keys.MANIFEST), data)


def _copied(source: MemoryStore, target: View, scratch: Path) -> None:
    with suppress(StoreUnavailable):
        list(Replica(source, target, scratch).replicate())


def _sound(store: MemoryStore) -> None:
    assert half_runs(store) == []
