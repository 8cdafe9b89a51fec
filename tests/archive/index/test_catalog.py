"""Which runs exist, and what is kept of them at hand."""

from __future__ import annotations

from pathlib import Path

from archive import object_keys
from archive.archive import Archive
from archive.digests import digest_of
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import an_exchange


def test_a_kept_manifest_that_rotted_is_never_named_as_a_parent(
    store: MemoryStore, keep: Keep, archive: Archive, tmp_path: Path
) -> None:
    """It would still read as a manifest, but the hash that the next run named would be that of no run."""
    run = keep(an_exchange())
    archive.closest("http://example.org/a")
    (kept,) = (tmp_path / "cache").rglob(object_keys.MANIFEST)
    kept.write_bytes(kept.read_bytes().replace(b'"captures": 1', b'"captures": 2'))
    later = Archive(store, spool=tmp_path / "spool", cache=tmp_path / "cache")
    assert later.unguarded().catalog.heads() == [digest_of(store.get(object_keys.run_key(run, object_keys.MANIFEST)))]


def test_a_cache_that_cannot_be_written_is_no_fault(store: MemoryStore, keep: Keep, tmp_path: Path) -> None:
    keep(an_exchange())
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", None):
        found = Archive(store, spool=tmp_path / "spool", cache=folder).closest("http://example.org/a")
        assert found.status == 200


def test_comparing_with_earlier_captures_reads_the_newest_runs_only(store: MemoryStore, keep: Keep) -> None:
    from archive.index.catalog import Cache, Catalog
    from archive.index.lookup import Index

    for number in range(70):
        keep(an_exchange(f"http://example.org/{number}", b"%d" % number))
    asked: list[str] = []

    class Counting(MemoryStore):
        def get_range(self, key: str, start: int, length: int) -> bytes:
            asked.append(key)
            return store.get_range(key, start, length)

        def list(self, prefix: str = "", start_after: str = ""):
            return store.list(prefix, start_after)

    counting = Counting()
    index = Index(counting, Catalog(counting, Cache(None)))
    assert next(index.newest("http://example.org/69")).status == 200
    assert sum(key.endswith(object_keys.IDX) for key in asked) == 64


def test_runs_that_go_while_they_are_read_exist_no_more(store: MemoryStore, keep: Keep, tmp_path: Path) -> None:
    gone, stays = keep(an_exchange()), keep(an_exchange(body=b"<p>later</p>"))
    reader = Archive(store, spool=tmp_path / "spool")
    assert reader._index.parts().runs == (gone, stays)
    store.delete(object_keys.run_key(gone, object_keys.MANIFEST))
    assert [snapshot.run for snapshot in reader.snapshots("http://example.org/a")] == [stays]
