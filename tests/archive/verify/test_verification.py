"""A look sees what is missing, cut or broken in the chain, and reads nothing that was captured; readings go on."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.formats import manifest
from archive.times import now
from archive.verify.history import Readings
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import an_exchange


class Counting(MemoryStore):
    """Notes what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def get(self, key: str) -> bytes:
        self.read.append(key)
        return super().get(key)


@pytest.fixture
def store() -> Counting:
    return Counting()


@pytest.fixture
def runs(keep: Keep) -> list[str]:
    return [keep(an_exchange(f"http://example.org/{number}", b"%d" % number)) for number in range(4)]


def looked(archive: Archive, runs: list[str] | None = None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for finding in archive.verification(Readings(), deep=False).findings(runs):
        found[finding.run] = found.get(finding.run, ()) + finding.faults
    return found


def test_a_look_reads_nothing_that_was_captured(archive: Archive, store: Counting, runs: list[str]) -> None:
    archive.merge()
    store.read.clear()
    findings = list(archive.verification(Readings(), deep=False).findings())
    assert [finding.faults for finding in findings] == [()] * 5
    assert not any(finding.read for finding in findings)
    read = [key.split("/", 2)[-1] for key in store.read if key.startswith("runs/")]
    assert set(read) == {object_keys.MANIFEST, object_keys.MANIFEST_DIGEST, object_keys.IDX}
    assert len(read) <= 4 * len(runs)
    assert not [key for key in store.read if key.endswith(".cdx.gz")]


@pytest.mark.parametrize(
    "path", [object_keys.warc_path(0), object_keys.PAGES, object_keys.CDX, object_keys.IDX, object_keys.OUTCOMES]
)
def test_a_look_sees_what_is_missing_or_cut(archive: Archive, store: Counting, runs: list[str], path: str) -> None:
    key = object_keys.run_key(runs[1], path)
    whole = store.get(key)
    store.put(key, whole[:-1])
    assert [run for run, faults in looked(archive).items() if faults] == [runs[1]]
    store.delete(key)
    assert any("is missing" in fault for fault in looked(archive)[runs[1]])


@pytest.mark.parametrize("path", [object_keys.MANIFEST, object_keys.MANIFEST_DIGEST, object_keys.IDX])
def test_a_look_sees_a_flip_in_what_it_reads(archive: Archive, store: Counting, runs: list[str], path: str) -> None:
    key = object_keys.run_key(runs[2], path)
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))
    assert looked(archive)[runs[2]]


def test_a_look_does_not_say_that_it_saw_what_it_did_not(archive: Archive, store: Counting, runs: list[str]) -> None:
    key = object_keys.run_key(runs[2], object_keys.warc_path(0))
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    store.put(key, bytes(data))
    (finding,) = archive.verification(Readings(), deep=False).findings([runs[2]])
    assert (finding.faults, finding.read) == ((), False)
    (finding,) = archive.verification(Readings(), deep=True).findings([runs[2]])
    assert finding.read
    assert finding.faults


def test_a_look_sees_a_run_that_was_deleted_or_written_again(
    archive: Archive, store: Counting, runs: list[str]
) -> None:
    key = object_keys.run_key(runs[0], object_keys.MANIFEST)
    forged = store.get(key).replace(b'"failed": 0', b'"failed": 1')
    store.put(key, forged)
    store.put(object_keys.run_key(runs[0], object_keys.MANIFEST_DIGEST), manifest.digest_file(forged))
    assert "was deleted, or altered" in looked(archive)[runs[1]][0]
    for info in list(store.list(f"runs/{runs[2]}/")):
        store.delete(info.key)
    assert "was deleted, or altered" in looked(archive)[runs[3]][0]
    assert looked(archive, [runs[2]]) == {runs[2]: (f"there is no run {runs[2]}",)}


def deep(archive: Archive, readings: Readings, **settings: object) -> tuple[list[str], list[str]]:
    """The runs that were read whole, and those that were due and not reached."""
    checking = archive.verification(readings, deep=True, **settings)  # type: ignore[arg-type]
    read = [finding.run for finding in checking.findings() if finding.read and finding.committed]
    return read, checking.unread


def test_what_was_read_lately_is_not_read_again(archive: Archive, keep: Keep, runs: list[str], tmp_path: Path) -> None:
    readings = Readings(tmp_path / "readings.db")
    assert deep(archive, readings) == (runs, [])
    again = Readings(tmp_path / "readings.db")
    month = now() - timedelta(days=30)
    assert deep(archive, again, since=month) == ([], [])
    new = keep(an_exchange("http://example.org/new"))
    assert deep(archive, again, since=month) == ([new], [])
    assert sorted(deep(archive, again)[0]) == sorted([new, *runs])


def test_what_was_not_read_longest_comes_first(
    archive: Archive, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = Readings()
    for days, run in ((-5, runs[2]), (-9, runs[0]), (-1, runs[1])):
        with monkeypatch.context() as patch:
            patch.setattr("archive.times._ahead", timedelta(days=days))
            list(archive.verification(readings, deep=True).findings([run]))
    assert deep(archive, readings)[0] == [runs[3], runs[0], runs[2], runs[1]]


def test_without_time_everything_is_looked_at_and_nothing_read(archive: Archive, runs: list[str]) -> None:
    checking = archive.verification(Readings(), deep=True, end=time.monotonic())
    findings = list(checking.findings())
    assert [finding.run for finding in findings] == runs
    assert not any(finding.read for finding in findings)
    assert checking.unread == runs


def test_a_run_that_is_damaged_is_read_each_time(archive: Archive, store: Counting, runs: list[str]) -> None:
    readings = Readings()
    deep(archive, readings)
    key = object_keys.run_key(runs[1], object_keys.PAGES)
    whole = store.get(key)
    store.put(key, whole[:-2] + b"x\n")
    list(archive.verification(readings, deep=True).findings([runs[1]]))
    month = now() - timedelta(days=30)
    assert deep(archive, readings, since=month)[0] == [runs[1]]
    store.put(key, whole)
    assert deep(archive, readings, since=month)[0] == [runs[1]]
    assert deep(archive, readings, since=month)[0] == []


def test_a_run_that_was_altered_counts_as_never_read(archive: Archive, store: Counting, runs: list[str]) -> None:
    readings = Readings()
    deep(archive, readings)
    key = object_keys.run_key(runs[3], object_keys.MANIFEST)
    forged = store.get(key).replace(b'"failed": 0', b'"failed": 1')
    store.put(key, forged)
    store.put(object_keys.run_key(runs[3], object_keys.MANIFEST_DIGEST), manifest.digest_file(forged))
    assert deep(archive, readings, since=now() - timedelta(days=30))[0] == [runs[3]]


def test_what_one_member_lacks_is_named(archive: Archive, store: Counting, runs: list[str], tmp_path: Path) -> None:
    other = MemoryStore()
    other._objects |= {key: data for key, data in store._objects.items() if runs[1] not in key}
    ((where, finding),) = Archive(store, [other], spool=tmp_path / "none").lacking()
    assert (where, finding.run) == (other, runs[1])
    assert "onrecord replicate" in finding.faults[0]
