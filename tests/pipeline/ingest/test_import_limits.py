"""Small files, little work: a file costs what its size allows, whatever it unfolds to, and leaves as little behind."""

from __future__ import annotations

import gzip
import io
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.errors import FormatError
from archive.formats.outcomes_jsonl import OutcomeLine
from archive.formats.surt import urlkey
from archive.importers.captures import LONGEST_URL
from archive.runs import RunSettings
from pipeline.capture.http.settings import FetchSettings
from pipeline.discover.feeds import findings_of_feed
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.capture_run import CaptureOptions, recover
from pipeline.ingest.import_files import import_file
from pipeline.ingest.import_flaws import Left
from pipeline.ingest.import_room import TOO_LARGE
from storage.memory import MemoryStore
from tests.command import Command
from tests.pipeline.ingest.hostile_files import DESCRIPTION, FREE, HOSTILE, WithTexts, a_pdf, a_wacz, page, zstd
from tests.pipeline.ingest.test_import_files import PAGE, Brought, members, record
from tests.samples import sampled

SECONDS = 20.0  # of the processor: ten times what these files may cost; each took a minute and more, or megabytes


UNREAD = [name for name in HOSTILE if "page " not in f"{name} " or name == "blank lines of pages"]


@pytest.mark.parametrize("name", sampled(UNREAD, 4))
def test_a_small_file_is_little_work_and_leaves_little_behind(name: str, tmp_path: Path) -> None:
    data = HOSTILE[name]()
    begun = time.process_time()
    brought = Brought(tmp_path, data, name="a.wacz" if data.startswith(b"PK") else "a.warc.gz")
    assert time.process_time() - begun < SECONDS
    assert brought.done.records >= 1 or brought.done.left
    kept = {info.key: info.size for info in brought.archive.unguarded().stores.primary.list("runs/")}
    assert sum(kept.values()) <= max(10 * len(data), FREE) + DESCRIPTION
    assert brought.sound()


_SAMPLE = ("a page of entities", "a large record in a Zstandard frame")


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(1, time_limit=60, memory_limit=2_000_000_000) as made:
        yield made


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=() if each in _SAMPLE else pytest.mark.full) for each in HOSTILE]
)
def test_texts_are_bounded_by_the_size_of_their_file(name: str, pool: ExtractorPool, tmp_path: Path) -> None:
    data = HOSTILE[name]()
    found = WithTexts(tmp_path, data, pool)
    assert found.kept <= max(10 * len(data), FREE) + DESCRIPTION
    assert not any(finding.faults for finding in found.archive.verify())
    for left in found.left:
        assert left.reason


def test_pages_without_room_for_their_texts_are_kept_and_named(pool: ExtractorPool, tmp_path: Path) -> None:
    found = WithTexts(tmp_path, HOSTILE["pages that are alike"](), pool)
    without = [left for left in found.left if "is kept without it" in left.reason]
    assert 0 < len(without) <= 10
    assert found.done.records == found.done.captures == 50, "the bytes of all are there"
    assert found.done.left == 11, "ten by one, and the number of the others"
    assert 0 < found.done.pages < 40
    texts = [found.archive.unguarded().document(each) for each in found.archive.every()]
    assert sum(text is not None for text in texts) == found.done.pages


def test_a_small_file_of_records_that_are_alike_comes_in_whole(pool: ExtractorPool, tmp_path: Path) -> None:
    one = b"<p>Page %d: the council debated the harbour tax for eleven hours, and heard the chairman.</p>"
    data = gzip.compress(gzip.decompress(members(*(page(one % n, number=n) for n in range(30)))), mtime=0)
    assert len(data) < 2_000
    found = WithTexts(tmp_path, data, pool)
    assert (found.left, found.done.records, found.done.pages) == ([], 30, 30)


def test_work_is_bounded_by_the_size_of_a_file(pool: ExtractorPool, tmp_path: Path) -> None:
    found = WithTexts(tmp_path, _pdfs(), pool)
    reasons = [left.reason for left in found.left]
    assert len(reasons) == 3
    assert all("takes more work than so few bytes honestly make: the page is kept" in reason for reason in reasons)
    assert (found.done.records, found.done.captures, found.done.pages) == (3, 3, 0)


def _pdfs() -> bytes:
    """Return three files, each of which takes many seconds of the processor, and has few bytes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n"
    return members(*(record(url=f"http://a.example/{n}", number=n, block=head + a_pdf(2_000_000)) for n in range(3)))


_LONG = members(*(page(b"<p>A paragraph of some words. </p>" * 6_000, number=n) for n in range(3)))


def test_texts_that_had_no_room_are_made_by_the_command_that_is_named(tmp_path: Path) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    (tmp_path / "a.warc.gz").write_bytes(_LONG)
    done = onrecord("import", str(tmp_path / "a.warc.gz"))
    assert done.code == 3
    lines = [line for line in done.err.splitlines() if "is kept without it" in line]
    assert len(lines) == 3
    assert onrecord("get", "http://a.example/1").out.count("A paragraph") == 0
    (command,) = {re.search("`onrecord (.*?)`", line)[1] for line in lines}  # type: ignore[index]
    made = onrecord(*command.split())
    assert (made.code, "3 texts made again" in made.err) == (0, True), made.err
    assert onrecord("get", "http://a.example/1").out.count("A paragraph of some words.") == 6_000
    assert "0 texts made again" in onrecord(*command.split()).err


class _Ended(Exception):
    """Ends an import in its middle."""


def test_an_import_that_is_taken_up_again_has_the_same_bounds(pool: ExtractorPool, tmp_path: Path) -> None:
    archive = Archive(MemoryStore(), spool=tmp_path / "spool")
    archive.prepare()
    (tmp_path / "a.warc.gz").write_bytes(_LONG)

    def end(_left: Left) -> None:
        raise _Ended

    with pytest.raises(_Ended):
        import_file(archive, tmp_path / "a.warc.gz", end, pool)
    (result,) = recover(archive, CaptureOptions(FetchSettings("x"), RunSettings("x"), workers=1))
    archive.refresh()
    assert result.manifest is not None
    reader = archive.unguarded()
    assert [reader.document(each) for each in archive.every()] == [None] * 3
    kept = sum(info.size for info in reader.stores.primary.list("runs/"))
    assert kept <= max(10 * len(_LONG), FREE) + DESCRIPTION
    lines = [line for line in reader.outcomes(result.run) if isinstance(line, OutcomeLine)]
    assert sum("is kept without it" in (line.outcome.error or "") for line in lines) == 3


def test_a_record_that_unfolds_beyond_all_bounds_is_left_out_and_others_come_in(tmp_path: Path) -> None:
    bomb = zstd.compress(record(block=PAGE + bytes(200 << 20), number=2), level=9)
    found = Brought(tmp_path, zstd.compress(record()) + bomb + zstd.compress(record(number=3)))
    assert found.done.records == 2
    assert [left.reason for left in found.left if not left.taken] == [TOO_LARGE]


def test_flaws_beyond_a_thousand_of_a_part_are_counted(tmp_path: Path) -> None:
    faults = b"".join(b"WARC/1.0\r\nX-%d: %d\r\n\r\n" % (n, n * n) for n in range(5_000))
    brought = Brought(tmp_path, record() + faults + b"z" * 100_000, name="a.warc")
    assert brought.done.records == 1
    assert len(brought.left) == 1_001
    assert brought.left[-1].reason == f"and {brought.done.left - 1_000:,} more that were left out"
    assert brought.done.left >= 5_000
    (key,) = [
        info.key
        for info in brought.archive.unguarded().stores.primary.list("runs/")
        if info.key.endswith("outcomes.jsonl")
    ]
    assert brought.archive.unguarded().stores.primary.get(key).count(b"\n") == 1_001


def test_a_file_that_unfolds_to_more_records_than_it_can_hold_is_left_with_a_word(tmp_path: Path) -> None:
    brought = Brought(tmp_path, gzip.compress(record() * 50_000, mtime=0))
    assert any("more records and faults than so few bytes can hold" in left.reason for left in brought.left)
    assert brought.done.already < 10_000
    many = b"".join(gzip.compress(record(number=n), mtime=0) for n in range(1, 4_000))
    whole = Brought(tmp_path / "..", many, name=f"{tmp_path.name}.warc.gz")
    assert (whole.done.records, whole.done.left) == (3_999, 0), "an honest one is read to its end"


@pytest.mark.parametrize("suffix", ["warc", "warc.gz"])
def test_what_packs_too_well_as_a_whole_comes_in_unpacked_or_packed_record_by_record(
    suffix: str, tmp_path: Path
) -> None:
    records = [record(url=f"http://a.example/{n}", number=n) for n in range(1_500)]
    (tmp_path / "whole").mkdir()
    (tmp_path / "honest").mkdir()
    whole = Brought(tmp_path / "whole", gzip.compress(b"".join(records), mtime=0))
    assert 0 < whole.done.records < 1_500
    assert any("unpack the file" in left.reason for left in whole.left)
    data = b"".join(records) if suffix == "warc" else members(*records)
    honest = Brought(tmp_path / "honest", data, name=f"a.{suffix}")
    assert (honest.done.records, honest.done.left) == (1_500, 0)


def test_an_address_beyond_the_limit_is_kept_and_named(tmp_path: Path) -> None:
    long = "http://a.example/" + "x" * LONGEST_URL
    brought = Brought(tmp_path, members(record(url=long[:LONGEST_URL]), record(url=long, number=2)))
    assert (brought.done.records, brought.done.captures, brought.done.left) == (2, 1, 0)
    assert [left.taken for left in brought.left] == [True]
    assert "8,192 at most can be looked up; it is kept, and cannot be shown" in brought.left[0].reason


def test_pages_are_read_as_far_as_a_list_may_unfold(tmp_path: Path) -> None:
    lines = b'{"url": "http://a.example/"}\n' + b'{"url":"x"}\n' * (1 << 20)
    brought = Brought(tmp_path, a_wacz(lines), name="a.wacz")
    assert brought.done.captures == 1
    assert any("larger than any honest one" in left.reason and left.taken for left in brought.left)


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    file = io.BytesIO(a_wacz(b"", gzip.compress(record(block=PAGE * 2_000), mtime=0)))
    with zipfile.ZipFile(file, "a") as package:
        (shared,) = [entry for entry in package.infolist() if entry.filename.startswith("archive/")]
        for number in range(100):
            again = zipfile.ZipInfo(f"archive/{number}.warc.gz")
            again.header_offset, again.CRC = shared.header_offset, shared.CRC
            again.compress_size, again.file_size = shared.compress_size, shared.file_size
            package.filelist.append(again)
        package._didModify = True
    with pytest.raises(FormatError, match="its entries share their bytes"):
        Brought(tmp_path, file.getvalue(), name="a.wacz")


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://a.example/%2525252541", "example,a)/a"),
        ("http://a.example/%" + "25" * 30_000 + "41", "example,a)/a"),
        ("http://a.example/%25%32%35%34%31", "example,a)/a"),
        ("http://a.example/(s(" + "a" * 24 + "))/b/x.aspx", "example,a)/b/x.aspx"),
        ("http://a.example/(" + "a" * 24 + ")/b?x.aspx", "example,a)/(" + "a" * 24 + ")/b?x.aspx"),
        ("http://a.example/b?cfid=1&cftoken=2&c=3", "example,a)/b?c=3"),
        ("http://a.example/b?a=1&xcfid=1&CFTOKEN=2", "example,a)/b?a=1&x"),
    ],
)
def test_keys_are_what_they_were(url: str, key: str) -> None:
    assert urlkey(url) == key


def test_the_bases_of_a_feed_are_joined_once(tmp_path: Path) -> None:
    begun = time.process_time()
    depth = 200
    nested = "".join(f'<d xml:base="/{n}/">' for n in range(depth))
    items = "<item><link>a</link></item>" * 9_000
    other = '<d xml:base="/z/"><item><link>b</link></item></d>'
    body = f"<rss><channel>{nested}{items}{other}{'</d>' * depth}</channel></rss>"
    found = findings_of_feed(body.encode(), "http://a.example/feed")
    assert time.process_time() - begun < SECONDS
    assert [link.url for link in found.outlinks] == ["http://a.example/199/a", "http://a.example/z/b"]
