"""WARC files packed with Zstandard, frame by frame or whole, with a dictionary or without."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.extract.extractor_pool import ExtractorPool
from tests.pipeline.ingest.test_import_files import members, record
from tests.pipeline.ingest.test_import_kinds import Theirs, answer, wacz

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUMS = {int(zstd.CompressionParameter.checksum_flag): 1}
SAMPLES = [
    record(url=f"http://quay.example/sample/{n}", block=answer(f"Sample {n}"), number=900 + n) for n in range(60)
]
DICTIONARY = zstd.train_dict(SAMPLES, 4096)
RECORDS = [record(url=f"http://quay.example/{n}", block=answer(str(n)), number=n) for n in range(4)]


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(1, time_limit=60.0, memory_limit=1 << 31) as made:
        yield made


@pytest.fixture
def theirs(tmp_path: Path, pool: ExtractorPool) -> Theirs:
    return Theirs(tmp_path, pool)


def frame(data: bytes, dictionary: zstd.ZstdDict | None = None) -> bytes:
    return zstd.compress(data, options=SUMS, zstd_dict=dictionary)


def frames(*records: bytes, dictionary: zstd.ZstdDict | None = None) -> bytes:
    return b"".join(frame(each, dictionary) for each in records)


def skippable(data: bytes, kind: int = 0x5D) -> bytes:
    return bytes([kind]) + b"\x2a\x4d\x18" + len(data).to_bytes(4, "little") + data


RAW = skippable(DICTIONARY.dict_content)
PACKED = skippable(zstd.compress(DICTIONARY.dict_content))
BOMB = zstd.compress(bytes(300 << 20))


@pytest.mark.parametrize(
    "form", ["frames", "whole", "raw", "packed", "skipped", "of gzip", "in gzip", "with gzip", "with plain", "plain"]
)
def test_files_are_read_however_they_are_packed(form: str, theirs: Theirs) -> None:
    packed = frames(*RECORDS, dictionary=DICTIONARY)
    data = {
        "frames": frames(*RECORDS),
        "whole": frame(b"".join(RECORDS)),
        "raw": RAW + packed,
        "packed": PACKED + packed,
        "skipped": skippable(b"", 0x50) + frames(RECORDS[0]) + skippable(b"WARC/1.0\r\n" * 9) + frames(*RECORDS[1:]),
        "of gzip": frame(members(*RECORDS)),
        "in gzip": gzip.compress(RAW + packed, mtime=0),
        "with gzip": RAW + frames(*RECORDS[:2], dictionary=DICTIONARY) + members(*RECORDS[2:]),
        "with plain": RAW + frames(*RECORDS[:2], dictionary=DICTIONARY) + b"".join(RECORDS[2:]),
        "plain": b"".join(RECORDS[:2]) + frames(*RECORDS[2:]),
    }[form]
    assert b"WARC" in DICTIONARY.dict_content  # a reader that takes it for records finds some
    done = theirs.bring(data, "a.warc.zst")
    assert (done.records, done.captures, done.pages, theirs.faults, theirs.notes) == (4, 4, 4, [], [])


@pytest.mark.parametrize("head", [RAW, PACKED], ids=["raw", "packed"])
def test_a_wacz_holds_them_too(head: bytes, theirs: Theirs) -> None:
    data = head + frames(*RECORDS, dictionary=DICTIONARY)
    done = theirs.bring(wacz({"archive/data.warc.zst": data}, ["http://quay.example/1"]), "a.wacz")
    assert (done.captures, done.pages, theirs.faults, theirs.notes) == (4, 4, [], [])


def test_a_file_whose_name_says_nothing_is_known_by_its_bytes(theirs: Theirs) -> None:
    assert theirs.bring(frames(*RECORDS), "download").captures == 4


def test_damage_costs_the_frame_in_which_it_is(theirs: Theirs) -> None:
    first, second, *rest = (frame(each, DICTIONARY) for each in RECORDS)
    broken = bytearray(second)
    broken[-1] ^= 1  # of its checksum
    done = theirs.bring(RAW + first + bytes(broken) + b"".join(rest), "a.warc.zst")
    assert done.captures >= 3
    assert ["Zstandard frame is damaged" in fault for fault in theirs.faults] == [True]
    cut = frames(*RECORDS)[:-3]
    assert theirs.bring(cut, "b.warc.zst").captures + theirs.bring(cut, "c.warc.zst").captures <= 1
    assert any("breaks off" in fault for fault in theirs.faults)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (skippable(zstd.compress(bytes(20 << 20))), "larger than"),
        (skippable(zstd.compress(DICTIONARY.dict_content)[:-9]), "breaks off"),
        (skippable(b"\x37\xa4\x30\xec and no more"), ""),
    ],
    ids=["bomb", "cut", "damaged"],
)
def test_a_dictionary_that_cannot_be_used_is_named_and_is_no_capture(head: bytes, why: str, theirs: Theirs) -> None:
    done = theirs.bring(head + frames(RECORDS[0]) + frames(RECORDS[1], dictionary=DICTIONARY), "a.warc.zst")
    assert done.captures == 1  # the record that needs none
    assert theirs.faults[0].startswith("the file's Zstandard dictionary cannot be used")
    assert why in theirs.faults[0]
    assert len(theirs.faults) == 2


def test_a_dictionary_longer_than_the_file_is_a_fault(theirs: Theirs) -> None:
    done = theirs.bring(b"\x5d\x2a\x4d\x18\xff\xff\x00\x00" + DICTIONARY.dict_content, "a.warc.zst")
    assert (done.records, len(theirs.faults)) == (0, 1)


def test_a_bomb_costs_no_more_than_one_of_gzip(theirs: Theirs) -> None:
    data = frames(RECORDS[0]) + BOMB + frames(RECORDS[1])
    assert len(data) < 1 << 20
    done = theirs.bring(data, "a.warc.zst")
    assert done.captures == 2
    assert "is a bomb" in theirs.faults[-1]


@pytest.mark.full
def test_many_bombs_end_the_file(theirs: Theirs) -> None:
    done = theirs.bring(BOMB * 40 + frames(RECORDS[0]), "a.warc.zst")
    assert done.captures == 0
    assert "the rest" in theirs.faults[-1]
    assert sum("is a bomb" in fault for fault in theirs.faults) <= 4
