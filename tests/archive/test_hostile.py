"""Stores made by strangers: whatever their files say, an answer or one named error, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from archive import object_keys
from archive.archive import Archive
from archive.digests import digest_of, read_self_digested, self_digested
from archive.errors import IntegrityError, RecordError
from archive.formats import manifest
from archive.formats.cdxj import parse_line, snapshot_of
from archive.formats.pages_jsonl import HEADER, decode_document, encode_document
from archive.formats.zipnum import BlockIndex, decode_block, encode
from storage.memory import MemoryStore
from tests.archive.conftest import Keep
from tests.archive.forged import DEEP, KEY, RUN, URL, block, forge, line, member
from tests.exchanges import NOON, a_document, an_exchange

PAGES = object_keys.run_key(RUN, object_keys.PAGES)


def package(**changes: object) -> bytes:
    sound = {
        "run": {"id": RUN},
        "created": "2026-11-23T12:00:00Z",
        "resources": [{"path": object_keys.IDX, "hash": digest_of(b""), "bytes": 0}],
        "parents": [],
        "counts": {},
    }
    return json.dumps(sound | changes).encode()


TWICE = [{"path": object_keys.IDX, "hash": digest_of(b""), "bytes": 0}] * 2


@pytest.mark.parametrize(
    "data",
    [
        DEEP,
        b'{"run":' + DEEP,
        b"\xff",
        b"[]",
        b"NaN",
        package(run=RUN),
        package(run={"id": {"a": 1}}),
        package(counts={"captures": float("inf")}),
        package(counts={"captures": float("nan")}),
        package(counts=[]),
        package(created="0001-01-01T00:00:00+23:00"),
        package(created=5),
        package(resources=[{"path": object_keys.IDX, "hash": digest_of(b""), "bytes": float("inf")}]),
        package(resources=[{"path": object_keys.IDX, "hash": digest_of(b""), "bytes": -1}]),
        package(resources=[{"path": "../../etc/passwd", "hash": digest_of(b""), "bytes": 1}]),
        package(resources=[{"path": "archive/\ud800", "hash": digest_of(b""), "bytes": 1}]),
        package(resources=TWICE),
        package(resources=[5]),
        package(parents=[5]),
        package(parents="sha256:"),
    ],
)
def test_what_is_no_manifest_is_named(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        manifest.parse(data)
    assert manifest.parse(package()).run == RUN


@pytest.mark.parametrize("rest", [DEEP + b"\n", b'"a":NaN,}\n', b"[]\n", b"\xff\n"])
def test_a_line_whose_digest_holds_may_still_be_no_object(rest: bytes) -> None:
    data = b'{"hash":"' + digest_of(rest).encode() + b'",' + rest
    with pytest.raises(ValueError, match=r"."):
        read_self_digested(data)


REFERS = "20261123120000 <urn:uuid:2> " + URL


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"{KEY} x",
        f"{KEY} 20261123120000 {DEEP.decode()}",
        f'{KEY} 20261123120000 {{"url":{DEEP.decode()}',
        line(stamp="1"),
        line(stamp="20269999999999"),
        line(url=None),
        line(offset="-1"),
        line(length="-1"),
        line(offset="1e3"),
        line(offset="9" * 5000),
        line(offset=str(1 << 70)),
        line(status="-3"),
        line(status="9" * 5000),
        line(filename="../../../onrecord.json"),
        line(filename="a/b"),
        line(filename=".."),
        line(filename=""),
        line(filename="\ud800"),
        line(document="../../etc/passwd 0 10"),
        line(document=f"{PAGES} -1 10"),
        line(document=f"{PAGES} 0 -1"),
        line(document=f"{PAGES} 0 {1 << 40}"),
        line(refers=f"/etc/passwd 0 1 {REFERS}"),
        line(refers=f"runs/../x 0 1 {REFERS}"),
        line(refers=f"runs/{RUN}/archive/00000.warc.gz -1 1 {REFERS}"),
    ],
)
def test_lines_that_lie_are_named(text: str) -> None:
    assert snapshot_of(parse_line(line(refers=f"runs/{RUN}/archive/00000.warc.gz 0 1 {REFERS}")), RUN).revisit
    with pytest.raises(RecordError):
        snapshot_of(parse_line(text), RUN)


@pytest.mark.parametrize(
    "idx",
    [
        b"\xff\tx\t0\t1\t1\n",
        b"k 2026\tx\t-1\t10\t1\n",
        b"k 2026\tx\t0\t-10\t1\n",
        b"k 2026\tx\t0\t%d\t1\n" % (1 << 40),
        b"k 2026\tx\t%d\t10\t1\n" % (1 << 70),
        b"k 2026\tx\t%s\t10\t1\n" % (b"9" * 5000),
    ],
)
def test_an_index_head_that_lies_is_named(idx: bytes, store: MemoryStore, archive: Archive) -> None:
    with pytest.raises(RecordError):
        BlockIndex(idx)
    forge(store, idx=idx)
    with pytest.raises(IntegrityError):
        archive.closest(URL)
    assert any(finding.faults for finding in archive.verify())


def test_a_line_of_two_words_among_sound_ones_is_named(store: MemoryStore, archive: Archive) -> None:
    cdx, idx = block(line(), f"{KEY} 20261123130000")
    forge(store, cdx=cdx, idx=idx)
    with pytest.raises(IntegrityError):
        list(archive.snapshots(URL))


def test_a_manifest_without_an_index_is_named(store: MemoryStore, archive: Archive) -> None:
    run = forge(store)
    store.put(object_keys.run_key(run, object_keys.MANIFEST), package(resources=[]))
    with pytest.raises(IntegrityError):
        archive.closest(URL)


def test_an_index_whose_blocks_are_missing_is_named(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    run = keep(an_exchange())
    store.delete(object_keys.run_key(run, object_keys.CDX))
    with pytest.raises(IntegrityError, match=run):
        archive.closest(URL)


def test_a_block_that_inflates_without_end_is_refused() -> None:
    for plain in (bytes(200 << 20), b"\n" * (20 << 20)):
        with pytest.raises(RecordError):
            decode_block(member(plain))


def test_long_lines_make_more_blocks_and_are_found_again(store: MemoryStore, archive: Archive) -> None:
    """A site that answers every URL with a redirect of 200 KB must not make a block that no one can read."""
    lines = [f"{KEY}{number:04d} 20261123120000 " + json.dumps({"redirect": "x" * 200_000}) for number in range(500)]
    cdx, idx = encode(lines)
    index = BlockIndex(idx)
    found = [each for ref in index for each in decode_block(cdx[ref.offset : ref.offset + ref.length])]
    assert found == lines
    assert len(index) > 10
    for wanted in (lines[0], lines[250], lines[499]):
        start = wanted.split(" ")[0] + " "
        refs = index.blocks(start, start[:-1] + "!")
        assert any(wanted in decode_block(cdx[ref.offset : ref.offset + ref.length]) for ref in refs)


def test_lone_surrogates_do_not_keep_a_run_from_its_store(archive: Archive) -> None:
    """JSON in a page can name half a character; its run must be sealed all the same."""
    from archive.runs.warc_files import RunSettings

    session = archive.session(RunSettings("test/1"))
    snapshot = session.add(an_exchange(), page=True)
    session.add_document(a_document(snapshot, title="half \ud83d a face"))
    assert session.commit() is not None
    archive.refresh()
    assert archive.closest(URL).title == "half ? a face"


ENTRY = {"url": URL, "ts": "2026-11-23T12:00:00Z", "record": "<urn:uuid:1>", "digest": "sha256:", "warc": "w"}


@pytest.mark.parametrize(
    "entry",
    [
        {},
        ENTRY | {"ts": 5},
        ENTRY | {"ts": "0001-01-01T00:00:00+23:00"},
        ENTRY | {"url": 5},
        ENTRY | {"record": None},
        ENTRY | {"text": {"a": 1}},
        ENTRY | {"title": 5},
        ENTRY | {"tags": 5},
        ENTRY | {"tags": "abc"},
        ENTRY | {"links": [5]},
        ENTRY | {"embeds": 5},
        ENTRY | {"embeds": [5]},
        ENTRY | {"embeds": [{"kind": "x"}]},
        ENTRY | {"embeds": [{"kind": "x", "url": 5}]},
        ENTRY | {"offset": "x"},
        ENTRY | {"same_as": 5},
    ],
)
def test_documents_that_are_none_are_named(entry: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        decode_document(self_digested(entry))


def test_a_document_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    entry = ENTRY | {"text": "t", "mood": "grave", "embeds": [{"kind": "x", "url": "u", "width": 5}]}
    document = decode_document(self_digested(entry))
    assert (document.article.text, document.article.embeds[0].kind) == ("t", "x")
    assert decode_document(encode_document(document)) == document


def test_verify_names_what_an_index_repeats_or_hides(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    """Blocks that overlap, lines out of order, and lines that stand twice make a lookup lie though every hash holds."""
    run = keep(*(an_exchange(f"http://example.org/{name}", name.encode()) for name in "abc"))
    data = store.get(object_keys.run_key(run, object_keys.CDX))
    lines = decode_block(data)
    warc = store.get(object_keys.run_key(run, object_keys.warc_path(0)))
    pages = store.get(object_keys.run_key(run, object_keys.PAGES))
    forge(store, run=run, lines=lines, warc=warc, pages=pages)
    assert [finding.faults for finding in archive.verify()] == [()]
    swapped, idx = block(*lines[::-1])
    forge(store, run=run, cdx=swapped, idx=idx, warc=warc, pages=pages)
    assert any("order" in fault for finding in archive.verify() for fault in finding.faults)
    doubled, idx = block(lines[0], *lines)
    forge(store, run=run, cdx=doubled, idx=idx, warc=warc, pages=pages)
    assert any("twice" in fault for finding in archive.verify() for fault in finding.faults)
    overlapping = idx * 1000
    forge(store, run=run, cdx=doubled, idx=overlapping, warc=warc, pages=pages)
    assert any("one behind the other" in fault for finding in archive.verify() for fault in finding.faults)


@pytest.mark.parametrize("pages", [HEADER + b"x" * 50, HEADER + b"{}\n", HEADER + DEEP + b"\n", b"", b"x\n"])
def test_pages_that_are_none_are_named(store: MemoryStore, archive: Archive, pages: bytes) -> None:
    forge(store, pages=pages)
    assert [fault for finding in archive.verify() for fault in finding.faults if object_keys.PAGES in fault]


LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (600 << 20, resource.RLIM_INFINITY))
from archive.archive import Archive
from storage.local import LocalStore
archive = Archive(LocalStore(Path(sys.argv[1])), spool=Path(sys.argv[1]) / "spool")
print([fault for finding in archive.verify() for fault in finding.faults])
"""


@pytest.mark.full
def test_a_record_whose_head_never_ends_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    from storage.local import LocalStore

    store = LocalStore(tmp_path / "store")
    forge(store, warc=member(b"WARC/1.1\r\nWARC-Type: " + bytes(800 << 20), level=1))
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path / "store")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "its head is longer" in done.stdout


def test_one_damaged_run_does_not_hide_the_others(store: MemoryStore, archive: Archive, keep: Keep) -> None:
    """Every snapshot of the sound runs is listed, and then the damage is told."""
    first = keep(an_exchange())
    keep(an_exchange(body=b"<p>new</p>", at=NOON + timedelta(days=1)))
    store.put(object_keys.run_key(first, object_keys.CDX), b"damaged")
    archive.refresh()
    found = []
    with pytest.raises(IntegrityError, match=first):
        found.extend(snapshot.timestamp for snapshot in archive.snapshots(URL))
    listed = []
    try:
        for snapshot in archive.snapshots(URL):
            listed.append(snapshot.timestamp)  # noqa: PERF401 - what came before the error is what matters
    except IntegrityError:
        pass
    assert listed == [NOON + timedelta(days=1)]
