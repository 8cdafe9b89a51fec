"""Copies of an archive: whole or named, and what they mend is what was there."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from archive import object_keys
from archive.access.replicate_rules import Copied
from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.crypto.signed_note import Signer
from archive.errors import FormatError, OnrecordError
from storage.errors import StoreUnavailable
from storage.local import LocalStore
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.archive.forged import forge
from tests.exchanges import an_exchange

FLIPS, CUTS = 1000, 200

Objects = dict[str, bytes]


def runs_in(store: MemoryStore) -> Objects:
    """All objects but the merged index and its marks: these are made again."""
    return {key: data for key, data in store._objects.items() if not key.startswith("index/")}


@pytest.fixture
def three_runs(keep: Keep) -> list[str]:
    return [
        keep(an_exchange(), an_exchange("http://example.org/b", b"<p>other</p>")),
        keep(an_exchange()),
        keep(an_exchange("http://example.org/c", status=404, body=b"gone")),
    ]


@pytest.fixture
def replica(store: MemoryStore, three_runs: list[str], tmp_path: Path) -> MemoryStore:
    made = MemoryStore()
    assert [copied.run for copied in Replica(store, made, tmp_path).replicate()] == three_runs
    return made


def found_and_mended(archive: Archive, replica: MemoryStore, tmp_path: Path) -> tuple[bool, list[Copied]]:
    store = archive.unguarded().stores.primary
    fresh = Archive(store, spool=tmp_path / "spool")
    try:
        found = any(finding.faults for finding in fresh.verify())
    except OnrecordError:
        found = True
    return found, list(Replica(replica, store, tmp_path).repair())


def test_a_replica_is_an_archive_of_its_own(store: MemoryStore, replica: MemoryStore, tmp_path: Path) -> None:
    assert runs_in(replica) == runs_in(store)
    archive = Archive(replica, spool=tmp_path / "spool")
    assert not [fault for finding in archive.verify() for fault in finding.faults]
    assert archive.closest("http://example.org/b").status == 200
    assert list(Replica(store, replica, tmp_path).replicate()) == [], "a second time there is nothing to bring"


def test_what_is_new_is_brought(store: MemoryStore, replica: MemoryStore, keep: Keep, tmp_path: Path) -> None:
    run = keep(an_exchange("http://example.org/new"))
    (copied,) = Replica(store, replica, tmp_path).replicate()
    assert (copied.run, copied.files, copied.faults) == (run, 7, ())
    assert runs_in(replica) == runs_in(store)


def test_a_run_breaks_off_and_is_brought_whole_the_next_time(
    store: MemoryStore, three_runs: list[str], tmp_path: Path
) -> None:
    class Failing(MemoryStore):
        left = 9

        def put_file(self, key: str, path: Path) -> None:
            self.left -= 1
            if self.left < 0:
                raise StoreUnavailable("out of reach")
            super().put_file(key, path)

    half = Failing()
    with pytest.raises(StoreUnavailable):
        list(Replica(store, half, tmp_path).replicate())
    assert len({finding.run for finding in Archive(half, spool=tmp_path / "s").verify() if finding.committed}) == 1
    half.left = 100
    list(Replica(store, half, tmp_path).replicate())
    assert runs_in(half) == runs_in(store)
    assert list(tmp_path.glob("*/file")) == []


def test_a_damaged_run_is_not_passed_on(store: MemoryStore, three_runs: list[str], tmp_path: Path) -> None:
    key = object_keys.run_key(three_runs[1], object_keys.warc_path(0))
    store.put(key, store.get(key)[:-1])
    target = MemoryStore()
    copies = {copied.run: copied for copied in Replica(store, target, tmp_path).replicate()}
    assert [run for run, copied in copies.items() if copied.faults] == [three_runs[1]]
    assert "not the file its manifest names" in copies[three_runs[1]].faults[0]
    held = {finding.run for finding in Archive(target, spool=tmp_path / "s").verify() if finding.committed}
    assert held == {three_runs[0], three_runs[2]}


def test_another_archive_is_no_place_for_a_copy(store: MemoryStore, three_runs: list[str], tmp_path: Path) -> None:
    other = MemoryStore()
    Archive(other, spool=tmp_path / "spool").prepare()
    for attempt in (Replica(store, other, tmp_path).replicate, Replica(other, store, tmp_path).repair):
        with pytest.raises(FormatError, match="another archive"):
            list(attempt())
    assert len(other._objects) == 1


def test_a_store_that_gives_back_something_else_is_not_believed(
    store: MemoryStore, three_runs: list[str], tmp_path: Path
) -> None:
    class Lossy(MemoryStore):
        def put_file(self, key: str, path: Path) -> None:
            self.put(key, path.read_bytes()[:-1])

    with pytest.raises(OnrecordError, match="back as it was put"):
        list(Replica(store, Lossy(), tmp_path).replicate())


def damages(dice: random.Random, objects: Objects) -> list[tuple[str, Callable[[bytes], bytes | None]]]:
    def flip(data: bytes) -> bytes:
        position = dice.randrange(len(data))
        return data[:position] + bytes([data[position] ^ 1 << dice.randrange(8)]) + data[position + 1 :]

    def cut(data: bytes) -> bytes:
        return data[: dice.randrange(len(data))]

    names = [key for key, data in sorted(objects.items()) if data]
    every: list[tuple[str, Callable[[bytes], bytes | None]]] = [(key, lambda _: None) for key in names]
    every += [(names[number % len(names)], flip) for number in range(FLIPS)]
    return every + [(names[number % len(names)], cut) for number in range(CUTS)]


@pytest.mark.full
def test_every_flip_cut_and_loss_is_found_and_mended_to_the_byte(
    store: MemoryStore, archive: Archive, replica: MemoryStore, tmp_path: Path
) -> None:
    whole = runs_in(store)
    for key, damage in damages(random.Random(11), whole):
        data = damage(whole[key])
        if data is None:
            store.delete(key)
        else:
            store.put(key, data)
        found, copies = found_and_mended(archive, replica, tmp_path)
        lost_alone = (
            key.endswith(object_keys.MANIFEST) and data is None
        )  # then the run does not exist: its child says so
        assert found or lost_alone, key
        assert not [fault for copied in copies for fault in copied.faults], key
        assert runs_in(store) == whole, key
        assert sum(copied.files for copied in copies) == (key != object_keys.STORE_KEY), key


def test_a_run_that_was_altered_as_a_whole_is_known_by_its_child(
    store: MemoryStore, archive: Archive, replica: MemoryStore, three_runs: list[str], tmp_path: Path
) -> None:
    """Every file of the forged run fits its own manifest; only the run that came after it names another."""
    whole = runs_in(store)
    forge(store, run=three_runs[0])
    found, copies = found_and_mended(archive, replica, tmp_path)
    assert found
    assert [copied.run for copied in copies if copied.files] == [three_runs[0]]
    assert runs_in(store) == whole


def test_a_store_that_was_described_anew_is_known_by_its_runs(
    store: MemoryStore, archive: Archive, replica: MemoryStore, tmp_path: Path
) -> None:
    whole = runs_in(store)
    store.delete(object_keys.STORE_KEY)
    archive.prepare()
    assert runs_in(store) != whole
    list(Replica(replica, store, tmp_path).repair())
    assert runs_in(store) == whole


def test_two_runs_of_one_name_are_left_alone_when_nothing_tells_which_is_true(
    store: MemoryStore, archive: Archive, replica: MemoryStore, three_runs: list[str], tmp_path: Path
) -> None:
    forge(store, run=three_runs[-1])
    before = runs_in(store)
    _, copies = found_and_mended(archive, replica, tmp_path)
    (fault,) = [fault for copied in copies for fault in copied.faults]
    assert "two different runs of that name" in fault
    assert runs_in(store) == before
    (copied,) = Replica(store, replica, tmp_path).replicate()
    assert "the replica holds another run of that name" in copied.faults[0]


def test_what_neither_holds_is_named(
    store: MemoryStore, archive: Archive, replica: MemoryStore, three_runs: list[str], tmp_path: Path
) -> None:
    key = object_keys.run_key(three_runs[0], object_keys.OUTCOMES)
    store.put(key, b"")
    replica.put(key, b"x")
    _, copies = found_and_mended(archive, replica, tmp_path)
    assert any("logs/outcomes.jsonl" in fault for copied in copies for fault in copied.faults)


def test_only_the_runs_that_are_named_are_mended(
    store: MemoryStore, replica: MemoryStore, three_runs: list[str], tmp_path: Path
) -> None:
    for run in three_runs:
        store.delete(object_keys.run_key(run, object_keys.PAGES))
    copies = list(Replica(replica, store, tmp_path).repair(three_runs[1:2]))
    assert [(copied.run, copied.files) for copied in copies] == [(three_runs[1], 1)]
    (copied,) = Replica(replica, store, tmp_path).repair(["20200101T000000Z-0000"])
    assert copied.faults == ("neither store holds such a run",)


def test_from_a_directory_and_back(store: MemoryStore, three_runs: list[str], tmp_path: Path) -> None:
    disk = LocalStore(tmp_path / "disk")
    list(Replica(store, disk, tmp_path / "scratch").replicate())
    again = MemoryStore()
    list(Replica(disk, again, tmp_path / "scratch").replicate())
    assert runs_in(again) == runs_in(store)


def test_what_is_signed_is_brought_and_mended_too(
    store: MemoryStore, archive: Archive, keep: Keep, tmp_path: Path
) -> None:
    keep(an_exchange())
    signer = Signer("clinic.example", bytes(32))
    archive.checkpoint(signer, tmp_path / "last")
    copy = MemoryStore()
    copies = [copied.run for copied in Replica(store, copy, tmp_path).replicate()]
    assert copies[-1] == object_keys.EVIDENCE_PREFIX
    signed = {info.key: store.get(info.key) for info in store.list(object_keys.EVIDENCE_PREFIX)}
    assert len(signed) == 3
    assert {info.key: copy.get(info.key) for info in copy.list(object_keys.EVIDENCE_PREFIX)} == signed
    assert list(Replica(store, copy, tmp_path).replicate()) == []

    for key, data in signed.items():
        for damaged in (data[:-1], data[:9] + bytes([data[9] ^ 1]) + data[10:], None):
            store.put(key, damaged) if damaged is not None else store.delete(key)
            if damaged is not None:
                (differs,) = Replica(store, copy, tmp_path).replicate()
                assert differs.faults == (
                    f"{key} is another one in each store; `onrecord verify` at both tells which is true",
                )
            (mended,) = [copied for copied in Replica(copy, store, tmp_path).repair() if copied.files]
            assert (mended.run, mended.files, mended.faults) == (object_keys.EVIDENCE_PREFIX, 1, ())
            assert store.get(key) == data
