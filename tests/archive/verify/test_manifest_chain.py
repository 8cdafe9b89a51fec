"""The chain of runs: whatever is deleted, replaced, moved or dated back is told, in a line of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys, times
from archive.archive import Archive
from archive.crypto.signed_note import Signer
from archive.digests import digest_of
from archive.evidence.checkpoint import Checkpoint
from archive.formats import manifest
from archive.verify.evidence_check import EVIDENCE
from archive.verify.manifest_chain import broken, links
from storage.base import ObjectStore
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.exchanges import an_exchange

ONE, TWO, THREE = range(3)


@pytest.fixture
def signer() -> Signer:
    return Signer("clinic.example", bytes(range(32)))


@pytest.fixture
def runs(keep: Keep) -> list[str]:
    """Three runs, an hour apart."""
    made = []
    for number in range(3):
        times.rehearse(timedelta(hours=number))
        made.append(keep(an_exchange(f"http://example.org/{number}")))
    times.rehearse(timedelta())
    return made


def put_manifest(store: ObjectStore, run: str, data: bytes) -> None:
    store.put(object_keys.run_key(run, object_keys.MANIFEST), data)
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), manifest.digest_file(data))


def delete(store: ObjectStore, run: str) -> None:
    for info in list(store.list(object_keys.run_key(run, ""))):
        store.delete(info.key)


def rewrite(store: ObjectStore, run: str, changes: dict[str, object]) -> None:
    """What someone writes who can: a manifest that is sound in itself."""
    package = json.loads(store.get(object_keys.run_key(run, object_keys.MANIFEST)))
    put_manifest(store, run, json.dumps(package | changes, indent=2).encode() + b"\n")


def replace(store: ObjectStore, run: str) -> None:
    rewrite(store, run, {"counts": {"captures": 7}})


def back_date(store: ObjectStore, run: str) -> None:
    package = json.loads(store.get(object_keys.run_key(run, object_keys.MANIFEST)))
    old = {"started": "2020-01-01T00:00:00Z", "finished": "2020-01-01T00:00:01Z"}
    rewrite(store, run, {"created": old["finished"], "run": package["run"] | old})


def swap(store: ObjectStore, one: str, other: str) -> None:
    kept = {info.key: store.get(info.key) for info in store.list("runs/")}
    for run in (one, other):
        delete(store, run)
    for key, data in kept.items():
        for here, there in ((one, other), (other, one)):
            if key.startswith(object_keys.run_key(here, "")):
                store.put(key.replace(here, there), data)


def move(store: ObjectStore, run: str, to: str) -> None:
    """A run under another name, as if it had been made at another time; its manifest says the same."""
    package = json.loads(store.get(object_keys.run_key(run, object_keys.MANIFEST)))
    for info in list(store.list(object_keys.run_key(run, ""))):
        store.put(info.key.replace(run, to), store.get(info.key))
    delete(store, run)
    put_manifest(store, to, json.dumps(package | {"run": package["run"] | {"id": to}}, indent=2).encode())


Tamper = Callable[[ObjectStore, list[str]], None]

# What was done; a line that tells it without a log of runs, if anything can; and one that does with it.
TABLE: dict[str, tuple[Tamper, str | None, str]] = {
    "the first run deleted": (
        lambda store, runs: delete(store, runs[ONE]),
        "{2}: the earlier run whose manifest is {hash1} was deleted or altered",
        "{1}: it was deleted: the log of runs has it, with the manifest {hash1}",
    ),
    "a run in the middle deleted": (
        lambda store, runs: delete(store, runs[TWO]),
        (
            "{3}: the earlier run whose manifest is {hash2} was deleted, or altered, if it is {1}, "
            "on which no run builds any more"
        ),
        "{2}: it was deleted: the log of runs has it, with the manifest {hash2}",
    ),
    "the newest run deleted": (
        lambda store, runs: delete(store, runs[THREE]),
        None,
        "{3}: it was deleted: the log of runs has it, with the manifest {hash3}",
    ),
    "the first run replaced": (
        lambda store, runs: replace(store, runs[ONE]),
        (
            "{2}: the earlier run whose manifest is {hash1} was deleted, or altered, if it is {1}, "
            "on which no run builds any more"
        ),
        "{1}: it was replaced: its manifest is {new1}, and the log of runs has it with {hash1}",
    ),
    "the newest run replaced": (
        lambda store, runs: replace(store, runs[THREE]),
        None,
        "{3}: it was replaced: its manifest is {new3}, and the log of runs has it with {hash3}",
    ),
    "a run in the middle dated back": (
        lambda store, runs: back_date(store, runs[TWO]),
        (
            "{2}: it says that it ended at 2020-01-01T00:00:01Z, yet it builds on run {1} of {time1}: "
            "it was dated back, or the runs were put in another order"
        ),
        "{2}: it was replaced: its manifest is {new2}, and the log of runs has it with {hash2}",
    ),
    "the newest run dated back": (
        lambda store, runs: back_date(store, runs[THREE]),
        "{3}: its name says that it was begun at another time than its manifest, 2020-01-01T00:00:00Z: one was altered",
        "{3}: it was replaced: its manifest is {new3}, and the log of runs has it with {hash3}",
    ),
    "the newest run under an older name": (
        lambda store, runs: move(store, runs[THREE], "20200101T000000Z-00000000"),
        (
            "20200101T000000Z-00000000: its name says that it was begun at another time than its manifest, {time3}: "
            "one was altered"
        ),
        "{3}: it was deleted: the log of runs has it, with the manifest {hash3}",
    ),
    "two runs in each other's place": (
        lambda store, runs: swap(store, runs[ONE], runs[TWO]),
        "{1}: it holds the manifest of run {2}: runs were moved, or change places",
        "{2}: it holds the manifest of run {1}: runs were moved, or change places",
    ),
}


def told(archive: Archive, **held: Checkpoint) -> list[str]:
    return [f"{finding.run}: {fault}" for finding in archive.verify(None, held) for fault in finding.faults]


def filled(line: str, store: MemoryStore, runs: list[str], before: dict[str, bytes]) -> str:
    words = {}
    for number, run in enumerate(runs, 1):
        old = before[run]
        now = (
            store.get(object_keys.run_key(run, object_keys.MANIFEST))
            if store.head(object_keys.run_key(run, object_keys.MANIFEST))
            else b""
        )
        words |= {f"hash{number}": digest_of(old), f"new{number}": digest_of(now)}
        words[f"time{number}"] = json.loads(old)["created"]
    return line.format(None, *runs, **words)


def test_what_was_done_is_told(
    store: MemoryStore, archive: Archive, runs: list[str], signer: Signer, tmp_path: Path
) -> None:
    plain = {info.key: store.get(info.key) for info in store.list()}
    before = {run: store.get(object_keys.run_key(run, object_keys.MANIFEST)) for run in runs}
    archive.checkpoint(signer, tmp_path / "last")
    signed = {info.key: store.get(info.key) for info in store.list()}
    for what, (tamper, alone, logged) in TABLE.items():
        for kept, expected in ((plain, alone), (signed, logged)):
            for info in list(store.list()):
                store.delete(info.key)
            for key, data in kept.items():
                store.put(key, data)
            assert told(archive) == []
            tamper(store, runs)
            lines = told(archive)
            if expected is None:
                assert lines == [], "only a log can tell it"
            else:
                assert filled(expected, store, runs, before) in lines, what


def test_a_log_that_was_cut_back_with_the_run_is_told_by_a_checkpoint_that_is_kept_elsewhere(
    store: MemoryStore, archive: Archive, keep: Keep, runs: list[str], signer: Signer, tmp_path: Path
) -> None:
    """Whoever can write to the store can take back all that it holds: the run, the log's end and its checkpoint."""
    archive.checkpoint(signer, tmp_path / "last")
    before = {info.key for info in store.list("evidence/")}
    newest = keep(an_exchange("http://example.org/newest"))
    made = archive.checkpoint(signer, tmp_path / "last")
    assert made is not None
    delete(store, newest)
    for info in list(store.list("evidence/")):
        if info.key not in before:
            store.delete(info.key)
    assert told(archive) == []
    assert told(archive, mine=made.checkpoint) == [
        f"{EVIDENCE}: mine: it covers 4 runs, and the log holds 3: its last entries were deleted"
    ]


def test_a_log_that_was_written_anew_is_told_by_every_checkpoint(
    store: MemoryStore, archive: Archive, runs: list[str], signer: Signer, tmp_path: Path
) -> None:
    made = archive.checkpoint(signer, tmp_path / "last")
    assert made is not None
    data = store.get(object_keys.log_key(0))
    store.put(object_keys.log_key(0), b"".join(reversed(data.splitlines(keepends=True))))
    rewritten = "the first 3 entries of the log are not those that were signed: the log was rewritten"
    assert told(archive, mine=made.checkpoint) == [
        f"{EVIDENCE}: {made.key}: {rewritten}",
        f"{EVIDENCE}: mine: {rewritten}",
    ]


def test_a_run_that_was_replaced_by_right_is_no_fault(
    store: MemoryStore, archive: Archive, runs: list[str], signer: Signer, tmp_path: Path
) -> None:
    archive.checkpoint(signer, tmp_path / "last")
    old = digest_of(store.get(object_keys.run_key(runs[ONE], object_keys.MANIFEST)))
    replace(store, runs[ONE])
    new = digest_of(store.get(object_keys.run_key(runs[ONE], object_keys.MANIFEST)))
    from archive.evidence.run_log import Log
    from archive.local_cache import Cache

    entries = Log(store, Cache(None)).read()
    found = links(store, runs)
    assert len(list(broken(found, entries))) == 1
    assert list(broken(found, entries, {old: new})) == []
    assert list(broken(found, None, {old: new})) == []
    assert len(list(broken(found, None, {old: "sha256:" + "0" * 64}))) == 1


def test_writers_at_once_fork_the_chain_and_nothing_is_told(store: MemoryStore, tmp_path: Path) -> None:
    from archive.model import Outcome
    from archive.runs.warc_files import RunSettings

    one, other = (Archive(store, spool=tmp_path / name) for name in ("one", "other"))
    one.prepare()
    sessions = [archive.session(RunSettings("test/1")) for archive in (one, other)]
    for session in sessions:
        session.add_outcome(Outcome("http://example.org/", "ok", "2026-11-23T12:00:00Z"))
    assert all(session.commit() for session in sessions)
    assert told(one) == []


def test_a_run_whose_name_is_no_time_is_told(store: MemoryStore, runs: list[str]) -> None:
    name = "99999999T999999Z-00000000"
    data = store.get(object_keys.run_key(runs[-1], object_keys.MANIFEST)).replace(runs[-1].encode(), name.encode())
    put_manifest(store, name, data)
    assert [run for run, fault in broken(links(store, [*runs, name])) if "begun at another time" in fault] == [name]
