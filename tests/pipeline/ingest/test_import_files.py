"""Archives of other programs: every record is in or named, and what we export comes back as it was."""

from __future__ import annotations

import gzip
import io
import json
import os
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from archive.archive import Archive
from archive.errors import NoSuchSnapshot
from archive.importers import opened, said_in
from archive.importers.declared_digests import declared
from archive.warc.reader import walk_records
from pipeline.export.export import export_wacz, export_warc
from pipeline.export.selection import Wanted
from pipeline.ingest.import_files import import_file
from pipeline.ingest.import_flaws import Left
from storage.errors import OnrecordError
from storage.memory import MemoryStore
from tests.command import Command
from tests.pipeline.cli.conftest import post
from tests.site import Site, answer, chunked, redirect
from tests.torture.scale import examples

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / ".peers" / "sample_archive" / "warcs"
WILD = [*sorted(SAMPLES.glob("*")), *sorted(Path(os.environ.get("ONRECORD_WILD", SAMPLES / "none")).glob("*"))]

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>T</title><p>A text of some words.</p></html>"


def record(
    kind: str = "response",
    url: str = "http://a.example/",
    block: bytes = PAGE,
    number: int = 1,
    *more: str,
    end: str = "\r\n",
) -> bytes:
    lines = [
        "WARC/1.0", f"WARC-Type: {kind}", f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012}>",
        "WARC-Date: 2019-05-06T07:08:09.123456Z", f"WARC-Target-URI: {url}", *more, f"Content-Length: {len(block)}",
        "", "",
    ]  # fmt: skip
    return end.join(lines).encode() + block + b"\r\n\r\n"


def members(*records: bytes) -> bytes:
    return b"".join(gzip.compress(each, mtime=0) for each in records)


class Brought:
    """A file that was imported into an archive of its own."""

    def __init__(self, folder: Path, data: bytes, name: str = "a.warc.gz", archive: Archive | None = None) -> None:
        self.archive = archive or Archive(MemoryStore(), spool=folder / "spool")
        self.archive.prepare()
        path = folder / name
        path.write_bytes(data)
        self.left: list[Left] = []
        self.done = import_file(self.archive, path, self.left.append, None)
        self.archive.refresh()

    @property
    def faults(self) -> list[tuple[int | None, str]]:
        return [(left.offset, left.reason) for left in self.left if not left.taken]

    @property
    def records(self) -> Counter[tuple[bytes, bytes]]:
        """The records that the archive holds, without those about its own files."""
        found: Counter[tuple[bytes, bytes]] = Counter()
        for info in self.archive.unguarded().stores.primary.list("runs/"):
            if "/archive/" in info.key:
                found += _records(self.archive.unguarded().stores.primary.get(info.key))
        return found

    def sound(self) -> bool:
        return not any(finding.faults for finding in self.archive.verify())


# Identity


def _records(data: bytes) -> Counter[tuple[bytes, bytes]]:
    found: Counter[tuple[bytes, bytes]] = Counter()
    for each in walk_records([data]):
        head, block = each.head_bytes(), each.block.read()
        if not (each.header("WARC-Filename") and b"software: onrecord" in block):  # a file of ours says so of itself
            found[head, block] += 1
    return found


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Command, str]:
    """An archive of pages in several forms and states, and the address they have in common."""
    folder = tmp_path_factory.mktemp("ours")
    made = Command.at(folder / "store", folder / "home")
    with Site() as site:
        body = post("Chunked", "In chunks.").partition(b"\r\n\r\n")[2]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        site.answers |= {
            "/post": post("A post", "The first version of it."),
            "/gone": answer(b"<p>gone</p>", status="410 Gone"),
            "/moved": redirect("/post"),
            "/chunked": head + chunked(body, 40),
            "/cut": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<p>half of it",
        }
        site.closing.add("/cut")
        made.capture(*map(site.url, ["/post", "/gone", "/moved", "/chunked", "/cut"]))
        made.next_second()
        made.capture(site.url("/post"), site.url("/chunked"))
        made.next_second()
        site.answers["/post"] = post("A post", "The second version of it.")
        made.capture(site.url("/post"))
        return made, site.url("")


@pytest.mark.parametrize("kind", [pytest.param("wacz", marks=pytest.mark.full), "warc.gz"])
def test_export_then_import_is_the_identity_on_records(kind: str, ours: tuple[Command, str], tmp_path: Path) -> None:
    onrecord, base = ours
    theirs = Command.at(tmp_path / "theirs", tmp_path / "home")
    file = tmp_path / f"all.{kind}"
    assert onrecord("export", str(file)).code == 0
    done = theirs("--json", "import", str(file))
    assert done.code == 0, done.err
    assert [line for line in done.lines if "fault" in line] == []
    exported: Counter[tuple[bytes, bytes]] = Counter()
    if kind == "wacz":
        with zipfile.ZipFile(file) as package:
            for name in package.namelist():
                exported += _records(package.read(name)) if name.startswith("archive/") else Counter()
    else:
        exported = _records(file.read_bytes())
    imported: Counter[tuple[bytes, bytes]] = Counter()
    for path in (tmp_path / "theirs").glob("runs/*/archive/*.warc.gz"):
        imported += _records(path.read_bytes())
    assert sum(exported.values()) > 10
    assert imported == exported
    assert theirs("verify", "--deep").code == 0
    assert len(_listed(onrecord, base)) == 9
    assert _listed(theirs, base) == _listed(onrecord, base)
    for url, form in ((f"{base}/post", "text"), (f"{base}/chunked", "raw"), (f"{base}/cut", "raw")):
        found = onrecord("get", url, "--format", form)
        assert (theirs("get", url, "--format", form).out, found.code) == (found.out, 0)
    again = theirs("--json", "import", str(file))
    assert again.code == 0
    assert (again.lines[-1]["run"], again.lines[-1]["captures"]) == (None, 0)


def _listed(onrecord: Command, url: str) -> list[dict[str, object]]:
    kept = ("url", "timestamp", "status", "mime", "digest", "revisit", "record_id", "title")
    return [
        {name: line.get(name) for name in kept}
        for line in onrecord("--json", "snapshots", url, "--match", "host").lines
    ]


# From the wild


@pytest.mark.skipif(not WILD, reason="no sample files here: make peers, or name a folder with ONRECORD_WILD")
@pytest.mark.parametrize("path", WILD, ids=lambda path: path.name)
def test_every_record_from_the_wild_is_in_or_named(path: Path, tmp_path: Path) -> None:
    """As another reader counts and reads them; what is in goes out and comes in again as it was."""
    try:
        brought = Brought(tmp_path, path.read_bytes(), path.name)
    except OnrecordError as error:
        said = str(error)
    else:
        assert brought.sound()
        _all_in_or_named(brought, path)
        for kind in ("wacz", "warc.gz"):
            _out_and_in_again(brought, tmp_path, kind)
        return
    assert "neither" in said or "no WACZ" in said or "is packed with" in said


def _all_in_or_named(brought: Brought, path: Path) -> None:
    done = brought.done
    blocks, whole = _blocks(path)
    with opened(path) as container:  # of a WACZ, what it says beside its records comes in too
        count = sum(blocks.values()) + sum(1 for _ in said_in(path, container))
    assert done.records + done.already + done.left >= count
    if whole and not done.left:
        assert done.records + done.already == count
    if whole and not (done.left and ".arc" in path.name):  # of damaged ARC files each reader makes its own
        head = ".arc" in path.name  # of an ARC file's first record warcio gives a part
        assert sum((blocks - _held(brought)).values()) <= done.left + done.already + head


def _blocks(path: Path) -> tuple[Counter[bytes], bool]:
    """The blocks of all records, as another reader reads them, and whether it came to the end."""
    streams = [io.BytesIO(path.read_bytes())]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            names = [name for name in package.namelist() if ".warc" in name or ".arc" in name]
            streams = [io.BytesIO(package.read(name)) for name in names]
    found: Counter[bytes] = Counter()
    whole = True
    for stream in streams:
        try:
            for each in ArchiveIterator(stream, no_record_parse=True):
                found[each.raw_stream.read()] += 1
        except Exception:  # noqa: BLE001 - whatever it raises, it has come to its end
            whole = False
    return found, whole


def _held(brought: Brought) -> Counter[bytes]:
    held: Counter[bytes] = Counter()
    for (_, block), count in brought.records.items():
        held[block] += count
    return held


def _out_and_in_again(brought: Brought, folder: Path, kind: str) -> None:
    out = folder / f"out.{kind}"
    with out.open("wb") as file:
        try:
            {"wacz": export_wacz, "warc.gz": export_warc}[kind](brought.archive, Wanted(), file)
        except NoSuchSnapshot:
            assert not brought.done.captures
            return
    (folder / kind).mkdir()
    again = Brought(folder / kind, out.read_bytes(), out.name)
    assert [left for left in again.left if not left.taken] == []
    assert again.records == brought.records
    captures = [(it.url, it.timestamp, it.digest, it.record_id) for it in brought.archive.every()]
    assert [(it.url, it.timestamp, it.digest, it.record_id) for it in again.archive.every()] == captures


# Forms


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r\r\n"])
@pytest.mark.parametrize("form", ["members", "one", "plain"])
def test_records_come_in_however_they_are_packed(end: str, form: str, tmp_path: Path) -> None:
    records = [
        record("response", "http://a.example/", PAGE, 1, end=end),
        record("request", "http://a.example/", b"GET / HTTP/1.1\r\n\r\n", 2, end=end),
        record("response", "<http://a.example/b c>", PAGE.replace(b"some", b"other"), 3, end=end),
        record("resource", "urn:thing", b"a thing", 4, "Content-Type: text/x-thing", end=end),
    ]
    data = {"members": members(*records), "one": gzip.compress(b"".join(records)), "plain": b"".join(records)}[form]
    brought = Brought(tmp_path, data)
    assert brought.left == []
    assert (brought.done.records, brought.done.captures) == (4, 3)
    assert brought.sound()
    (snapshot,) = brought.archive.snapshots("http://a.example/b%20c")
    assert f"{snapshot.timestamp:%Y%m%d%H%M%S}" == "20190506070809"
    assert b"".join(brought.archive.payload(snapshot)[2]).startswith(b"<html><title>T</title><p>A text of other")


def test_an_arc_file_becomes_responses(tmp_path: Path) -> None:
    body = PAGE
    data = b"filedesc://x.arc 0.0.0.0 20190506070809 text/plain 3\n1 0\n" + b"\n"
    data += b"http://a.example/x y 192.0.2.7 20190506070809 text/html %d\n" % len(body) + body + b"\n"
    data += b"dns:a.example 192.0.2.7 20190506070809 text/dns 4\nA 1\n" + b"\n"
    brought = Brought(tmp_path, data, "x.arc")
    assert brought.left == []
    (snapshot,) = brought.archive.snapshots("http://a.example/x%20y")
    assert b"".join(brought.archive.payload(snapshot)[2]) == PAGE.partition(b"\r\n\r\n")[2]
    assert brought.sound()


@pytest.mark.parametrize(
    "digest",
    [
        "sha1:HIQXCK2SKHEALOFKNVXYXA2CVCWVJVIS", "sha1:3A21712B5251C805B8AA6D6F8B8342A8AD54D512",
        "SHA-1:hiqxck2skhealofknvxyxa2cvcwvjvis", "md5:8d777f385d3dfec8815d20f7496026dc",
        "sha256:3A6EB0790F39AC87C94F3856B2DD2C5D110E6811602261A9A923D3BB23ADC8B7",
    ],
)  # fmt: skip
def test_digests_are_checked_in_their_own_form(digest: str, tmp_path: Path) -> None:
    good = record("metadata", "http://a.example/", b"data", 1, f"WARC-Block-Digest: {digest}")
    expected = declared(digest)
    assert expected is not None
    hasher = expected.hash()
    hasher.update(b"data")
    if hasher.digest() == expected.value:
        assert Brought(tmp_path, members(record(number=9), good)).left == []
    bad = record("metadata", "http://a.example/", b"date", 2, f"WARC-Block-Digest: {digest}")
    brought = Brought(tmp_path, members(record(number=3), bad))
    (note,) = brought.left
    assert (note.taken, note.offset) == (True, len(members(record(number=3))))
    assert note.reason.endswith("2>: the block is not the one that its WARC-Block-Digest names; it is taken as it is")
    assert brought.sound()


def test_a_payload_digest_that_is_wrong_is_noted_and_the_record_taken(tmp_path: Path) -> None:
    wrong = f"WARC-Payload-Digest: sha256:{'0' * 64}"
    brought = Brought(tmp_path, members(record("response", "http://a.example/", PAGE, 1, wrong)))
    ((left),) = brought.left
    assert left.taken
    assert "its WARC-Payload-Digest is not that of its payload" in left.reason
    assert brought.sound()
    (snapshot,) = brought.archive.snapshots("http://a.example/")
    assert b"".join(brought.archive.payload(snapshot)[2]).endswith(b"</html>")


def test_revisits_find_what_they_refer_to_wherever_it_lies(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    digest = "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"
    by_date = (
        "WARC-Refers-To-Target-URI: http://a.example/", "WARC-Refers-To-Date: 2019-05-06T07:08:09Z",
    )  # fmt: skip
    data = members(
        record("revisit", "http://a.example/1", head, 11, *by_date),
        record("response", "http://a.example/", PAGE, 1, digest),
        record(
            "revisit", "http://a.example/2", head, 12, "WARC-Refers-To: <urn:uuid:00000000-0000-4000-8000-000000000001>"
        ),
        record("revisit", "http://a.example/3", head, 13, digest),
        record("revisit", "http://a.example/4", head, 14, "WARC-Payload-Digest: sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    )
    brought = Brought(tmp_path, data)
    assert [left.taken for left in brought.left if "refers to is not here" in left.reason] == [True]
    assert (brought.done.records, brought.done.captures) == (5, 4)
    for number in (1, 2, 3):
        (snapshot,) = brought.archive.snapshots(f"http://a.example/{number}")
        assert snapshot.revisit
        assert b"".join(brought.archive.payload(snapshot)[2]).endswith(b"</html>")
    assert brought.sound()


# Damage


def test_a_gzip_that_breaks_off_is_named_with_its_offset(tmp_path: Path) -> None:
    whole = members(record(number=1))
    brought = Brought(tmp_path, whole + members(record(number=2))[:-20])
    assert brought.faults == [(len(whole), "the gzip member breaks off before its end")]
    assert brought.done.captures == 1
    assert brought.sound()


def test_damage_in_the_middle_loses_no_more_than_its_record(tmp_path: Path) -> None:
    records = [members(record("response", f"http://a.example/{n}", PAGE + os.urandom(9000), n)) for n in range(1, 8)]
    data = bytearray(b"".join(records))
    at = len(records[0]) + len(records[1]) + 500
    data[at : at + 40] = bytes(40)
    brought = Brought(tmp_path, bytes(data))
    assert brought.faults[0][0] == len(records[0]) + len(records[1])
    assert brought.done.captures >= 5
    assert brought.sound()


def test_garbage_between_records_is_passed_over(tmp_path: Path) -> None:
    first, second = record(number=1), record("response", "http://b.example/", PAGE, 2)
    brought = Brought(tmp_path, first + b"what is this\r\nnothing\r\n" + second, "a.warc")
    assert brought.faults == [(len(first), "23 bytes that are no record")]
    assert brought.done.captures == 2


@pytest.mark.parametrize("length", ["", "-1", "x", "99999999999999999999"])
def test_a_length_that_is_none_is_named(length: str, tmp_path: Path) -> None:
    bad = record(number=2).replace(f"Content-Length: {len(PAGE)}".encode(), f"Content-Length: {length}".encode())
    brought = Brought(tmp_path, record(number=1) + bad + record("response", "http://c.example/", PAGE, 3), "a.warc")
    assert len(brought.faults) == 1
    assert "its Content-Length is none, or too large" in brought.faults[0][1]
    assert brought.done.captures == 2


def test_a_record_without_an_id_is_given_one(tmp_path: Path) -> None:
    data = record().replace(b"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-000000000001>\r\n", b"")
    brought = Brought(tmp_path, data, "a.warc")
    assert "given one" in brought.left[0].reason
    assert brought.sound()
    again = Brought(tmp_path, data, "a.warc", brought.archive)
    assert (again.done.already, again.done.run) == (1, None)


def test_the_same_file_twice_is_in_once(tmp_path: Path) -> None:
    data = members(record(), record("request", "http://a.example/", b"GET /", 2))
    first = Brought(tmp_path, data)
    second = Brought(tmp_path, data, "other.warc.gz", first.archive)
    assert (second.done.records, second.done.already, second.done.run) == (0, 1, None)
    assert len(first.archive.runs()) == 1
    assert not list((tmp_path / "spool").glob("*/2*"))


def test_a_file_without_captures_is_kept_once(tmp_path: Path) -> None:
    orphan = record("revisit", "http://a.example/", PAGE, 2, "WARC-Refers-To-Date: 2001-01-01T00:00:00Z")
    data = members(
        record("warcinfo", "urn:x", b"software: x/1\r\n", 1), orphan, record("metadata", block=b"k: v", number=3)
    )
    first = Brought(tmp_path, data)
    assert (first.done.records, first.done.captures, len(first.records)) == (3, 0, 3)
    assert first.sound()
    again = Brought(tmp_path, data, "again.warc.gz", first.archive)
    assert (again.done.records, again.done.already, again.done.run) == (0, 3, None)
    other = Brought(
        tmp_path, data + members(record("response", "http://b.example/", PAGE, 4)), "b.warc.gz", first.archive
    )
    assert other.done.captures == 1


# Hostile files


def _zip(entries: dict[str, bytes], folder: Path, compression: int = zipfile.ZIP_STORED) -> bytes:
    path = folder / "made.zip"
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as package:
        warnings.simplefilter("ignore")
        for name, data in entries.items():
            package.writestr(name, data)
    return path.read_bytes()


@pytest.mark.parametrize(
    "name", ["../evil.warc.gz", "/etc/evil.warc.gz", "archive/../../evil.warc.gz", "C:\\evil.warc.gz"]
)
def test_names_that_lead_out_of_a_zip_are_refused(name: str, tmp_path: Path) -> None:
    data = _zip({"archive/good.warc.gz": members(record()), name: members(record(number=2))}, tmp_path)
    brought = Brought(tmp_path, data, "a.wacz")
    assert (None, "its name leads out of the file") in brought.faults
    assert brought.done.captures == 1
    assert not list(tmp_path.parent.rglob("evil.warc.gz"))


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("archive/link.warc.gz")
    info.external_attr = 0o120777 << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("archive/good.warc.gz", members(record()))
        package.writestr(info, "/etc/passwd")
    brought = Brought(tmp_path, path.read_bytes(), "a.wacz")
    assert (None, "it is a symbolic link") in brought.faults


@pytest.mark.full
def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package, package.open("archive/a.warc", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    brought = Brought(tmp_path, path.read_bytes(), "a.wacz")
    assert brought.done.records == 0
    assert any("it is a bomb" in reason for _, reason in brought.faults)


def test_a_gzip_bomb_ends_early(tmp_path: Path) -> None:
    huge = 320 << 20  # more than what is free before the ratio counts
    head = record(block=b"").replace(b"Content-Length: 0\r\n\r\n\r\n\r\n", f"Content-Length: {huge}\r\n\r\n".encode())
    compressor = __import__("zlib").compressobj(9, 8, 31)
    data = compressor.compress(head)
    for _ in range(huge >> 22):
        data += compressor.compress(bytes(1 << 22))
    data += compressor.flush()
    assert len(data) < 5 << 20
    brought = Brought(tmp_path, data + members(record(number=2)))
    assert "is a bomb" in brought.faults[0][1]
    assert brought.done.captures == 1
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 20 << 20


def test_a_wacz_as_crawlers_make_them_with_its_faults(tmp_path: Path) -> None:
    pages = [{"format": "json-pages-1.0"}, {"url": "http://a.example/", "title": "T"}]
    entries = {
        "archive/one.warc.gz": members(record()),
        "archive/two.warc.gz": members(record("response", "http://b.example/", PAGE, 2)),
        "pages/pages.jsonl": "\n".join(map(json.dumps, pages)).encode(),
        "pages/extraPages.jsonl": b'{"url": "http://b.example/"}\n{not json}\n',
        "indexes/index.cdx.gz": b"nonsense",
        "datapackage.json": json.dumps({"resources": [{"path": "archive/one.warc.gz"}, {"path": "logs/x"}]}).encode(),
    }
    brought = Brought(tmp_path, _zip(entries, tmp_path), "a.wacz")
    assert brought.done.captures == 2
    assert [(left.part, left.reason) for left in brought.left] == [
        ("archive/two.warc.gz", "the manifest does not name it"),
        ("logs/x", "the manifest names it, and it is not there"),
    ]
    assert brought.sound()


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"PK\x03\x04broken", b"PK\x05\x06" + bytes(18), b"\xfd7zXZ\0xz", bytes(500)]
)
def test_what_is_no_archive_is_told_so(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    done = Command.at(tmp_path / "store", tmp_path / "home")("import", str(path))
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert str(path) in done.err


_GOOD = members(record(number=1), record("request", "http://a.example/", b"GET /", 2), record("revisit", number=3))
_SAMPLES = {
    "a.warc.gz": _GOOD,
    "a.warc": record(number=1) + record("metadata", "http://a.example/", b"k: v\r\n", 2) + record("resource", number=3),
    "a.arc": b"filedesc://x 0.0.0.0 20190506070809 text/plain 3\n1 0\n\n"
    + b"http://a.example/ 1.2.3.4 20190506070809 text/html %d\n" % len(PAGE) + PAGE + b"\n",
}  # fmt: skip


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@example("a.arc", [(0.2578125, "flip", 28)])  # a control in an address
@given(
    st.sampled_from([*_SAMPLES, "a.wacz"]),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "drop", "double"]), st.integers(0, 255)), max_size=6
    ),
)
def test_mangled_files_end_in_faults_and_never_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, name: str, changes: list[tuple[float, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("mangled")
    data = _SAMPLES.get(name) or _zip({"archive/a.warc.gz": _GOOD, "datapackage.json": b"{}"}, folder)
    for where, how, byte in changes:
        at = int(where * max(len(data) - 1, 0))
        if how == "flip":
            data = data[:at] + bytes([byte]) + data[at + 1 :]
        elif how == "cut":
            data = data[: max(at, 1)]
        elif how == "drop":
            data = data[:at] + data[at + byte :]
        else:
            data = data[:at] + data[at : at + byte] + data[at:]
    try:
        brought = Brought(folder, data, name)
    except OnrecordError:
        return
    assert brought.sound()
