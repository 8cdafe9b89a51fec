"""CDXJ lines and ZipNum blocks: what goes in comes out, and other readers' conventions are kept."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest

from archive.errors import RecordError
from archive.formats.cdxj import line_of, parse_line, snapshot_of
from archive.formats.zipnum import BlockIndex, decode_block, encode
from archive.model import DocumentRef, RecordRef, Reference, Snapshot
from tests.exchanges import NOON

RUN = "20261123T120000Z-00000000"
PLAIN = Snapshot(
    url="http://example.org/a?b=c",
    timestamp=NOON,
    status=200,
    mime="text/html",
    digest="sha256:" + "0" * 64,
    record_id="<urn:uuid:1>",
    record=RecordRef(f"runs/{RUN}/archive/00000.warc.gz", 10, 20),
    run=RUN,
    title="A “title” \u2028 with\nodd characters",
    document=DocumentRef(f"runs/{RUN}/pages/pages.jsonl", 5, 6),
)
REVISIT = replace(
    PLAIN,
    refers_to=Reference(
        RecordRef("runs/x/archive/00000.warc.gz", 1, 2), "<urn:uuid:2>", "http://example.org/a b", NOON
    ),
    truncated="length",
    location="http://example.org/",
    title=None,
    document=None,
)


@pytest.mark.parametrize("snapshot", [PLAIN, REVISIT])
def test_a_line_holds_a_snapshot(snapshot: Snapshot) -> None:
    line = line_of(snapshot, snapshot.run)
    assert "\n" not in line
    assert snapshot_of(parse_line(line), RUN) == snapshot


def test_a_line_is_as_pywb_reads_it() -> None:
    key, stamp, text = line_of(REVISIT, REVISIT.run).split(" ", 2)
    fields = json.loads(text)
    assert (key, stamp) == ("org,example)/a?b=c", "20261123120000")
    assert all(isinstance(value, str) for value in fields.values())
    assert (fields["mime"], fields["status"], fields["filename"]) == ("warc/revisit", "200", "00000.warc.gz")


@pytest.mark.parametrize(
    "line", ["", "key", "key 2026", "key stamp {}", "key 20261123120000 []", "key 20261123120000 {"]
)
def test_what_is_no_line_is_named(line: str) -> None:
    with pytest.raises(RecordError):
        snapshot_of(parse_line(line), RUN)


def test_fields_that_lie_are_named() -> None:
    for field in ('"offset":"x"', '"length":"-"', '"refers":"a b"', '"document":"a b c d"'):
        base = {"url": "u", "offset": "1", "length": "2", "filename": "f"} | json.loads("{" + field + "}")
        with pytest.raises(RecordError):
            snapshot_of(parse_line("k 20261123120000 " + json.dumps(base)), RUN)


def test_blocks_are_found_by_their_first_lines() -> None:
    lines = [f"org,example)/{number:05d} 20261123120000 {{}}" for number in range(2500)]
    cdx, idx = encode(reversed(lines))
    index = BlockIndex(idx)
    assert len(index) == 3
    assert gzip.decompress(cdx).decode().splitlines() == lines
    for number in (0, 999, 1000, 1001, 2499):
        start = f"org,example)/{number:05d} "
        blocks = index.blocks(start, start[:-1] + "!")
        found = [line for block in blocks for line in decode_block(cdx[block.offset : block.offset + block.length])]
        assert len(blocks) <= 2
        assert lines[number] in found
    assert [len(line.split("\t")) for line in idx.decode().splitlines()] == [5, 5, 5]
    assert index.blocks("org,example)/", "org,example*") == list(index)
    assert encode([]) == (b"", b"")


def test_damaged_blocks_are_named() -> None:
    cdx, _ = encode(["a 2026 {}"])
    for damaged in (cdx[:-1], cdx + b"x", b"", b"no gzip", cdx + cdx):
        with pytest.raises(RecordError):
            decode_block(damaged)
    with pytest.raises(RecordError):
        BlockIndex(b"a line without tabs\n")
