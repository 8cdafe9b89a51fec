"""Redaction: what is taken out is nowhere, what stays is where it was, and a kill leaves the old or the new."""

from __future__ import annotations

import gzip
import io
import json
import random
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator

from archive import object_keys
from archive.access.redaction_statement import LONGEST, Gone, read_statement
from archive.access.replicate_rules import carry_notices
from archive.access.unfinished_redactions import unfinished
from archive.archive import Archive
from archive.copies.replicate import Replica
from archive.crypto.signed_note import PublicKey, Signer
from archive.digests import digest_of
from archive.errors import IntegrityError, NoSuchSnapshot, Withheld
from archive.evidence.run_log import Log
from archive.formats.manifest import digest_file, parse
from archive.formats.zipnum import BlockIndex, decode_block, encode
from archive.local_cache import Cache
from archive.model import Block, Snapshot
from archive.redaction.apply import finish, overtaken
from archive.redaction.plan import finish_overtaken, plan_redaction, redact
from archive.redaction.rewrite import blanked_record, padded_member, places_of
from archive.runs.warc_files import RunSettings
from archive.search import search_index
from archive.warc.reader import read_record
from pipeline.ingest.import_files import import_file
from storage.base import ObjectStore
from storage.errors import StoreUnavailable
from storage.local import LocalStore
from storage.memory import MemoryStore
from tests.exchanges import NOON, a_document
from tests.pipeline.ingest.test_import_files import PAGE, members, record
from tests.pipeline.withheld import ALIAS, DOM, OPEN, SECRET, WORD, furnish

REASON = "Court order 3 O 17/26"
SIGNER = Signer("clinic.example", b"s" * 32)
KNOWN = [SIGNER.public]
STRANGER = Signer("clinic.example", b"t" * 32)


def archive_of(store: ObjectStore, folder: Path, replicas: Sequence[ObjectStore] = ()) -> Archive:
    return Archive(store, replicas, spool=folder / "spool", cache=folder / "cache")


def all_bytes(store: ObjectStore) -> bytes:
    """All that a store holds, unpacked where it is packed."""
    found = []
    for info in store.list():
        data = store.get(info.key)
        found.append(gzip.decompress(data) if info.key.endswith(".gz") else data)
    return b"\n".join(found)


def faults_of(store: ObjectStore, folder: Path, known: list[PublicKey] = KNOWN) -> list[str]:
    return [fault for finding in archive_of(store, folder).verify(known=known) for fault in finding.faults]


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    made = MemoryStore()
    furnish(made, tmp_path)
    archive = archive_of(made, tmp_path)
    archive.merge()
    return made


def redacted(
    store: ObjectStore, folder: Path, signer: Signer = SIGNER, *, replicas: Sequence[ObjectStore] = ()
) -> Archive:
    """The page taken out, in all its captures."""
    archive = archive_of(store, folder, replicas)
    for run in archive.runs():
        urls = [url for url in (SECRET, ALIAS, f"{SECRET}/frame", f"{SECRET}/old") if _holds(archive, run, url)]
        redact(archive, plan_redaction(archive, run, urls, ()), signer, REASON)
        archive.refresh()
    return archive


def _holds(archive: Archive, run: str, url: str) -> bool:
    return any(each.url == url for each in archive.captures_of(run))


def test_what_is_redacted_is_nowhere_and_all_else_is_as_it_was(store: MemoryStore, tmp_path: Path) -> None:
    before = {key: data for key, data in store._objects.items() if key.startswith("runs/")}
    archive = archive_of(store, tmp_path)
    index = search_index(archive, tmp_path / "cache/search.sqlite")
    index.refresh(archive.runs())
    assert len(list(index.search(WORD))) == 2
    index.close()
    assert all_bytes(store).count(WORD.encode()) > 20
    redacted(store, tmp_path)
    assert WORD.encode() not in all_bytes(store)
    cached = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert WORD.encode() not in cached, "nor on this machine"
    after = {key: data for key, data in store._objects.items() if key.startswith("runs/")}
    manifests = (object_keys.MANIFEST, object_keys.MANIFEST_DIGEST)
    sizes = [{key: len(each) for key, each in held.items() if not key.endswith(manifests)} for held in (before, after)]
    assert sizes[0] == sizes[1]
    assert unfinished(store) == {}
    fresh = archive_of(store, tmp_path / "fresh")
    kept = fresh.document(fresh.closest(OPEN))
    assert kept is not None
    assert "Someone" in (kept.article.text or "")
    assert len(list(fresh.snapshots(OPEN))) == 4
    assert [str(each.withheld) for each in fresh.snapshots(SECRET)] == [f"redacted: {REASON}"] * 4
    with pytest.raises(Withheld, match="is redacted: Court order"):
        fresh.unguarded().closest(SECRET)
    with pytest.raises(Withheld):
        fresh.closest(DOM)
    index = search_index(fresh, None)
    assert index.refresh(fresh.runs()) == []
    assert list(index.search(WORD)) == []
    assert len(list(index.search("court"))) == 2


def test_verify_says_who_and_why(store: MemoryStore, tmp_path: Path) -> None:
    redacted(store, tmp_path)
    findings = {each.run: each for each in archive_of(store, tmp_path).verify(known=KNOWN) if each.committed}
    assert [each.faults for each in findings.values()] == [()] * 4
    assert all(each.notes[0].startswith("redacted by clinic.example on 20") for each in findings.values())
    assert REASON in next(iter(findings.values())).notes[0]
    furnish(store, tmp_path)  # later runs join on
    assert faults_of(store, tmp_path) == []


def test_a_statement_of_nobody_excuses_nothing(store: MemoryStore, tmp_path: Path) -> None:
    redacted(store, tmp_path)
    broken = [fault for fault in faults_of(store, tmp_path, []) if "was deleted" in fault]
    assert len(broken) == 3
    assert any("nobody who is known here signed it" in fault for fault in faults_of(store, tmp_path, []))
    assert [fault for fault in faults_of(store, tmp_path, [STRANGER.public]) if "was deleted" in fault] == broken
    for key in [key for key in store._objects if key.startswith("notices/redactions/")]:
        text = store.get(key).replace(b"Court order 3", b"Court order 4")
        store.put(key, text)
    assert any("signature" in fault for fault in faults_of(store, tmp_path))
    assert [fault for fault in faults_of(store, tmp_path) if "was deleted" in fault] == broken


def test_a_forged_statement_moves_nothing(store: MemoryStore, tmp_path: Path) -> None:
    """Somebody who can write to the bucket puts files aside, and a statement that they signed themselves."""
    other = MemoryStore()
    other._objects = dict(store._objects)
    broken = Failing(other, 14)
    with pytest.raises(StoreUnavailable):
        redacted(broken, tmp_path / "other", STRANGER)
    assert unfinished(other)
    for key, data in other._objects.items():
        if key.startswith(("notices/", "redacting/")):
            store.put(key, data)
    before = dict(store._objects)
    assert finish(archive_of(store, tmp_path), KNOWN) == []
    assert store._objects == before
    assert any("nobody who is known" in fault for fault in faults_of(store, tmp_path))
    name = next(iter(unfinished(store)))
    text, _, _ = store.get(object_keys.redaction_key(name)).decode().partition("\n\n")
    forged = f"{text}\n\n\u2014 clinic.example {'A' * 8}=\n"
    for bad in (forged, "nonsense", text, ""):
        store.put(object_keys.redaction_key(name), bad.encode())
        with pytest.raises(IntegrityError):
            read_statement(bad.encode() if bad != forged else b"", name, KNOWN)
        with pytest.raises(IntegrityError):
            list(archive_of(store, tmp_path / "x").snapshots(OPEN)) if bad != forged else read_statement(b"", name)


class Failing:
    """A store that fails at its n-th change, and from then on."""

    def __init__(self, store: ObjectStore, left: int) -> None:
        self._store = store
        self.left = left

    def __getattr__(self, name: str) -> object:
        inner = getattr(self._store, name)
        if name not in {"put", "put_if_absent", "put_file", "delete"}:
            return inner

        def counted(*given: object) -> object:
            self.left -= 1
            if self.left < 0:
                raise StoreUnavailable("out of reach")
            return inner(*given)

        return counted


def one(archive: Archive) -> None:
    run = archive.runs()[0]
    redact(archive, plan_redaction(archive, run, [SECRET], ()), SIGNER, REASON)


def test_a_failure_at_any_step_leaves_the_old_or_the_new(store: MemoryStore, tmp_path: Path) -> None:
    whole = Failing(store, 10_000)
    original = dict(store._objects)
    one(archive_of(whole, tmp_path))  # type: ignore[arg-type]
    steps = 10_000 - whole.left
    final = {key: len(data) for key, data in store._objects.items() if key.startswith(("runs/", "redacting/"))}
    assert steps > 20
    seen = set()
    for step in range(steps):
        store._objects = dict(original)
        with pytest.raises(StoreUnavailable):
            one(archive_of(Failing(store, step), tmp_path / f"{step}"))  # type: ignore[arg-type]
        decided = any(key.startswith("notices/") for key in store._objects)
        seen.add(decided)
        assert faults_of(store, tmp_path / "verifying") == [], step
        reader = archive_of(store, tmp_path / f"reader-{step}")
        assert WORD not in str(reader.document(reader.closest(OPEN)))
        kept = list(reader.snapshots(SECRET))
        assert [each.withheld is not None for each in kept] == ([True, True, False, False] if decided else [False] * 4)
        document = reader.document(kept[-1])
        assert document is not None
        assert WORD in str(document)
        if not decided:
            document = reader.document(kept[0])
            assert document is not None
            assert WORD in str(document)
            continue
        assert len(finish(archive_of(store, tmp_path / f"{step}"), KNOWN)) == bool(unfinished(store)) or not unfinished(
            store
        )
        held = {key: len(data) for key, data in store._objects.items() if key.startswith(("runs/", "redacting/"))}
        assert held == final, step
        assert faults_of(store, tmp_path / "verifying") == [], step
        titles = [each.title for each in archive_of(store, tmp_path / f"after-{step}").snapshots(SECRET)]
        assert titles == [None, None, f"On {WORD}", f"On {WORD}"]
    assert seen == {False, True}


def test_a_killed_process_is_finished_by_the_next(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom storage.local import LocalStore\n"
        "from tests.archive.redaction.test_redaction import archive_of, one\nprint('ready', flush=True)\n"
        "one(archive_of(LocalStore(Path(sys.argv[1])), Path(sys.argv[2])))"
    )
    outcomes = set()
    for number, delay in enumerate((0.02, 0.1)):
        folder = tmp_path / str(number)
        store = LocalStore(folder / "store")
        furnish(store, folder)
        archive_of(store, folder).merge()
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(folder / "store"), str(folder)], stdout=subprocess.PIPE, cwd=Path.cwd()
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.wait()
        decided = next(iter(store.list(object_keys.NOTICES_PREFIX)), None) is not None
        assert faults_of(store, folder) == []
        finish(archive_of(store, folder), KNOWN)
        assert faults_of(store, folder) == []
        fresh = archive_of(store, folder / "fresh")
        assert [each.withheld is not None for each in fresh.snapshots(SECRET)] == [decided, decided, False, False]
        assert not unfinished(store) or not decided
        outcomes.add(decided)
    assert outcomes, "whichever came of it, it was whole"


def test_what_refers_to_it_is_named(store: MemoryStore, tmp_path: Path) -> None:
    archive = archive_of(store, tmp_path)
    runs = archive.runs()
    what = plan_redaction(archive, runs[0], [SECRET], ())
    assert {each.url for each in what.captures} == {SECRET, DOM, DOM.replace("dom", "fullPageFinal")}
    assert [(each.url, each.run) for each in what.repeats] == [(ALIAS, runs[0]), (SECRET, runs[1])]
    assert what.runs == (runs[0], runs[1])
    key = object_keys.run_key(runs[0], "archive/00000.warc.gz")
    kinds = [place.kind for place in places_of(key, store.stream(key)) if place.place in what.places]
    assert kinds == ["response", "request", "resource", "resource"]
    with pytest.raises(NoSuchSnapshot):
        plan_redaction(archive, runs[0], ["https://gazette.example/nothing"], ())
    with pytest.raises(NoSuchSnapshot):
        plan_redaction(archive, "20200101T000000Z-00000000", [SECRET], ())
    (record,) = [each.record_id for each in what.captures if each.url == DOM]
    alone = plan_redaction(archive, runs[0], (), [record.strip("<>")])
    assert [each.url for each in alone.captures] == [DOM]


@pytest.mark.parametrize("everything", [True, False])
def test_a_run_that_was_redacted_twice_since_a_checkpoint_is_entered_again(
    store: MemoryStore, tmp_path: Path, *, everything: bool
) -> None:
    archive, last = archive_of(store, tmp_path), tmp_path / "last"
    run = archive.runs()[0]
    first = archive.checkpoint(SIGNER, last)
    assert first is not None
    redact(archive, plan_redaction(archive, run, [SECRET], ()), SIGNER, REASON)
    archive.refresh()
    redact(archive, plan_redaction(archive, run, [OPEN], ()), SIGNER, REASON)
    archive.refresh()
    again = archive.checkpoint(SIGNER, last, everything=everything)
    assert again is not None
    assert again.added >= 1
    newest = Log(store, Cache(None)).read().newest()
    assert newest[run] == digest_of(store.get(object_keys.run_key(run, object_keys.MANIFEST)))
    assert faults_of(store, tmp_path) == []
    assert archive.checkpoint(SIGNER, last) is not None, "nothing is left over that the next one stumbles at"


def test_a_reason_is_a_line(store: MemoryStore, tmp_path: Path) -> None:
    archive = archive_of(store, tmp_path)
    what = plan_redaction(archive, archive.runs()[0], [SECRET], ())
    before = dict(store._objects)
    for reason in ("", "two\nlines", "x" * 2000):
        with pytest.raises(ValueError, match="one line"):
            redact(archive, what, SIGNER, reason)
    assert store._objects == before


@pytest.mark.full
def test_a_statement_that_could_not_be_read_back_is_not_made(store: MemoryStore, tmp_path: Path) -> None:
    archive = archive_of(store, tmp_path)
    what = plan_redaction(archive, archive.runs()[0], [SECRET], ())
    before = dict(store._objects)
    key = what.gone[0].key
    many = tuple(Gone(key, number, f"<urn:uuid:{number:036x}>") for number in range(LONGEST // 90))
    for gone in (many, (Gone(f"{key}\nrecord {key}", 0, "<urn:uuid:1>"),), (Gone("index/1", 0, "<urn:uuid:1>"),)):
        with pytest.raises(IntegrityError, match="redact fewer at once"):
            redact(archive, replace(what, records={what.runs[0]: gone}), SIGNER, REASON)
    assert store._objects == before


def test_what_strangers_put_aside_is_passed_over(store: MemoryStore, tmp_path: Path) -> None:
    name = "99999999T999999Z-00000000"
    store.put(object_keys.redacting_key(name, name, object_keys.MANIFEST), b"{}")
    assert finish(archive_of(store, tmp_path), KNOWN) == []
    assert list(unfinished(store)) == [name]


# Copies


def copied(source: ObjectStore, target: ObjectStore, folder: Path, known: list[PublicKey] = KNOWN) -> list[str]:
    return [fault for each in Replica(source, target, folder, known).replicate() for fault in each.faults]


def test_a_copy_is_redacted_too(store: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    assert copied(store, copy, tmp_path) == []
    archive_of(copy, tmp_path / "copy").merge()
    redacted(store, tmp_path)
    assert len(copied(store, copy, tmp_path, [])) == 4, "a stranger's word takes nothing out of a copy"
    assert WORD.encode() in all_bytes(copy)
    assert copied(store, copy, tmp_path) == []
    assert WORD.encode() not in all_bytes(copy)
    assert faults_of(copy, tmp_path) == []
    assert list(Replica(store, copy, tmp_path, KNOWN).replicate()) == []


def test_a_copy_that_was_not_redacted_yet_is_not_copied(store: MemoryStore, tmp_path: Path) -> None:
    copy, third = MemoryStore(), MemoryStore()
    copied(store, copy, tmp_path)
    redacted(store, tmp_path)
    carry_notices(store, copy)  # and there it broke off
    assert ["was redacted, and" in fault for fault in copied(copy, third, tmp_path)] == [True] * 4
    assert WORD.encode() not in all_bytes(third)
    copied(store, copy, tmp_path)
    assert copied(copy, third, tmp_path) == []
    assert faults_of(third, tmp_path) == []


def test_each_replica_is_redacted_as_it_is(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second, third = (LocalStore(tmp_path / name) for name in ("one", "two", "three"))
    runs = furnish(first, tmp_path, [second, third])
    archive_of(first, tmp_path, [second, third]).merge()
    for info in list(second.list(object_keys.run_key(runs[-1], ""))):  # it was out of reach when that run was published
        second.delete(info.key)
    shutil.rmtree(tmp_path / "three")
    (tmp_path / "three").write_text("no folder: it cannot be reached")
    redacted(first, tmp_path, replicas=[second, third])
    assert WORD.encode() not in all_bytes(first)
    assert WORD.encode() not in all_bytes(second)
    assert [unfinished(store) for store in (first, second)] == [{}, {}]
    assert list(second.list(object_keys.run_key(runs[-1], ""))) == [], (
        "not a part of the run, which would be a damaged one"
    )
    assert "three is not redacted yet" in caplog.text
    for store in (first, second):
        assert faults_of(store, tmp_path / "verifying") == []
    list(Replica(first, second, tmp_path, KNOWN).replicate())
    assert WORD.encode() not in all_bytes(second)
    assert faults_of(second, tmp_path / "verifying") == []


def test_a_copy_that_broke_off_before_the_redaction_keeps_nothing_of_it(store: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    assert copied(store, copy, tmp_path) == []
    for run in archive_of(store, tmp_path).runs():
        copy.delete(object_keys.run_key(run, object_keys.MANIFEST))
    redacted(store, tmp_path)
    assert copied(store, copy, tmp_path) == []
    assert WORD.encode() not in all_bytes(copy), "files of the same size are not believed"
    assert faults_of(copy, tmp_path) == []


def test_nothing_is_mended_back(store: MemoryStore, tmp_path: Path) -> None:
    copy = MemoryStore()
    copied(store, copy, tmp_path)
    redacted(store, tmp_path)
    done = list(Replica(copy, store, tmp_path, KNOWN).repair())
    assert [each.files for each in done] == [0] * 4
    assert [fault for each in done for fault in each.faults] == []
    assert WORD.encode() not in all_bytes(store)
    assert all("nobody who is known here" in str(each.faults) for each in Replica(copy, store, tmp_path).repair())
    run = archive_of(store, tmp_path).runs()[0]
    key = object_keys.run_key(run, object_keys.MANIFEST)
    sound = store.get(key)
    store.put(key, b"damaged")
    (fault,) = [fault for each in Replica(copy, store, tmp_path, KNOWN).repair([run]) for fault in each.faults]
    assert "was redacted" in fault
    assert WORD.encode() not in all_bytes(store)
    store.put(key, sound)
    copied(store, copy, tmp_path)
    warc = object_keys.run_key(run, "archive/00000.warc.gz")
    store.put(warc, b"damaged")
    assert [each.files for each in Replica(copy, store, tmp_path, KNOWN).repair([run])] == [1]
    assert faults_of(store, tmp_path) == []


# What stands in the place of a record


@pytest.mark.parametrize("room", [*range(12), 1_000, 4 << 20])
def test_a_member_is_filled_to_any_length(room: int) -> None:
    plain = b"a record\r\n\r\n" * 20
    length = len(b"".join(padded_member(plain, 10_000))) - 10_000
    assert length == 0
    least = next(size for size in range(40, 400) if _fits(plain, size))
    member = b"".join(padded_member(plain, least + room))
    assert len(member) == least + room
    assert gzip.decompress(member) == plain
    assert zlib.decompressobj(wbits=31).decompress(member) == plain


def _fits(plain: bytes, size: int) -> bool:
    try:
        list(padded_member(plain, size))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("size", [0, 100_000, 3_000_000])
def test_every_reader_passes_over_it(size: int, store: MemoryStore) -> None:
    key = next(key for key in store._objects if key.endswith("00000.warc.gz"))
    data = store.get(key)
    second = list(places_of("k", iter([data])))[1]
    place = replace(second, length=second.length + size)
    member = b"".join(blanked_record(place, "20261126T000000Z-00000000"))
    made = data[: second.offset] + member + data[second.offset + second.length :]
    ids = [record.rec_headers.get_header("WARC-Record-ID") for record in ArchiveIterator(io.BytesIO(made))]
    assert ids == [each.record_id for each in places_of("k", iter([data]))]
    fast = [record.record_id for record in FastIterator(io.BytesIO(made), parse_http=False)]
    assert fast == ids
    assert [each.record_id for each in places_of("k", iter([made]))] == ids
    record = read_record([member])
    assert (record.kind, record.record_id, record.block.read()[:14]) == (
        "metadata",
        second.record_id,
        b"redacted: see ",
    )


# Other runs that hold it, and records of other programs


def test_a_text_that_was_made_again_goes_too(store: MemoryStore, tmp_path: Path) -> None:
    archive = archive_of(store, tmp_path)
    first = archive.runs()[0]
    session = archive.session(RunSettings("test/2"))
    (page,) = [each for each in archive.captures_of(first) if each.url == SECRET]
    session.adopt(page)
    session.add_document(a_document(page, f"{WORD} again, and better read.", f"Again {WORD}"))
    manifest = session.commit()
    assert manifest is not None
    archive.refresh()
    what = plan_redaction(archive, first, [SECRET], ())
    assert what.runs[-1] == manifest.run
    by_the_other = plan_redaction(archive, manifest.run, [SECRET], ())
    assert (by_the_other.gone, by_the_other.runs) == (what.gone, what.runs)
    redact(archive, what, SIGNER, REASON)
    of_it = MemoryStore()
    of_it._objects = {key: data for key, data in store._objects.items() if f"/{manifest.run}/" in key}
    assert WORD.encode() not in all_bytes(of_it)
    assert faults_of(store, tmp_path) == []


def test_records_of_other_programs_are_taken_out_too(tmp_path: Path) -> None:
    store = MemoryStore()
    archive = archive_of(store, tmp_path)
    archive.prepare()
    session = archive.session(RunSettings("test/1"))
    for number, url in enumerate((SECRET, OPEN)):
        body = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n{WORD if url == SECRET else 'Someone'}".encode()
        record_id = f"<urn:uuid:00000000-0000-4000-8000-00000000000{number}>"
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: {record_id}\r\nWARC-Date: 2020-01-01T00:00:00Z\r\n"
            f"WARC-Target-URI: {url}\r\nContent-Type: application/http\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        record = session.add_foreign(head.encode(), Block.of(body))
        payload = digest_of(body.partition(b"\r\n\r\n")[2])
        session.index(Snapshot(url, NOON, 200, "text/plain", payload, record_id, record, session.run), page=False)
    manifest = session.commit()
    assert manifest is not None
    archive.refresh()
    redact(archive, plan_redaction(archive, manifest.run, [SECRET], ()), SIGNER, REASON)
    assert WORD.encode() not in all_bytes(store)
    assert faults_of(store, tmp_path) == []
    assert b"Someone" in archive_of(store, tmp_path).read(next(archive.snapshots(OPEN))).block.read()


def test_what_lies_aside_without_a_statement_goes_by_the_stores_clock(store: MemoryStore, tmp_path: Path) -> None:
    archive = Archive(store, spool=tmp_path / "spool")
    archive.prepare()
    key = object_keys.redacting_key("20260101T000000Z-00000000", "20260101T000000Z-00000001", object_keys.PAGES)
    store.put(key, b"of a machine whose clock is months behind")
    finish(archive, [])
    assert key in store._objects
    store._modified[key] -= timedelta(days=2)
    finish(archive, [])
    assert key not in store._objects


class Meanwhile:
    """A store to whose user something happens before the first statement is put."""

    def __init__(self, store: ObjectStore, happens: Callable[[], object], *, breaks: bool = False) -> None:
        self._store, self._happens, self._breaks = store, [happens], breaks

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        if key.startswith("notices/redactions/") and self._happens:
            self._happens.pop()()
            done = self._store.put_if_absent(key, data)
            if self._breaks:
                raise StoreUnavailable("the answer was lost")
            return done
        return self._store.put_if_absent(key, data)


def test_of_two_redactions_of_a_run_at_once_the_second_is_made_again(store: MemoryStore, tmp_path: Path) -> None:
    run = archive_of(store, tmp_path).runs()[0]
    other = archive_of(store, tmp_path / "other")

    def first() -> None:
        redact(other, plan_redaction(other, run, [SECRET], ()), SIGNER, REASON)

    slow = archive_of(Meanwhile(store, first), tmp_path / "slow")  # type: ignore[arg-type]
    statement = redact(slow, plan_redaction(slow, run, [OPEN], ()), SIGNER, "another reason")
    assert unfinished(store) == {}
    assert faults_of(store, tmp_path) == []
    assert {each.withheld.reason for each in archive_of(store, tmp_path / "new").captures_of(run) if each.withheld} == {
        REASON, "another reason",
    }  # fmt: skip
    stated = archive_of(store, tmp_path / "new").notices.statements(KNOWN)
    assert sorted(each.statement.reason for each in stated) == sorted([REASON, "another reason", "another reason"])
    done = parse(store.get(object_keys.run_key(run, object_keys.MANIFEST))).redactions
    assert statement.id not in done
    assert len(done) == 2


def test_who_has_no_key_leaves_what_another_redaction_came_before_to_those_who_have_one(
    store: MemoryStore, tmp_path: Path
) -> None:
    run = archive_of(store, tmp_path).runs()[0]
    other = archive_of(store, tmp_path / "other")

    def first() -> None:
        redact(other, plan_redaction(other, run, [SECRET], ()), SIGNER, REASON)

    slow = Meanwhile(store, first, breaks=True)
    archive = archive_of(slow, tmp_path / "slow")  # type: ignore[arg-type]
    what = plan_redaction(archive, run, [OPEN], ())
    with pytest.raises(StoreUnavailable):
        redact(archive, what, SIGNER, "another reason")
    reader = archive_of(store, tmp_path / "reader")
    finish(reader, KNOWN)
    assert [each.reason for each in overtaken(reader, KNOWN)] == ["another reason"]
    notes = [note for finding in reader.verify(known=KNOWN) for note in finding.notes]
    assert any("onrecord redact --finish" in note for note in notes)
    assert len(finish_overtaken(reader, SIGNER, KNOWN)) == 1
    assert not overtaken(reader, KNOWN)
    assert unfinished(store) == {}
    assert faults_of(store, tmp_path) == []


@pytest.mark.parametrize("number", [1, 2, 4, 9])
def test_of_captures_that_are_alike_each_can_be_taken_out(number: int, tmp_path: Path) -> None:
    """Lines of an index that differ in an address alone pack so well that a blanked one may need more room."""
    store = MemoryStore()
    archive = archive_of(store, tmp_path)
    archive.prepare()
    file = tmp_path / "alike.warc.gz"
    file.write_bytes(members(*(record(url=f"http://a.example/{each}", number=each) for each in range(number))))
    import_file(archive, file, lambda left: None, None)
    for each in range(number):
        archive.refresh()
        run = archive.runs()[0]
        redact(archive, plan_redaction(archive, run, [f"http://a.example/{each}"], ()), SIGNER, REASON)
    assert faults_of(store, tmp_path) == []
    assert [found.withheld is not None for found in archive_of(store, tmp_path / "new").every()] == [True] * number
    again = import_file(archive_of(store, tmp_path), file, lambda left: None, None)
    assert (again.run, again.captures) == (None, 0), "what is gone does not come back"


def without_room(store: MemoryStore, run: str) -> None:
    """Seal a run's index anew as onrecord 0.4 did: its blocks have no byte to spare."""
    cdx, idx = encode(index_lines(store, run))
    key = object_keys.run_key(run, object_keys.MANIFEST)
    package = json.loads(store.get(key))
    for path, data in ((object_keys.CDX, cdx), (object_keys.IDX, idx)):
        store.put(object_keys.run_key(run, path), data)
        entry = next(each for each in package["resources"] if each["path"] == path)
        entry |= {"hash": digest_of(data), "bytes": len(data)}
    made = json.dumps(package).encode()
    store.put(key, made)
    store.put(object_keys.run_key(run, object_keys.MANIFEST_DIGEST), digest_file(made))


def index_lines(store: MemoryStore, run: str) -> list[str]:
    cdx = store.get(object_keys.run_key(run, object_keys.CDX))
    blocks = BlockIndex(store.get(object_keys.run_key(run, object_keys.IDX)))
    return [line for it in blocks for line in decode_block(cdx[it.offset : it.offset + it.length])]


ALIKE: dict[str, Callable[[int], bytes]] = {
    "one address": lambda each: record(number=each),
    "one id": lambda each: record(url="http://a.example/" + "x" * each),
    "numbers": lambda each: record(url=f"http://a.example/{each * 7919 % 100_000:05}", number=each),
    "one address and id": lambda each: record(block=PAGE + b"y" * each),
    "no words": lambda each: (
        f"WARC/1.0\nWARC-Type: resource\nWARC-Record-ID: <a:{each}>\nWARC-Date: 2020-01-01T00:00:00Z\n"
        f"WARC-Target-URI: http://a/\nContent-Length: 0\n\n\n\n"
    ).encode(),
}


@pytest.mark.parametrize("roomy", [True, False], ids=["today", "sealed by 0.4"])
@pytest.mark.parametrize("number", [5, *(pytest.param(many, marks=pytest.mark.full) for many in (8, 60))])
@pytest.mark.parametrize("kind", ALIKE)
def test_whatever_is_alike_some_or_all_can_be_taken_out(kind: str, number: int, roomy: bool, tmp_path: Path) -> None:
    begun = MemoryStore()
    archive = archive_of(begun, tmp_path)
    archive.prepare()
    file = tmp_path / "alike.warc.gz"
    file.write_bytes(members(*map(ALIKE[kind], range(number))))
    import_file(archive, file, lambda left: None, None)
    (run,) = archive_of(begun, tmp_path).runs()
    if not roomy:
        without_room(begun, run)
    assert faults_of(begun, tmp_path) == []
    places = [found.place for found in archive_of(begun, tmp_path).unguarded().captures_of(run)]
    assert len(places) == number
    chosen = random.Random(number)
    for tried, count in enumerate((1, 1, 1, 2, number // 2, number)):
        folder = tmp_path / str(tried)
        store = MemoryStore()
        for info in begun.list():
            store.put(info.key, begun.get(info.key))
        gone = set(chosen.sample(places, count))
        redact(archive_of(store, folder), plan_redaction(archive_of(store, folder), run, (), gone), SIGNER, REASON)
        assert faults_of(store, folder) == []
        found = archive_of(store, folder / "new").unguarded().captures_of(run)
        kept = {each.place for each in found}
        assert kept >= set(places) - gone
        assert {each.place for each in found if each.mime == "text/html"} <= set(places) - gone
        if roomy:
            assert kept == set(places), "the index has room for what is known of those that are gone"
            assert all(each.status == 200 or kind == "no words" for each in found)
