"""The merged index: it says what the runs say, whoever merges, reads or fails meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.errors import IntegrityError
from archive.formats.generation import decode_generation
from archive.formats.zipnum import decode_block
from archive.index import cleanup
from archive.index import compaction as merging
from archive.model import Snapshot
from archive.runs.warc_files import RunSettings
from storage.errors import StoreUnavailable
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import NOON, an_exchange

URL = "http://example.org/a"


def reader(store: MemoryStore, tmp_path: Path, **options: int) -> Archive:
    return Archive(store, spool=tmp_path / "spool", **options)


def everything(archive: Archive) -> list[Snapshot]:
    return list(archive.snapshots("http://example.org/", match="domain"))


def keep_many(keep: Keep, runs: int, pages: int = 4) -> None:
    """Runs that capture some pages again, some anew."""
    for run in range(runs):
        keep(
            *(
                an_exchange(
                    f"http://example.org/{page if page % 2 else f'{run}-{page}'}",
                    b"<p>%d</p>" % (run if page % 3 else 0),
                    at=NOON + timedelta(minutes=run),
                )
                for page in range(pages)
            )
        )


class Watched(MemoryStore):
    """Counts what is asked of the store behind it."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._objects = store._objects  # the same objects
        self.ranges: list[tuple[str, int]] = []

    def get_range(self, key: str, start: int, length: int) -> bytes:
        data = super().get_range(key, start, length)
        self.ranges.append((key, len(data)))
        return data

    def stream(self, key: str) -> Iterator[bytes]:
        raise AssertionError(f"{key} is read whole")


def test_a_merged_index_says_what_the_runs_say(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep_many(keep, 12)
    before = everything(archive)
    merged = archive.merge()
    assert merged.generation is not None
    assert (merged.runs, merged.generation.lines, merged.generation.runs) == (12, 48, 12)
    for other in (archive, reader(store, tmp_path)):
        assert everything(other) == before
        assert other.closest("http://example.org/1", NOON + timedelta(minutes=5)).timestamp == NOON + timedelta(
            minutes=5
        )
    assert list(store.list(object_keys.LOOSE_PREFIX)) == []
    assert archive.merge().generation is None, "a second time there is nothing to do"


def test_merging_needs_no_line_of_the_runs_any_more(
    store: MemoryStore, keep: Keep, archive: Archive, tmp_path: Path
) -> None:
    keep_many(keep, 3)
    archive.merge()
    watched = Watched(store)
    cold = Archive(watched, spool=tmp_path / "spool")
    found = cold.closest("http://example.org/1")
    cold.read(found).http()
    asked = [key for key, _ in watched.ranges]
    assert len(asked) == 4, asked  # description, part of the idx, block, record
    watched.ranges.clear()
    cold.read(cold.closest("http://example.org/3")).http()
    assert len(watched.ranges) == 1, "the block is at hand"


def test_later_runs_are_seen_beside_what_was_merged_and_join_it(keep: Keep, archive: Archive) -> None:
    keep_many(keep, 6)
    archive.merge()
    keep(an_exchange(at=NOON + timedelta(days=1)))
    assert archive.closest(URL).timestamp == NOON + timedelta(days=1)
    before = everything(archive)
    merged = archive.merge(whole=True)
    assert (merged.runs, merged.generations) == (1, 1)
    assert everything(archive) == before
    assert len(archive.unguarded().catalog.generations.current()) == 1


def test_generations_grow_by_size(keep: Keep, archive: Archive) -> None:
    """Rewriting everything each time would cost the square of what is kept."""
    sizes = []
    for round_ in range(8):
        keep_many(keep, 2, pages=30)
        merged = archive.merge()
        assert merged.generation is not None
        sizes.append(len(archive.unguarded().catalog.generations.current()))
        assert merged.runs == 2, round_
    assert max(sizes) <= 3


def test_a_run_that_commits_late_is_not_missed(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    """Its name is older than those that were merged: it waited in a spool."""
    from archive.runs.warc_files import RunSettings

    late = Archive(store, spool=tmp_path / "other").session(RunSettings("test/1"))
    late.add(an_exchange("http://example.org/late"), page=True)
    keep_many(keep, 4)
    archive.merge()
    late.commit()
    archive.refresh()
    assert archive.closest("http://example.org/late").run == late.run
    archive.merge(whole=True)
    assert archive.closest("http://example.org/late").run == late.run
    assert {snapshot.run for snapshot in everything(archive)} >= {late.run}


def test_a_run_of_a_writer_that_sets_no_mark_is_found_by_the_next_merging(
    store: MemoryStore, archive: Archive, keep: Keep
) -> None:
    keep(an_exchange("http://example.org/first"))
    archive.merge()
    run = keep(an_exchange("http://example.org/unmarked"))
    store.delete(object_keys.loose_key(run))
    archive.merge()
    assert archive.closest("http://example.org/unmarked").run == run


@pytest.mark.parametrize("lost", ["mark", "generation"])
def test_a_run_that_no_lookup_asks_is_found_and_comes_back(
    store: MemoryStore, archive: Archive, keep: Keep, lost: str
) -> None:
    keep_many(keep, 4, pages=40)
    archive.merge()
    run = keep(an_exchange("http://example.org/new"))
    key = object_keys.loose_key(run)
    if lost == "generation":
        made = archive.merge().generation
        assert made is not None
        assert len(archive.unguarded().catalog.generations.current()) == 2
        key = made.key(object_keys.GENERATION)
    before = everything(archive)
    assert not [fault for finding in archive.verify() for fault in finding.faults]
    store.delete(key)
    (finding,) = [finding for finding in archive.verify() if finding.faults]
    assert (finding.run, finding.faults[0].endswith("run `onrecord compact`")) == (run, True)
    archive.merge()
    assert not [fault for finding in archive.verify() for fault in finding.faults]
    assert everything(archive) == before


def test_a_run_whose_manifest_is_not_there_yet_does_not_exist(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    keep(an_exchange())
    archive.merge()
    store.put(object_keys.loose_key("20261124T000000Z-00000000"), b"")
    archive.refresh()
    assert len(everything(archive)) == 1
    archive.merge()
    assert store.head(object_keys.loose_key("20261124T000000Z-00000000")), "its writer may be about to commit it"


def test_two_who_merge_at_once_make_no_line_double(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep_many(keep, 5)
    before = everything(archive)
    kept = dict(store._objects)
    archive.merge()
    first = {key: data for key, data in store._objects.items() if key.startswith("index/")}
    store._objects.clear()
    store._objects.update(kept)
    reader(store, tmp_path).merge()
    store._objects.update(first)
    archive.refresh()
    assert len(archive.unguarded().catalog.generations.current()) == 2
    assert everything(archive) == before
    merged = archive.merge()
    assert (merged.generations, merged.generation and merged.generation.lines) == (2, len(before))
    assert everything(archive) == before


@pytest.mark.full
def test_a_reader_reads_on_while_what_it_reads_is_replaced(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "_GRACE", timedelta(days=-1))  # what is replaced goes at once
    keep_many(keep, 40, pages=60)
    archive.merge()
    before = everything(archive)
    slow = reader(store, tmp_path)
    running = slow.snapshots("http://example.org/", match="domain")
    found = [next(running) for _ in range(10)]
    archive.merge(rebuild=True)
    assert len(archive.unguarded().catalog.generations.files()) == 1
    assert found + list(running) == before


def test_what_was_replaced_stays_for_a_while(
    store: MemoryStore, archive: Archive, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(an_exchange())
    archive.merge()
    archive.merge(rebuild=True)
    assert len(archive.unguarded().catalog.generations.files()) == 2
    assert len(archive.unguarded().catalog.generations.current()) == 1
    monkeypatch.setattr(cleanup, "_GRACE", timedelta(days=-1))
    archive.merge()
    assert len(archive.unguarded().catalog.generations.files()) == 1


@pytest.mark.parametrize(
    "name",
    [object_keys.GENERATION, object_keys.GENERATION_IDX, object_keys.GENERATION_CDX, object_keys.GENERATION_RUNS],
)
@pytest.mark.parametrize("how", ["gone", "cut", "bit"])
def test_a_damaged_generation_costs_time_and_nothing_else(
    store: MemoryStore,
    archive: Archive,
    keep: Keep,
    tmp_path: Path,
    name: str,
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    keep_many(keep, 6)
    before = everything(archive)
    made = archive.merge().generation
    assert made is not None
    key = made.key(name)
    data = store.get(key)
    if how == "gone":
        store.delete(key)
    else:
        store.put(key, data[:-9] if how == "cut" else data[:30] + bytes([data[30] ^ 1]) + data[31:])
    assert everything(reader(store, tmp_path)) == before
    if name != object_keys.GENERATION_RUNS and (name, how) != (object_keys.GENERATION, "gone"):
        assert any("--rebuild" in message for message in caplog.messages) or how == "gone"
    faults = [fault for finding in reader(store, tmp_path).verify() for fault in finding.faults]
    assert (name, how) == (object_keys.GENERATION, "gone") or faults, "verify names it"
    healed = reader(store, tmp_path)
    healed.merge(rebuild=True)
    caplog.clear()
    assert everything(reader(store, tmp_path)) == before
    assert not caplog.messages
    assert not [fault for finding in reader(store, tmp_path).verify() for fault in finding.faults]


def test_a_merging_over_a_damaged_generation_begins_from_the_runs(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep_many(keep, 6)
    before = everything(archive)
    made = archive.merge().generation
    assert made is not None
    store.put(made.key(object_keys.GENERATION_CDX), b"\0" * made.cdx[1])
    keep(an_exchange("http://example.org/later"))
    reader(store, tmp_path).merge()
    assert len(everything(reader(store, tmp_path))) == len(before) + 1


def test_a_run_with_a_damaged_index_is_left_out_and_still_named(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep_many(keep, 3)
    run = keep(an_exchange("http://example.org/damaged"))
    key = object_keys.run_key(run, object_keys.CDX)
    store.put(key, store.get(key)[:-4] + b"\0\0\0\0")
    merged = reader(store, tmp_path).merge()
    assert merged.left_out == (run,)
    fresh = reader(store, tmp_path)
    found = fresh.snapshots("http://example.org/", match="domain")
    assert len([next(found) for _ in range(12)]) == 12
    with pytest.raises(IntegrityError, match=run):
        next(found)


def test_a_run_that_was_taken_away_goes_from_the_index(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep_many(keep, 3)
    run = keep(an_exchange("http://example.org/unlawful"))
    archive.merge()
    for info in list(store.list(object_keys.run_key(run, ""))):
        store.delete(info.key)
    fresh = reader(store, tmp_path)
    fresh.merge()
    assert run not in {snapshot.run for snapshot in everything(fresh)}
    assert len(everything(fresh)) == 12


def test_the_chain_of_manifests_goes_on_over_a_merged_index(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    runs = [keep(an_exchange(f"http://example.org/{number}")) for number in range(4)]
    before = archive.unguarded().catalog.heads()
    archive.merge()
    assert reader(store, tmp_path).unguarded().catalog.heads() == before == [archive.manifest(runs[-1]).hash]
    run = keep(an_exchange("http://example.org/next"))
    assert archive.manifest(run).parents == tuple(before)
    assert reader(store, tmp_path).unguarded().catalog.heads() == [archive.manifest(run).hash]
    archive.merge(whole=True)
    assert reader(store, tmp_path).unguarded().catalog.heads() == [archive.manifest(run).hash]
    assert not [fault for finding in archive.verify() for fault in finding.faults]


def test_a_text_made_again_wins_after_merging_too(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    from dataclasses import replace

    from archive.runs.warc_files import RunSettings
    from tests.exchanges import a_document

    keep(an_exchange())
    archive.merge()
    session = archive.session(RunSettings("test/2"))
    snapshot = archive.closest(URL)
    session.adopt(snapshot)
    session.add_document(a_document(snapshot, title="A better title"))
    session.commit()
    archive.refresh()
    for _ in range(2):
        (found,) = archive.snapshots(URL)
        assert found.title == "A better title"
        assert replace(found, title=snapshot.title, document=snapshot.document) == snapshot
        archive.merge(whole=True)


def test_many_indexes_are_merged_in_bounded_numbers(
    store: MemoryStore, archive: Archive, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_many(keep, 11)
    before = everything(archive)
    monkeypatch.setattr(merging, "_AT_ONCE", 3)
    archive.merge()
    assert everything(archive) == before
    assert list(archive.spool.scratch.iterdir()) == []


def test_lines_are_in_order_for_other_readers(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    keep_many(keep, 5)
    made = archive.merge().generation
    assert made is not None
    data = store.get(made.key(object_keys.GENERATION_CDX))
    lines = [
        line
        for ref in archive.unguarded().catalog.generations.blocks(made, "", "\U0010ffff")
        for line in decode_block(data[ref.offset : ref.offset + ref.length])
    ]
    assert [line.split(" ", 2)[:2] for line in lines] == sorted(line.split(" ", 2)[:2] for line in lines)
    assert len(lines) == made.lines
    assert decode_generation(store.get(made.key(object_keys.GENERATION)), made.name) == made


def found_once(archive: Archive, url: str) -> bool:
    """What was committed before is found, if not by the old view then by a new one."""
    found = list(archive.snapshots(url))
    if not found:
        archive.refresh()
        found = list(archive.snapshots(url))
    return len(found) == 1


@pytest.mark.full
def test_no_lookup_misses_while_others_write_and_merge(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two readers look for what was committed before they asked; runs are committed and merged all the while."""
    monkeypatch.setattr(cleanup, "_GRACE", timedelta(days=-1))
    committed: list[str] = []
    missed: list[str] = []
    ended = threading.Event()

    def look(seed: int) -> None:
        chance = random.Random(seed)
        mine = reader(store, tmp_path / str(seed))
        while not ended.is_set():
            url = chance.choice(list(committed) or [""])
            if url and not found_once(mine, url):
                missed.append(url)

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    try:
        for number in range(36):
            url = f"http://example.org/{number}"
            keep(an_exchange(url, b"%d" % number))
            committed.append(url)
            if number % 4 == 3:
                reader(store, tmp_path / "writer").merge(whole=number % 12 == 11)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not missed


def test_ranges_of_time_and_the_way_back(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    for number in range(30):
        keep(an_exchange(URL, b"%d" % (number // 7), at=NOON + timedelta(hours=number)))
        if number in {9, 20}:
            archive.merge()
    every = list(archive.snapshots(URL))
    assert [snapshot.timestamp for snapshot in every] == [NOON + timedelta(hours=number) for number in range(30)]

    def within(low: int, high: int) -> Iterator[Snapshot]:
        return (snapshot for snapshot in every if low <= every.index(snapshot) <= high)

    hour = timedelta(hours=1)
    assert list(archive.snapshots(URL, start=NOON + 3 * hour, end=NOON + 25 * hour)) == list(within(3, 25))
    assert list(archive.snapshots(URL, end=NOON + 5 * hour)) == list(within(0, 5))
    assert list(archive.snapshots(URL, start=NOON + 28.5 * hour)) == list(within(29, 29))
    assert list(archive._index.back(URL)) == every[::-1]
    assert list(archive._index.back(URL, NOON + 4 * hour)) == every[3::-1]
    assert archive.closest(URL, NOON + 11.4 * hour) == every[11]
    assert archive.closest(URL, NOON + 11.6 * hour) == every[12]
    assert archive.closest(URL, NOON - hour) == every[0]


def test_blocks_of_the_index_are_kept_within_their_limit(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep_many(keep, 4)
    archive.merge()
    watched = Watched(store)
    for asks in (True, False):
        made = Archive(watched, spool=tmp_path / "spool", cache=tmp_path / "kept", kept_blocks=1 << 20)
        watched.ranges.clear()
        made.closest("http://example.org/1")
        assert any(key.endswith(object_keys.GENERATION_CDX) for key, _ in watched.ranges) is asks
    tight = Archive(watched, spool=tmp_path / "spool", cache=tmp_path / "kept", kept_blocks=1)
    keep_many(keep, 1)
    tight.refresh()
    everything(tight)
    left = [path for path in (tmp_path / "kept" / "blocks").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in left) <= 2048


def test_a_redirect_to_its_own_key_is_followed(archive: Archive, keep: Keep) -> None:
    """http and https are one page to the index: the redirect between them must not lead back to itself."""
    moved = an_exchange("http://example.org/s", b"", status=301, head=b"Location: https://example.org/s\r\n")
    for later in (0, 1):
        at = NOON + timedelta(seconds=later)
        keep(moved, an_exchange("https://example.org/s", b"the page", at=at))
        for when in (None, NOON, at):
            for url in ("http://example.org/s", "https://example.org/s"):
                assert archive.closest(url, when).status == 200
    keep(an_exchange("http://example.org/l", b"", status=301, head=b"Location: https://example.org/l\r\n"))
    assert archive.closest("http://example.org/l", NOON).status == 301, "there is nothing else"


@pytest.mark.parametrize("when", ["before the description", "behind it"])
def test_an_index_that_was_made_while_something_was_redacted_does_not_stand(when: str, tmp_path: Path) -> None:
    """Its lines are of before, titles and all."""

    class Redacted(MemoryStore):
        def put_if_absent(self, key: str, data: bytes) -> bool:
            statement = object_keys.redaction_key("20260101T000000Z-00000000")
            if key.endswith(object_keys.GENERATION) and when == "before the description":
                super().put(statement, b"signed")
            done = super().put_if_absent(key, data)
            if key.endswith(object_keys.GENERATION):
                super().put(statement, b"signed")
            return done

    store = Redacted()
    archive = Archive(store, spool=tmp_path)
    archive.prepare()
    with closing(archive.session(RunSettings("test/1"))) as session:
        session.add(an_exchange(), page=False)
        session.commit()
    with pytest.raises(StoreUnavailable, match="were redacted"):
        archive.merge()
    assert not [key for key in store._objects if key.startswith(object_keys.GENERATIONS_PREFIX)]
