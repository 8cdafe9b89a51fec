"""A run leaves the spool only once its store has given it back, and each of an archive's stores."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.crypto.signed_note import Signer
from archive.errors import OnrecordError
from archive.model import Outcome
from archive.redaction.plan import plan_redaction, redact
from archive.runs.session import Session
from archive.runs.warc_files import RunSettings
from storage.base import ObjectStore
from storage.errors import StoreError, StoreUnavailable
from storage.memory import MemoryStore
from tests.exchanges import an_exchange

FILES = [
    object_keys.warc_path(0),
    object_keys.PAGES,
    object_keys.CDX,
    object_keys.IDX,
    object_keys.OUTCOMES,
    object_keys.MANIFEST_DIGEST,
    object_keys.MANIFEST,
]


class Lying(MemoryStore):
    """Keeps something else, of the same size, under keys that end like this."""

    lie: str | None = None

    def _keep(self, key: str, data: bytes) -> None:
        if self.lie and key.endswith(f"/{self.lie}"):
            data = bytes([data[0] ^ 1]) + data[1:]
        super()._keep(key, data)


class Named(MemoryStore):
    """With an address of its own, and out of reach when told so."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.down = False
        self.read = 0

    @property
    def url(self) -> str:
        return self.name

    def _keep(self, key: str, data: bytes) -> None:
        self._reached()
        super()._keep(key, data)

    def get(self, key: str) -> bytes:
        self._reached()
        self.read += 1
        return super().get(key)

    def _reached(self) -> None:
        if self.down:
            raise StoreUnavailable(f"{self.name} does not answer")


def an_archive(
    store: ObjectStore, tmp_path: Path, *, replicas: Sequence[ObjectStore] = (), read_back: bool = True
) -> Archive:
    archive = Archive(store, replicas, spool=tmp_path / "spool", read_back=read_back)
    archive.prepare()
    return archive


def a_session(archive: Archive, url: str = "http://example.org/a") -> Session:
    session = archive.session(RunSettings("test/1"))
    session.add(an_exchange(url), page=False)
    session.add_outcome(Outcome(url, "ok", "2026-11-23T12:00:00Z"))
    return session


def waiting(archive: Archive) -> list[str]:
    return archive.spool.names()


def recovered(archive: Archive) -> list[str]:
    done = []
    for session in archive.recover():
        with closing(session):
            session.commit()
            done.append(session.run)
    return done


def faults(store: ObjectStore, tmp_path: Path) -> list[str]:
    return [fault for found in Archive(store, spool=tmp_path / "none").verify() for fault in found.faults]


@pytest.mark.parametrize("file", FILES)
def test_a_store_that_gives_back_something_else_leaves_the_run_in_the_spool(file: str, tmp_path: Path) -> None:
    store = Lying()
    archive = an_archive(store, tmp_path)
    session = a_session(archive)
    store.lie = file
    with pytest.raises(StoreUnavailable, match="back as it was put"):
        session.commit()
    session.close()
    assert waiting(archive) == [session.run]
    store.lie = None
    assert recovered(archive) == [session.run]
    assert waiting(archive) == []
    assert faults(store, tmp_path) == []


def test_without_read_back_what_is_listed_is_believed(tmp_path: Path) -> None:
    store = Lying()
    archive = an_archive(store, tmp_path, read_back=False)
    session = a_session(archive)
    store.lie = object_keys.PAGES
    session.commit()
    assert waiting(archive) == []
    assert faults(store, tmp_path)


def test_a_file_that_was_lost_since_is_put_again_before_the_local_copy_goes(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = an_archive(store, tmp_path)
    session = a_session(archive)
    session._spooled.remove = lambda: None  # type: ignore[method-assign] # killed before it could
    session.commit()
    (session._spooled.folder / "proven").unlink()
    session.close()
    key = object_keys.run_key(session.run, object_keys.warc_path(0))
    store.put(key, store.get(key)[:-1])
    assert recovered(archive) == [session.run]
    assert faults(store, tmp_path) == []


def test_a_name_that_is_taken_is_not_written_over(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = an_archive(store, tmp_path)
    session = a_session(archive)
    other = a_session(archive, "http://example.org/other")
    other.commit()
    for file in FILES:
        data = store.get(object_keys.run_key(other.run, file))
        store.put(object_keys.run_key(session.run, file), data.replace(other.run.encode(), session.run.encode()))
    before = dict(store._objects)
    with pytest.raises(StoreError, match="another run has taken the name"):
        session.commit()
    assert store._objects == before


def test_a_member_that_is_down_gets_the_run_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = Named("one"), Named("two")
    archive = an_archive(first, tmp_path, replicas=[second])
    second.down = True
    session = a_session(archive)
    with pytest.raises(StoreUnavailable, match="is in one and not yet in two"):
        session.commit()
    session.close()
    assert faults(first, tmp_path) == [], "it exists"
    assert waiting(archive) == [session.run]
    first.read = 0
    with pytest.raises(StoreUnavailable, match="not yet in two"):
        recovered(archive)
    assert first.read <= 4, "what the first has given back is not read again"
    second.down = False
    assert recovered(archive) == [session.run]
    assert waiting(archive) == []
    for store in (first, second):
        assert faults(store, tmp_path) == []
        assert object_keys.run_key(session.run, object_keys.MANIFEST) in store._objects


def test_what_was_redacted_meanwhile_is_not_brought_to_a_member_that_was_down(tmp_path: Path) -> None:
    first, second = Named("one"), Named("two")
    archive = an_archive(first, tmp_path, replicas=[second])
    a_session(archive, "http://example.org/before").commit()
    second.down = True
    session = a_session(archive)
    with pytest.raises(StoreUnavailable, match="not yet in two"):
        session.commit()
    session.close()
    alone = an_archive(first, tmp_path / "alone")
    what = plan_redaction(alone, session.run, ["http://example.org/a"], ())
    redact(alone, what, Signer("clinic.example", bytes(32)), "asked for")
    second.down = False
    with pytest.raises(StoreError, match="is another one in one since it was put there"):
        recovered(archive)
    assert not [key for key in second._objects if key.startswith(object_keys.run_key(session.run, ""))]
    assert waiting(archive) == [session.run]


def test_when_the_first_member_is_down_nothing_is_committed(tmp_path: Path) -> None:
    first, second = Named("one"), Named("two")
    archive = an_archive(first, tmp_path, replicas=[second])
    session = a_session(archive)
    first.down = True
    with pytest.raises(StoreUnavailable, match="one does not answer"):
        session.commit()
    session.close()
    assert not [key for key in second._objects if key.startswith("runs/")]
    first.down = False
    assert recovered(archive) == [session.run]
    assert {key for key in first._objects if key.startswith("runs/")} <= second._objects.keys()


def test_a_first_member_that_is_empty_is_not_begun_anew(tmp_path: Path) -> None:
    full = Named("full")
    an_archive(full, tmp_path)
    empty = Named("unmounted")
    archive = Archive(empty, [full], spool=tmp_path / "spool")
    with pytest.raises(StoreUnavailable, match="see whether its disk is mounted"):
        archive.prepare()
    session = a_session(archive)
    with pytest.raises(StoreUnavailable, match="holds no archive"):
        session.commit()
    assert empty._objects == {}


def test_a_copy_that_is_another_archive_is_named_and_not_written_to(tmp_path: Path) -> None:
    first, other = Named("one"), Named("other")
    for store in (first, other):
        an_archive(store, tmp_path)
    archive = an_archive(first, tmp_path, replicas=[other])
    before = dict(other._objects)
    session = a_session(archive)
    with pytest.raises(OnrecordError, match="holds another archive"):
        session.commit()
    assert other._objects == before
    assert faults(first, tmp_path) == []


def test_each_member_has_an_index_of_its_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = Named("one"), Named("two")
    archive = an_archive(first, tmp_path, replicas=[second])
    for number in range(3):
        a_session(archive, f"http://example.org/{number}").commit()
    archive.merge()
    for store in (first, second):
        alone = Archive(store, spool=tmp_path / "none")
        assert len(alone.unguarded().catalog.parts().generations) == 1
        assert alone.unguarded().catalog.parts().runs == ()
        assert len(list(alone.snapshots("http://example.org/", match="host"))) == 3
    second.down = True
    a_session_of(archive)
    with caplog.at_level(logging.WARNING):
        archive.merge()
    assert "was not merged in two" in caplog.text


def a_session_of(archive: Archive) -> None:
    with pytest.raises(StoreUnavailable):
        a_session(archive, "http://example.org/more").commit()
