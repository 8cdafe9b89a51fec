"""The root over a run's records: what the manifest is given as they are written is what is read back from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import object_keys
from archive.archive import Archive
from archive.crypto import merkle
from archive.formats import manifest
from archive.runs.warc_files import RunSettings
from archive.warc.gzip_members import gzip_member, walk_members
from archive.warc.record_tree import cut, root_of_files
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import an_exchange


def leaves_of(store: MemoryStore, archive: Archive, run: str) -> list[bytes]:
    """By hand: every member of every WARC file, cut out and hashed."""
    found = []
    for path in sorted(it.path for it in archive.manifest(run).resources if it.path.startswith("archive/")):
        data = store.get(object_keys.run_key(run, path))
        for member in walk_members([data]):
            member.drain()
            found.append(merkle.leaf_hash(data[member.offset : member.offset + member.length]))
    return found


@pytest.mark.parametrize("max_warc", [1, 1_000_000])
def test_a_manifest_names_the_root_over_its_records(
    store: MemoryStore, archive: Archive, keep: Keep, max_warc: int
) -> None:
    pages = [an_exchange(f"http://example.org/{number}", b"%d" % number * 99, notes=("x",)) for number in range(5)]
    run = keep(*pages, max_warc=max_warc)
    leaves = leaves_of(store, archive, run)
    records = archive.manifest(run).records
    assert records is not None
    assert (records.count, records.root) == (len(leaves), "sha256:" + merkle.root_of(leaves).hex())
    assert len(leaves) >= 16
    assert [finding.faults for finding in archive.verify()] == [()]


def test_a_run_that_was_taken_up_again_has_it_too(store: MemoryStore, archive: Archive) -> None:
    session = archive.session(RunSettings("test/1"))
    session.add(an_exchange(), page=True, read=True)
    session.checkpoint()
    session.close()
    (taken_up,) = archive.recover()
    found = taken_up.commit()
    assert found is not None
    assert found.records is not None
    leaves = leaves_of(store, archive, found.run)
    assert (found.records.count, found.records.root[7:]) == (len(leaves), merkle.root_of(leaves).hex())
    assert len(leaves) > 2


def test_another_root_is_told(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    run = keep(an_exchange())
    key = object_keys.run_key(run, object_keys.MANIFEST)
    package = json.loads(store.get(key))
    package["records"]["root"] = "sha256:" + "0" * 64
    data = json.dumps(package).encode()
    store.put(key, data)
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), manifest.digest_file(data))
    (finding,) = archive.verify()
    assert finding.faults == (f"{object_keys.MANIFEST} names another root over the run's records than theirs",)


def test_a_run_of_before_has_none_and_is_whole(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    run = keep(an_exchange())
    key = object_keys.run_key(run, object_keys.MANIFEST)
    package = json.loads(store.get(key))
    del package["records"]
    data = json.dumps(package).encode()
    store.put(key, data)
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), manifest.digest_file(data))
    assert [finding.faults for finding in archive.verify()] == [()]


@settings(deadline=None)  # timings decide nothing
@given(st.lists(st.binary(max_size=50), max_size=12), st.integers(1, 40))
def test_leaves_are_cut_where_records_end(bodies: list[bytes], size: int) -> None:
    members = [gzip_member(body) for body in bodies]
    data = b"".join(members)
    ends = [sum(map(len, members[: number + 1])) for number in range(len(members))]
    found: list[bytes] = []
    cut((data[at : at + size] for at in range(0, len(data), size)), ends, found.append)
    assert found == [merkle.leaf_hash(member) for member in members]
    walked: list[bytes] = []
    for member in walk_members((data[at : at + size] for at in range(0, len(data), size)), walked.append):
        member.drain()
    assert walked == found


def test_a_file_whose_ends_are_not_all_known_is_walked(tmp_path: Path) -> None:
    path = tmp_path / "00000.warc.gz"
    members = [gzip_member(b"one"), gzip_member(b"two")]
    path.write_bytes(b"".join(members))
    whole = root_of_files([(path, [len(members[0]), len(members[0]) + len(members[1])])])
    assert whole is not None
    assert whole.count == 2
    assert root_of_files([(path, [len(members[1])])]) == root_of_files([(path, [])]) == whole
    path.write_bytes(members[0] + members[1][:-1])
    assert root_of_files([(path, [])]) is None, "a damaged file has no root, and keeps no run from its store"
