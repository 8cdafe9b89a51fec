"""Records and gzip members from strangers: read to the last byte, or named."""

from __future__ import annotations

import random
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from archive.errors import IntegrityError, RecordError
from archive.warc.gzip_members import gzip_member, walk_members
from archive.warc.reader import read_record, walk_records
from tests.archive.forged import member


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def a_record(block: bytes = b"body", **headers: str) -> bytes:
    fields = {"WARC_Type": "resource", "WARC_Record_ID": "<urn:uuid:1>", "Content_Length": str(len(block))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"WARC/1.1\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20])
def test_members_are_found_however_the_file_is_cut(size: int) -> None:
    dice = random.Random(size)
    plain = [dice.randbytes(dice.choice((0, 1, 300, 70_000))) for _ in range(12)]
    packed = [gzip_member(each) for each in plain]
    walked = walk_members(pieces(b"".join(packed), size))
    found = [(one.offset, one.stream.read(), one.length) for one in walked]
    offsets = [sum(map(len, packed[:number])) for number in range(len(packed))]
    assert found == [(offset, whole, len(data)) for offset, whole, data in zip(offsets, plain, packed, strict=True)]


@pytest.mark.parametrize("size", [1, 4096])
def test_members_that_are_cut_or_followed_by_anything_are_named(size: int) -> None:
    packed = gzip_member(b"one" * 1000) + gzip_member(b"two")
    first = len(gzip_member(b"one" * 1000))
    for damaged in (packed[:-1], packed[: first + 1], packed + b"\0", packed + b"\x1f\x8b"):
        with pytest.raises(RecordError, match="gzip member at byte"):
            for _ in walk_members(pieces(damaged, size)):
                pass


@pytest.mark.full
def test_small_members_in_a_large_piece_are_not_copied_again_and_again() -> None:
    """A member in a piece of 8 MiB must not cost a copy of the rest: a day's requests would take hours."""
    small = gzip_member(random.Random(1).randbytes(1000))
    data = small * ((1 << 22) // len(small))
    tracemalloc.start()
    count = sum(1 for _ in walk_members(iter([data])))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == len(data) // len(small)
    assert peak < 1 << 20  # a copy of what is left would be 4 MiB


def test_values_may_begin_on_a_further_line_and_go_on_on_others() -> None:
    folded = {"Content_Length": "\r\n 4", "WARC_Record_ID": "\r\n\t<urn:uuid:2>", "Odd": "one\r\n two\r\n three"}
    record = read_record([member(a_record(**folded))], own=False)
    assert (record.record_id, record.header("Odd"), record.block.read()) == ("<urn:uuid:2>", "one two three", b"body")


@pytest.mark.parametrize("length", ["²", "-1", "", "x", "1e3", "9" * 5000, "1_0", "+4", "٤"])
def test_lengths_that_are_none_are_named(length: str) -> None:
    assert read_record([member(a_record())]).block.read() == b"body"
    with pytest.raises(RecordError, match="Content-Length"):
        read_record([member(a_record(Content_Length=length))])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"WARC/1.1\r\n",
        b"WARC/1.1\r\nWARC-Type: response\r\n\r\n",
        b"WARC/1.1\r\n: \r\n\r\n",
        b"WARC/1.1\r\nA: " + b"x" * (8 << 20),
        b"WARC/1.1\r\n" + b"A: x\r\n" * (2 << 20),
        b"WARC/1.1\r\nA: x\r\n" + b" x\r\n" * (2 << 20),
        b"\xff\xfe",
    ],
)
def test_what_is_no_record_is_named(data: bytes) -> None:
    with pytest.raises(RecordError):
        read_record([member(data)])
    with pytest.raises(RecordError):
        list(walk_records([member(data)]))


def test_a_head_without_end_is_not_held_in_memory() -> None:
    bomb = member(b"WARC/1.1\r\nA: " + bytes(60 << 20))
    tracemalloc.start()
    with pytest.raises(RecordError, match="head"):
        read_record([bomb])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_a_block_is_held_against_its_length_and_digest() -> None:
    whole = a_record(b"body", WARC_Block_Digest="sha256:" + "0" * 64)
    with pytest.raises(IntegrityError):
        read_record([member(whole)]).block.read()
    for length in ("3", "5", "4000"):
        with pytest.raises(RecordError):
            read_record([member(a_record(Content_Length=length))]).drain()


def test_a_member_that_inflates_to_much_is_read_in_bounded_memory() -> None:
    data = zlib.compress(bytes(60 << 20), 9, 31)
    tracemalloc.start()
    for one in walk_members([data]):
        one.drain()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 << 20


@pytest.mark.parametrize("cut", range(1, 6))
@pytest.mark.parametrize("bit", [5, 6, 7])
def test_reserved_flags_of_a_member_are_damage(bit: int, cut: int) -> None:
    data = bytearray(member(a_record()))
    data[3] |= 1 << bit
    with pytest.raises(RecordError, match="flags"):
        read_record([bytes(data[:cut]), bytes(data[cut:])])
