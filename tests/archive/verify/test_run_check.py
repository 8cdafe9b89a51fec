"""Verification finds every fault: flips, cuts, losses, strays, broken chains."""

from __future__ import annotations

import random

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.errors import IntegrityError
from storage.errors import OnrecordError
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import NOON, an_exchange

URL = "http://example.org/a"


@pytest.fixture
def three_runs(keep: Keep) -> list[str]:
    return [
        keep(an_exchange(), an_exchange("http://example.org/b", b"second " * 50)),
        keep(an_exchange(), an_exchange("http://example.org/b", b"changed", notes=("noted",))),
        keep(an_exchange("http://example.org/c", status=404, body=b"gone")),
    ]


def is_found(archive: Archive) -> bool:
    try:
        archive.prepare()
        return any(finding.faults for finding in archive.verify())
    except OnrecordError:
        return True


def test_a_whole_archive_has_no_fault(archive: Archive, three_runs: list[str]) -> None:
    findings = list(archive.verify())
    assert [finding.run for finding in findings] == sorted(three_runs)
    assert not is_found(archive)
    assert sum(finding.records for finding in findings) == 14


@pytest.mark.full
def test_every_single_bit_flip_is_found(store: MemoryStore, archive: Archive, three_runs: list[str]) -> None:
    dice = random.Random(20261123)
    archive.merge()
    for info in list(store.list()):
        whole = store.get(info.key)
        for position in {dice.randrange(len(whole)) for _ in range(25)}:
            flipped = bytearray(whole)
            flipped[position] ^= 1 << dice.randrange(8)
            store.put(info.key, bytes(flipped))
            assert is_found(archive), f"{info.key} at {position}"
        store.put(info.key, whole)


def test_every_truncation_is_found(store: MemoryStore, archive: Archive, three_runs: list[str]) -> None:
    dice = random.Random(7)
    archive.merge()
    for info in list(store.list()):
        whole = store.get(info.key)
        for length in {0, len(whole) - 1, *(dice.randrange(len(whole)) for _ in range(6))}:
            store.put(info.key, whole[:length])
            assert is_found(archive), f"{info.key} cut to {length}"
        store.put(info.key, whole)


def test_a_truncated_warc_is_named_with_its_offset(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    run = keep(an_exchange())
    key = object_keys.run_key(run, object_keys.warc_path(0))
    store.put(key, store.get(key)[:-3])
    (finding,) = archive.verify()
    assert any("member at byte" in fault and "breaks off" in fault for fault in finding.faults)
    assert any("bytes, its manifest names" in fault for fault in finding.faults)


def test_every_missing_file_is_named(store: MemoryStore, archive: Archive, three_runs: list[str]) -> None:
    for info in list(store.list("runs/")):
        if info.key.endswith("/" + object_keys.MANIFEST):
            continue
        whole = store.get(info.key)
        store.delete(info.key)
        assert is_found(archive), info.key
        store.put(info.key, whole)


def test_a_deleted_run_breaks_a_hash_that_the_next_one_names(
    store: MemoryStore, archive: Archive, three_runs: list[str]
) -> None:
    for info in list(store.list(f"runs/{three_runs[0]}/")):
        store.delete(info.key)
    faults = [fault for finding in archive.verify() for fault in finding.faults]
    assert any("was deleted or altered" in fault for fault in faults)


def test_a_rewritten_run_is_found_by_the_chain(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    from archive.formats import manifest

    run = keep(an_exchange())
    keep(an_exchange("http://example.org/next"))
    key = object_keys.run_key(run, object_keys.MANIFEST)
    forged = store.get(key).replace(b'"failed": 0', b'"failed": 1')
    store.put(key, forged)
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), manifest.digest_file(forged))
    faults = [fault for finding in archive.verify() for fault in finding.faults]
    assert len(faults) == 1
    assert "was deleted, or altered, if it is" in faults[0]


def test_strays_are_named_and_uncommitted_runs_are_no_fault(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    run = keep(an_exchange())
    store.put("runs/20200101T000000Z-00000000/pages/pages.jsonl", b"left by a killed upload")
    findings = {finding.run: finding for finding in archive.verify()}
    assert not findings["20200101T000000Z-00000000"].committed
    assert not any(finding.faults for finding in findings.values())
    store.put(object_keys.run_key(run, "archive/extra"), b"stray")
    (stray,) = [finding for finding in archive.verify() if finding.faults]
    assert stray.faults == ("archive/extra is not named by the manifest",)


def test_one_run_can_be_named(archive: Archive, three_runs: list[str]) -> None:
    assert [finding.run for finding in archive.verify([three_runs[1]])] == [three_runs[1]]
    (missing,) = archive.verify(["20000101T000000Z-00000000"])
    assert missing.faults == ("there is no run 20000101T000000Z-00000000",)


@pytest.mark.parametrize("path", [object_keys.warc_path(0), object_keys.CDX, object_keys.PAGES])
def test_what_is_read_back_damaged_is_never_handed_out(
    store: MemoryStore, archive: Archive, keep: Keep, path: str
) -> None:
    run = keep(an_exchange(body=b"<p>" + random.Random(1).randbytes(400).hex().encode(), at=NOON))
    key = object_keys.run_key(run, path)
    whole = store.get(key)
    start = 80 if path == object_keys.PAGES else 0
    good = b"<p>" + random.Random(1).randbytes(400).hex().encode()
    for position in range(start, len(whole), 37):
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        store.put(key, bytes(damaged))
        archive.refresh()
        archive._index._blocks.clear()
        try:
            snapshot = archive.closest(URL)
            assert b"".join(archive.payload(snapshot)[2]) == good
            document = archive.document(snapshot)
            assert document is not None
            assert document.article.text == "hello"
        except IntegrityError:
            continue
