"""An archive's primary store and its replicas: what one lacks or has damaged comes from the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.errors import ArchiveError
from archive.runs.known_stores import KnownStores, StoreChanged
from archive.runs.warc_files import RunSettings
from storage.base import ObjectStore
from storage.errors import StoreUnavailable
from storage.local import LocalStore
from storage.location import address_of, open_stores
from storage.memory import MemoryStore
from tests.exchanges import an_exchange


@pytest.fixture
def stores(tmp_path: Path) -> list[LocalStore]:
    return [LocalStore(tmp_path / name) for name in ("primary", "one", "two")]


def a_run(stores: list[LocalStore], folder: Path, url: str = "http://example.org/a") -> str:
    archive = an_archive(stores, folder)
    archive.prepare()
    session = archive.session(RunSettings("test/1"))
    session.add(an_exchange(url), page=False)
    found = session.commit()
    assert found is not None
    return found.run


def an_archive(stores: list[LocalStore], folder: Path) -> Archive:
    return Archive(stores[0], stores[1:], spool=folder / "spool")


def faults(store: ObjectStore, folder: Path) -> list[str]:
    return [fault for finding in Archive(store, spool=folder / "none").verify() for fault in finding.faults]


def damage(store: LocalStore, run: str) -> None:
    key = object_keys.run_key(run, object_keys.warc_path(0))
    store.put(key, store.get(key)[:-1])


def test_a_run_is_in_each_store_and_each_is_an_archive(stores: list[LocalStore], tmp_path: Path) -> None:
    run = a_run(stores, tmp_path)
    archive = an_archive(stores, tmp_path)
    assert archive.url == address_of(stores)
    assert [store.url for store in open_stores(archive.url)] == [store.url for store in stores]
    assert list(archive.each_store(lambda store: Archive(store, spool=tmp_path).runs())) == [
        (store, run) for store in stores
    ]
    assert [fault for store in stores for fault in faults(store, tmp_path)] == []
    assert list(archive.lacking()) == []


def test_what_one_store_lacks_comes_from_the_others(stores: list[LocalStore], tmp_path: Path) -> None:
    runs = [a_run(stores, tmp_path), a_run(stores[:1], tmp_path, "http://example.org/b")]
    archive = an_archive(stores, tmp_path)
    assert [(store, finding.run) for store, finding in archive.lacking()] == [(store, runs[1]) for store in stores[1:]]
    assert [copied.run for copied in archive.replicate(())] == [runs[1]] * 2
    assert list(archive.lacking()) == []
    assert list(archive.replicate(())) == []
    assert [fault for store in stores for fault in faults(store, tmp_path)] == []


def test_each_store_is_repaired_from_the_others(stores: list[LocalStore], tmp_path: Path) -> None:
    runs = [a_run(stores, tmp_path), a_run(stores, tmp_path, "http://example.org/b")]
    for store, run in zip(stores, runs, strict=False):
        damage(store, run)
    assert [bool(faults(store, tmp_path)) for store in stores] == [True, True, False]
    assert sum(copied.files for copied in an_archive(stores, tmp_path).repair(())) == 2
    assert [fault for store in stores for fault in faults(store, tmp_path)] == []


def test_a_copy_in_several_stores_is_looked_through_for_a_sound_file(stores: list[LocalStore], tmp_path: Path) -> None:
    run = a_run(stores, tmp_path)
    damage(stores[0], run)
    damage(stores[1], run)
    (tmp_path / "other").mkdir()
    target = LocalStore(tmp_path / "target")
    archive = an_archive(stores, tmp_path)
    assert [copied.faults for copied in archive.replicate_to([target], ())] == [()]
    assert faults(target, tmp_path) == []
    alone = Archive(stores[0], spool=tmp_path / "spool")
    assert [copied.files for copied in alone.repair_from(stores[1:], (), [run])] == [1]
    assert faults(stores[0], tmp_path) == []


def test_an_archive_is_read_on_from_a_replica(stores: list[LocalStore], tmp_path: Path) -> None:
    class Away(LocalStore):
        def get_range(self, key: str, start: int, length: int) -> bytes:
            raise StoreUnavailable("out of reach")

        def list(self, prefix: str = "", start_after: str = ""):  # type: ignore[no-untyped-def]
            raise StoreUnavailable("out of reach")

    a_run(stores, tmp_path)
    archive = Archive(Away(tmp_path / "primary"), stores[1:], spool=tmp_path / "spool")
    snapshot = archive.closest("http://example.org/a")
    assert archive.read(snapshot).record_id == snapshot.record_id


def test_another_archive_is_no_replica(stores: list[LocalStore], tmp_path: Path) -> None:
    a_run(stores[:1], tmp_path)
    a_run(stores[1:2], tmp_path)
    with pytest.raises(ArchiveError, match="holds another archive"):
        list(an_archive(stores[:2], tmp_path).replicate(()))


def test_no_archive_is_begun_where_all_disks_are_gone(stores: list[LocalStore], tmp_path: Path) -> None:
    """One that is begun there would hide the stores that this machine knows, once they are back."""
    known = KnownStores(tmp_path / "known")
    Archive(stores[0], stores[1:], spool=tmp_path / "spool", known=known).prepare()
    for name in ("primary", "one", "two"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        (tmp_path / name).mkdir()
    with pytest.raises(StoreChanged, match="holds none now"):
        Archive(stores[0], stores[1:], spool=tmp_path / "spool", known=known).prepare()
    assert all(not list(store.list()) for store in stores)


def test_a_store_without_replicas_is_asked_itself(tmp_path: Path) -> None:
    store = MemoryStore()
    stores = Archive(store, spool=tmp_path).unguarded().stores
    assert stores.view is store
    assert stores.stores == (store,)
