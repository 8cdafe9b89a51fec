"""What stores and archive files hold, as harnesses: bytes in, and an exception only for a defect of the program."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from archive.access.redaction_statement import Replaced, Statement, read_statement
from archive.access.rules import Policy, decode_rule
from archive.crypto.der_order import in_order
from archive.crypto.rfc3161 import check_token
from archive.crypto.signed_note import PublicKey, Signer, open_note
from archive.digests import digest_of, read_self_digested
from archive.errors import ArchiveError, EntityError, FormatError, IntegrityError, KeyFileError, RecordError
from archive.evidence.checkpoint import Checkpoint
from archive.evidence.run_log import Entry
from archive.formats import manifest
from archive.formats.cdxj import home_of, merged_line, parse_line, snapshot_of
from archive.formats.cdxj import line_of as index_line
from archive.formats.generation import decode_generation, decode_runs
from archive.formats.outcomes_jsonl import DamagedLine, encode_outcome, parse_outcome, read_outcomes
from archive.formats.pages_jsonl import decode_document
from archive.formats.zipnum import BlockIndex, decode_block
from archive.importers.captures import Capture, capture_of
from archive.importers.container import opened, pieces
from archive.importers.lenient_reader import Fault, read_records
from archive.importers.plain_bytes import Plain
from archive.runs.journal import read_journal
from archive.warc.gzip_members import gzip_member
from archive.warc.reader import Record, read_record, walk_records
from pipeline.watch.observation import observed
from pipeline.watch.watch_list import WatchError, parsed
from pipeline.web.api.cdx import line_of as served_line

RUN = "20261123T120000Z-00000000"
_SIGNER = Signer("a.example", bytes(range(32)))
_TEXTS = ("a\n", "a\n\nb\n", "onrecord\n1\nAAAA\n")
NOTES = tuple(_SIGNER.sign(text) for text in _TEXTS)
CHECKPOINTS = (_SIGNER.sign(f"onrecord/x\n1\n{'A' * 43}=\n"), NOTES[0])
_NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_HASHES = (f"sha256:{'0' * 64}", f"sha256:{'1' * 64}")
_STATEMENT = Statement(RUN, _NOON, "An order.", (Replaced(RUN, *_HASHES),), ("<urn:uuid:1>",))
STATEMENT = _STATEMENT.signed(_SIGNER).decode()


def cdxj(data: bytes) -> None:
    """An index line is read, or named; one that is read is written as what it was."""
    try:
        line = parse_line(data.decode("utf-8", "replace"))
        snapshot = snapshot_of(line, RUN)
    except RecordError:
        return
    served_line(snapshot)
    written = index_line(snapshot, RUN)
    assert index_line(snapshot_of(parse_line(written), RUN), RUN) == written, "written again it is another"
    try:
        merged = parse_line(merged_line(data.decode("utf-8", "replace"), RUN))
        home_of(merged)
    except RecordError:
        return
    assert snapshot_of(merged, RUN).record.key == snapshot.record.key


def zipnum(data: bytes) -> None:
    """A block and its list of blocks are read, or named."""
    for block in (data, gzip_member(data)):
        try:
            lines = decode_block(block)
        except RecordError:
            continue
        assert all("\n" not in line for line in lines)
    try:
        index = BlockIndex(data)
    except RecordError:
        return
    assert len(index.blocks("", "\U0010ffff")) <= len(index)
    index.blocks("org,example)/a ", "org,example)/a!")


def generation(data: bytes) -> None:
    """A generation's description is read, or named, though its digest holds; so is its list of runs."""
    try:
        found = decode_generation(_vouched(data), RUN)
    except IntegrityError:
        pass
    else:
        assert sum(group.length for group in found.groups) == found.idx[1]
        found.groups_of("", "\U0010ffff")
    for listed in (data, gzip_member(data)):
        with contextlib.suppress(RecordError):
            decode_runs(listed)


def _vouched(rest: bytes) -> bytes:
    """What stands behind a digest that holds."""
    return b'{"hash":"' + digest_of(rest).encode() + b'",' + rest


def package(data: bytes) -> None:
    """A manifest, a document's line, a store's description: each is read, or named."""
    with contextlib.suppress(IntegrityError):
        manifest.parse(data)
    with contextlib.suppress(IntegrityError):
        decode_document(_vouched(data))
    with contextlib.suppress(ValueError):
        read_self_digested(_vouched(data))
    for line in read_outcomes([data[:7], data[7:]]):
        if isinstance(line, DamagedLine):
            continue
        assert parse_outcome(encode_outcome(line.outcome, line.later)).outcome.status == line.outcome.status
        seen = observed(line.outcome)
        for value in (seen.url, seen.text, seen.title, seen.record_id, seen.digest) if seen else ():
            assert value is None or isinstance(value, str), "what no database takes"


def journal(data: bytes) -> None:
    """A journal is read up to its last whole line, or is damaged."""
    with tempfile.NamedTemporaryFile(dir=_memory()) as file:
        file.write(data)
        file.flush()
        try:
            found = read_journal(Path(file.name))
        except ValueError:
            return
    assert found.length <= len(data)
    assert data[: found.length].endswith(b"\n") or not found.length


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def warc(data: bytes) -> None:
    """Records are read to their last byte, or named; a flag says whether the bytes are gzipped first."""
    flag, data = (data[:1] or b"\0")[0], data[1:]
    file = (
        data
        if flag % 3 == 0
        else b"".join(map(gzip_member, data.split(b"\n\n\n")))
        if flag % 3 == 1
        else gzip_member(data)
    )
    step = flag // 3 + 1
    try:
        for record in walk_records(file[at : at + step] for at in range(0, len(file), step)):
            _use(record)
    except (ArchiveError, ValueError):
        pass
    with contextlib.suppress(ArchiveError, ValueError):
        _use(read_record([file]))


def _use(record: Record) -> None:
    str((record.kind, record.record_id, record.url, record.head_bytes()))
    size = 0
    try:
        _, _, entity = record.http()
        size = sum(map(len, entity))
    except EntityError:
        pass
    assert size < 1 << 26
    _ = record.date  # a ValueError where there is none


def foreign(data: bytes) -> None:
    """Of another program's file every record is taken or named with its place."""
    flag, data = (data[:1] or b"\0")[0], data[1:]
    file = (
        data
        if flag % 3 == 0
        else b"".join(map(gzip_member, data.split(b"\n\n\n")))
        if flag % 3 == 1
        else gzip_member(data)
    )
    before = -1
    for found in read_records(Plain(iter([file])), Path(tempfile.gettempdir())):
        assert 0 <= found.offset <= len(file), "a place outside of the file"
        assert found.offset >= before, "places go back"
        before = found.offset
        if isinstance(found, Fault):
            assert found.reason
            continue
        capture = capture_of(found)
        if isinstance(capture, Capture):
            assert not set(capture.snapshot.url) & set(" \r\n\0")
            served_line(capture.snapshot)
            index_line(capture.snapshot, "")
        found.block.discard()


def wacz(data: bytes) -> None:
    """A zip from a stranger is opened and every part of it read, or named."""
    with tempfile.NamedTemporaryFile(dir=_memory(), suffix=".wacz") as file:
        file.write(data if data[:2] == b"PK" else _zipped(data))
        file.flush()
        try:
            with opened(Path(file.name)) as container:
                for part in container.parts:
                    assert ".." not in part
                    assert not part.startswith("/")
                    try:
                        for found in read_records(
                            Plain(pieces(Path(file.name), container, part)), Path(tempfile.gettempdir())
                        ):
                            if not isinstance(found, Fault):
                                capture_of(found)
                                found.block.discard()
                    except FormatError:
                        continue
        except FormatError:
            return


def _zipped(data: bytes) -> bytes:
    """A zip of what a JSON object says: names and texts; so that what is in it is reached."""
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        return data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in entries.items() if isinstance(entries, dict) else []:
            if isinstance(text, str) and name:
                made.writestr(
                    zipfile.ZipInfo(name.encode("utf-8", "replace").decode()), text.encode("latin-1", "replace")
                )
    return out.getvalue()


def note(data: bytes) -> None:
    """A note that a key is said to have signed is one that it signed."""
    text = data.decode("utf-8", "replace")
    with contextlib.suppress(KeyFileError):
        PublicKey.parse(text)
    try:
        read, signers = open_note(text, [_SIGNER.public])
    except IntegrityError:
        return
    if signers:
        assert read in _TEXTS, "a text that nobody signed"


def evidence(data: bytes) -> None:
    """A checkpoint, a line of the log, a time stamp: each is read, or named; none is taken for what was not signed."""
    try:
        checkpoint = Checkpoint.parse(data)
        signers = checkpoint.signers([_SIGNER.public])
    except IntegrityError:
        pass
    else:
        assert not signers or checkpoint.note in CHECKPOINTS, "a checkpoint that nobody signed"
    for line in data.split(b"\n"):
        try:
            assert Entry.parse(line).line == line
        except IntegrityError:
            continue
    with contextlib.suppress(ValueError):
        assert sorted(in_order(data)) == sorted(data)
    with contextlib.suppress(IntegrityError):
        check_token(data, b"x")  # two known inputs are of an authority made for this


def notices(data: bytes) -> None:
    """A rule and a redaction are read, or named; a rule that is read can be asked."""
    try:
        rule = decode_rule(_vouched(data))
    except IntegrityError:
        pass
    else:
        policy = Policy([rule])
        for url in (rule.url, "http://a.example/b", "urn:dom:http://a.example/b"):
            policy.at(url, _NOON)
    try:
        signed = read_statement(data, RUN, [_SIGNER.public])
    except IntegrityError:
        return
    assert not signed.signers or data.decode() == STATEMENT, "a redaction that nobody signed"


def watches(data: bytes) -> None:
    """A watch list is understood, or named with its place."""
    with contextlib.suppress(WatchError):
        parsed(data.decode("utf-8", "replace"), "x")
