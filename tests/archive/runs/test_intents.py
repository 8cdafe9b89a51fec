"""Who is about to commit a run, and who is about to remove it, see each other; a run that is held gets another name."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.coordination.intents import RunRemoved, to_commit, to_remove
from archive.crypto.signed_note import Signer
from archive.model import Outcome
from archive.redaction.plan import plan_redaction, redact
from archive.runs.commit import publish
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from tests.exchanges import a_document, an_exchange

URL = "http://example.org/a"
RUN = "20260101T000000Z-00000000"
SIGNER = Signer("clinic.example", bytes(32))


def opened(store: MemoryStore, folder: Path) -> Archive:
    archive = Archive(store, spool=folder / "spool")
    archive.prepare()
    return archive


def a_session(archive: Archive) -> Session:
    """A page, and the same page again: a revisit of this run."""
    session = archive.session(RunSettings("test/1"))
    for _ in range(2):
        snapshot = session.add(an_exchange(URL), page=True)
        if not snapshot.revisit:
            session.add_document(a_document(snapshot))
        session.add_outcome(Outcome(URL, "ok", "2026-11-23T12:00:00Z", key=snapshot.record.key))
    session.checkpoint()
    return session


def held(store: MemoryStore, run: str, since: timedelta) -> str:
    """Garbage collection that began some time ago, and has not ended."""
    key = object_keys.remove_intent(run, "00000000")
    store.put(key, b"")
    store._modified[key] -= since
    return key


def test_of_the_two_at_least_one_sees_the_other() -> None:
    store = MemoryStore()
    with to_remove(store, RUN) as may_be_removed:
        assert may_be_removed()
        with pytest.raises(StoreUnavailable, match="run again later"), to_commit(store, RUN):
            pass
        assert may_be_removed()
    with to_commit(store, RUN), to_remove(store, RUN) as may_be_removed:
        assert not may_be_removed()
    assert store._objects == {}


def test_a_run_that_is_being_removed_waits_and_keeps_its_name(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = opened(store, tmp_path)
    session = a_session(archive)
    key = held(store, session.run, timedelta(minutes=59))
    with pytest.raises(StoreUnavailable, match="run again later"):
        session.commit()
    session.close()
    assert archive.spool.names() == [session.run]
    store.delete(key)
    (again,) = archive.recover()
    with closing(again):
        found = again.commit()
    assert found is not None
    assert found.run == session.run


def test_a_run_that_is_held_by_one_that_sleeps_gets_another_name(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = opened(store, tmp_path)
    session = a_session(archive)
    first = session.run
    held(store, first, timedelta(minutes=61))
    found = session.commit()
    session.close()
    assert found is not None
    assert found.run == session.run != first
    assert found.run[:17] == first[:17], "it sorts as before"
    assert archive.spool.names() == []
    for key in [key for key in store._objects if key.startswith(object_keys.run_key(first, ""))]:
        store.delete(key)  # what one that slept would do
    archive.refresh()
    assert [each.faults for each in archive.verify()] == [()]
    captured = list(archive.snapshots(URL))
    assert [each.revisit for each in captured] == [False, True]
    for each in captured:
        assert b"".join(archive.payload(each)[2]) == b"<p>hello</p>"
        assert archive.document(each) is not None
    outcomes = [
        json.loads(line) for line in store.get(object_keys.run_key(found.run, object_keys.OUTCOMES)).splitlines()
    ]
    assert {entry["key"] for entry in outcomes} == {object_keys.run_key(found.run, object_keys.warc_path(0))}
    package = json.loads(store.get(object_keys.run_key(found.run, object_keys.MANIFEST)))
    assert package["run"]["first_name"] == first


def test_another_name_holds_in_the_spool_too(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = opened(store, tmp_path)
    session = a_session(archive)
    first = session.run
    held(store, first, timedelta(hours=2))
    held_again = MemoryStore.put_if_absent
    with pytest.MonkeyPatch.context() as patch:

        def cut_off(self: MemoryStore, key: str, data: bytes) -> bool:
            if key.endswith(object_keys.MANIFEST):
                raise StoreUnavailable("cut off")
            return held_again(self, key, data)

        patch.setattr(MemoryStore, "put_if_absent", cut_off)
        with pytest.raises(StoreUnavailable, match="cut off"):
            session.commit()
    session.close()
    kept = json.loads((session._spooled.folder / "run.json").read_bytes())
    assert kept["spool"] == 2, "an older program leaves it alone, rather than publish it under its first name"
    (again,) = archive.recover()
    with closing(again):
        found = again.commit()
    assert found is not None
    assert found.run == session.run != first
    assert archive.runs() == [found.run]


def test_a_run_that_is_held_in_a_replica_keeps_its_name(tmp_path: Path) -> None:
    """The primary has it under this name: under another one it would be there twice."""

    class Second(MemoryStore):
        url = "memory:replica"

    primary, replica = MemoryStore(), Second()
    archive = Archive(primary, [replica], spool=tmp_path / "spool")
    archive.prepare()
    session = a_session(archive)
    key = held(replica, session.run, timedelta(hours=2))
    with pytest.raises(StoreUnavailable, match=f"not yet in memory:replica.*delete {key}"):
        session.commit()
    session.close()
    assert archive.spool.names() == [session.run]
    replica.delete(key)
    (again,) = archive.recover()
    with closing(again):
        again.commit()
    assert archive.spool.names() == []
    for store in (primary, replica):
        assert Archive(store, spool=tmp_path / "none").runs() == [session.run]


def test_a_run_that_was_redacted_before_its_writer_saw_it_leaves_the_spool(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = opened(store, tmp_path)
    session = a_session(archive)
    session._spooled.remove = lambda: None  # type: ignore[method-assign] # killed before it could
    session.commit()
    (session._spooled.folder / "proven").unlink()
    session.close()
    other = Archive(store, spool=tmp_path / "other")
    redact(other, plan_redaction(other, session.run, [URL], ()), SIGNER, "asked for")
    redacted = {key: data for key, data in store._objects.items() if key.startswith("runs/")}
    (again,) = archive.recover()
    with closing(again):
        again.commit()
    assert archive.spool.names() == []
    assert {key: data for key, data in store._objects.items() if key.startswith("runs/")} == redacted


def test_a_file_that_disappears_behind_the_manifest_is_put_again(tmp_path: Path) -> None:
    """Someone else deletes there: what is missing is put again before the local copy goes."""

    class Losing(MemoryStore):
        lost = False

        def put_if_absent(self, key: str, data: bytes) -> bool:
            done = super().put_if_absent(key, data)
            if key.endswith(object_keys.MANIFEST) and not self.lost:
                self.lost = True
                self.delete(key.replace(object_keys.MANIFEST, object_keys.warc_path(0)))
            return done

    store = Losing()
    archive = opened(store, tmp_path)
    with closing(a_session(archive)) as session:
        session.commit()
    assert store.lost
    assert [each.faults for each in archive.verify()] == [()]


def test_publish_says_that_the_name_is_held(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = opened(store, tmp_path)
    session = a_session(archive)
    held(store, session.run, timedelta(hours=2))
    store.put = lambda key, data: (_ for _ in ()).throw(StoreUnavailable("no"))  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        session.commit()
    del store.put  # type: ignore[method-assign]
    with pytest.raises(RunRemoved, match="delete intents/remove/"):
        publish(store, session._spooled)
    session.close()
