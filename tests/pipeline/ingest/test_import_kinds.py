"""Kinds of files that other programs write: what was brought is kept, what can be read has its text."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from archive.archive import Archive
from archive.errors import FormatError
from archive.export import WaczSigner
from archive.importers.dates import moment_of
from archive.search import search_index
from archive.times import iso
from archive.warc.reader import walk_records
from pipeline.export.export import export_warc
from pipeline.export.selection import Wanted
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.import_files import import_file
from pipeline.ingest.import_flaws import Left
from pipeline.ingest.import_result import Imported
from storage.memory import MemoryStore
from tests.exchanges import NOON
from tests.pipeline.ingest.test_import_files import members, record

WORDS = "<p>The council met on Tuesday to hear the pilots, who had much to say about sand, swell and money.</p>"


def page(title: str = "Berths") -> bytes:
    return f"<html lang=en><title>{title}</title><article><h1>{title}</h1>{WORDS * 3}</article></html>".encode()


def answer(title: str = "Berths", status: str = "HTTP/1.1 200 OK", *lines: str) -> bytes:
    head = "\r\n".join((status, "Content-Type: text/html; charset=utf-8", *lines, "", ""))
    return head.encode() + page(title)


def wacz(entries: dict[str, bytes], pages: list[str] | None = None, hashes: bool = True) -> bytes:
    if pages is not None:
        lines = [{"format": "json-pages-1.0", "id": "pages", "title": "All"}, *({"url": url} for url in pages)]
        entries = entries | {"pages/pages.jsonl": "".join(json.dumps(line) + "\n" for line in lines).encode()}
    listed = [
        {"path": name, "hash": f"sha256:{hashlib.sha256(data).hexdigest() if hashes else '0' * 64}", "bytes": len(data)}
        for name, data in entries.items()
    ]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, data in entries.items():
            package.writestr(name, data)
        package.writestr("datapackage.json", json.dumps({"profile": "data-package", "resources": listed}))
    return file.getvalue()


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(1, time_limit=60.0, memory_limit=1 << 31) as made:
        yield made


class Theirs:
    """An archive, and what was said of the files that it imports."""

    def __init__(self, folder: Path, pool: ExtractorPool) -> None:
        self.folder = folder
        self._pool = pool
        self.archive = Archive(MemoryStore(), spool=folder / "spool")
        self.archive.prepare()
        self.faults: list[str] = []  # what was left out, by the last file
        self.notes: list[str] = []  # what is odd about it

    def bring(self, data: bytes, name: str = "a.warc", *, listed_only: bool = False) -> Imported:
        path = self.folder / name
        path.write_bytes(data)
        said: list[Left] = []
        done = import_file(self.archive, path, said.append, self._pool, listed_only=listed_only)
        self.archive.refresh()
        self.faults = [left.reason for left in said if not left.taken]
        self.notes = [left.reason for left in said if left.taken]
        assert not any(finding.faults for finding in self.archive.verify())
        return done

    def text(self, url: str) -> str | None:
        (snapshot,) = self.archive.snapshots(url)
        document = self.archive.document(snapshot)
        return document.article.text if document else None

    def times(self, url: str) -> list[str]:
        return sorted(iso(snapshot.timestamp) for snapshot in self.archive.snapshots(url))

    def holds(self, *blocks: bytes) -> bool:
        """Return whether the archive has a record of another program with each of the blocks."""
        store = self.archive.unguarded().stores.primary
        found = [
            each.block.read()
            for info in store.list("runs/")
            if "/archive/foreign-" in info.key
            for each in walk_records([store.get(info.key)], own=False)
        ]
        return all(block in found for block in blocks)


@pytest.fixture
def theirs(tmp_path: Path, pool: ExtractorPool) -> Theirs:
    return Theirs(tmp_path, pool)


# Which captures are pages


@pytest.mark.parametrize(
    ("named", "captured"),
    [
        ("http://quay.example", "http://quay.example/"),
        ("http://quay.example/a#section", "http://quay.example/a"),
        ("HTTP://QUAY.EXAMPLE:80/a", "http://quay.example/a"),
        ("http://quay.example/a", "https://quay.example/a"),
        ("http://quay.example/a b", "http://quay.example/a%20b"),
        ("https://quay.example:443/a", "https://quay.example/a"),
    ],
)
def test_a_list_of_pages_names_pages_by_their_keys(named: str, captured: str, theirs: Theirs) -> None:
    other = record(url="http://quay.example/frame", block=answer("Frame"), number=2)
    assert with_text(theirs, [named], record(url=captured, block=answer()), other) == [captured]


def with_text(theirs: Theirs, named: list[str], *records: bytes) -> list[str]:
    """Import the listed pages of a WACZ, and return the URLs that have a text."""
    done = theirs.bring(wacz({"archive/data.warc.gz": members(*records)}, named), "a.wacz", listed_only=True)
    assert done.captures == len(records)
    documents = {snapshot.url: theirs.archive.document(snapshot) for snapshot in theirs.archive.every()}
    return sorted(url for url, document in documents.items() if document and "Tuesday" in (document.article.text or ""))


def test_a_page_that_no_list_names_has_its_text_unless_listed_pages_alone_are_asked_for(theirs: Theirs) -> None:
    records = [
        record(url=f"http://quay.example/{name}", block=answer(name), number=number)
        for number, name in enumerate("abc", start=1)
    ]
    data = wacz({"archive/data.warc.gz": members(*records[:2])}, ["http://quay.example/a"])
    done = theirs.bring(data, "a.wacz")
    assert (done.captures, done.pages, done.unlisted) == (2, 2, 0)
    assert "Tuesday" in (theirs.text("http://quay.example/b") or "")
    other = wacz({"archive/data.warc.gz": records[2]}, ["http://quay.example/a"])
    done = theirs.bring(other, "b.wacz", listed_only=True)
    assert (done.captures, done.pages, done.unlisted) == (1, 0, 1)
    assert theirs.text("http://quay.example/c") is None


def moved(url: str, to: str, number: int) -> bytes:
    return record(url=url, block=f"HTTP/1.1 301 Moved\r\nLocation: {to}\r\n\r\n".encode(), number=number)


def test_a_page_that_redirects_is_the_page_it_led_to(theirs: Theirs) -> None:
    records = [
        record(url="http://other.example/c", block=answer("End"), number=1),  # before what leads to it
        moved("http://quay.example/a", "/b", 2),
        moved("http://quay.example/b", "http://other.example/c", 3),
        moved("http://other.example/c?", "http://quay.example/a", 6),  # in a circle
        record(url="http://quay.example/frame", block=answer("Frame"), number=4),
        moved("http://quay.example/x", "http://quay.example/frame", 5),  # nobody named it
    ]
    assert with_text(theirs, ["http://quay.example/a"], *records) == ["http://other.example/c"]


def test_a_page_whose_text_lies_with_another_capture(theirs: Theirs) -> None:
    digest = "WARC-Payload-Digest: sha256:" + hashlib.sha256(page()).hexdigest()
    refers = "WARC-Refers-To: <urn:uuid:00000000-0000-4000-8000-000000000001>"
    records = [
        record("response", "http://quay.example/a?1", answer(), 1),
        record("revisit", "http://quay.example/a", b"HTTP/1.1 200 OK\r\n\r\n", 2, digest, refers),
    ]
    urls = ["http://quay.example/a", "http://quay.example/a?1"]
    assert with_text(theirs, ["http://quay.example/a"], *records) == urls


def test_a_file_of_a_mirror_is_a_page(theirs: Theirs) -> None:
    """Mirrors come as resource records under the addresses that their files had."""
    mirrored = record("resource", "http://quay.example/m.html", page("Mirror"), 3, "Content-Type: text/html")
    named = wacz({"archive/a.warc": mirrored}, ["http://quay.example/m.html"])
    assert theirs.bring(mirrored).pages == 1
    assert "Tuesday" in (theirs.text("http://quay.example/m.html") or "")
    assert theirs.bring(named, "a.wacz").already == 1
    drawn = record("resource", "urn:view:http://quay.example/m.html", page(), 4, "Content-Type: text/html")
    assert theirs.bring(drawn).pages == 0


# What cannot be looked up is kept


def without(data: bytes, header: str) -> bytes:
    return b"\r\n".join(line for line in data.split(b"\r\n") if not line.startswith(header.encode() + b":"))


def dated(date: str, url: str = "http://quay.example/a") -> bytes:
    return record(url=url, block=answer()).replace(b"2019-05-06T07:08:09.123456Z", date.encode())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (record(block=page()), "does not begin with an HTTP status line"),
        (record(block=b""), "does not begin with an HTTP status line"),
        (record(block=answer(status="HTTP/1.1 0 ")), "does not begin with an HTTP status line"),
        (record(block=answer(status="HTTP/1.1 OK")), "does not begin with an HTTP status line"),
        (without(record(block=answer()), "WARC-Target-URI"), "names no WARC-Target-URI"),
        (dated("yesterday"), "its WARC-Date is no date: 'yesterday'"),
        (dated("2024-13"), "its WARC-Date is no date: '2024-13'"),
        (dated("20241301000000"), "its WARC-Date is no date"),
        (dated(""), "its WARC-Date is no date: ''"),
    ],
)
def test_a_response_that_cannot_be_looked_up_is_kept_with_a_note(data: bytes, why: str, theirs: Theirs) -> None:
    done = theirs.bring(data)
    assert (done.records, done.captures, done.left) == (1, 0, 0)
    assert [why in note for note in theirs.notes] == [True]
    assert theirs.holds(data.partition(b"\r\n\r\n")[2][:-4])
    assert theirs.bring(data).run is None


@pytest.mark.parametrize(
    "line", ["HTTP/2 200", "http/1.1 200 ok", "HTTP/2.0 200 OK", "HTTP/3 200 OK", "HTTP/3 200", "HTTP/1.0 200"]
)
def test_status_lines_of_every_version(line: str, theirs: Theirs) -> None:
    assert theirs.bring(record(url="http://quay.example/a", block=answer(status=line))).captures == 1
    assert "Tuesday" in (theirs.text("http://quay.example/a") or "")
    (snapshot,) = theirs.archive.snapshots("http://quay.example/a")
    assert snapshot.status == 200


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2024", "2024-01-01T00:00:00Z"), ("2024-05", "2024-05-01T00:00:00Z"), ("2024-05-06", "2024-05-06T00:00:00Z"),
        ("2024-05-06T07:08Z", "2024-05-06T07:08:00Z"), ("20240506070809", "2024-05-06T07:08:09Z"),
        ("202405060708", "2024-05-06T07:08:00Z"), ("2024-05-06T07:08:09.123456789Z", "2024-05-06T07:08:09Z"),
        ("2024-05-06T09:08:09+02:00", "2024-05-06T07:08:09Z"), ("2024050607080", "2024-05-06T07:08:00Z"),
        ("Mon, 06 May 2024 07:08:09 GMT", "2024-05-06T07:08:09Z"),
    ],
)  # fmt: skip
def test_a_date_is_the_first_moment_that_it_names(date: str, moment: str, theirs: Theirs) -> None:
    theirs.bring(dated(date))
    assert theirs.notes + theirs.faults == []
    assert theirs.times("http://quay.example/a") == [moment]


def test_a_final_response_behind_interim_ones_is_the_page(theirs: Theirs) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    theirs.bring(record("response", "http://quay.example/a", interim + answer()), "a.warc")
    (found,) = theirs.archive.snapshots("http://quay.example/a")
    assert (found.status, found.mime, theirs.faults) == (200, "text/html", [])
    assert b"".join(theirs.archive.payload(found)[2]) == page()
    document = theirs.archive.document(found)
    assert document is not None
    assert "pilots" in (document.article.text or "")


def test_digests_that_are_wrong_are_noted_and_harm_no_text(theirs: Theirs) -> None:
    zeros = "0" * 64
    block = record("response", "http://quay.example/a", answer(), 1, f"WARC-Block-Digest: sha256:{zeros}")
    request = record(
        "request", "http://quay.example/a", b"GET / HTTP/1.1\r\n\r\n", 2, f"WARC-Block-Digest: md5:{zeros[:32]}"
    )
    payload = record("response", "http://quay.example/b", answer(), 3, f"WARC-Payload-Digest: sha256:{zeros}")
    done = theirs.bring(block + request + payload)
    assert (done.records, done.captures, done.left, done.pages) == (3, 2, 0, 2)
    assert ["Block" in note for note in theirs.notes] == [True, True, False]
    assert "Tuesday" in (theirs.text("http://quay.example/a") or "")
    assert "Tuesday" in (theirs.text("http://quay.example/b") or "")
    assert theirs.bring(block + request + payload).run is None
    out = io.BytesIO()
    export_warc(theirs.archive, Wanted(), out)
    assert theirs.bring(out.getvalue(), "again.warc.gz").captures == 0


# Answers that a page is unchanged

UNCHANGED = "WARC-Profile: http://netpreserve.org/warc/1.1/revisit/server-not-modified"


def unchanged(day: int, number: int, *more: str) -> bytes:
    block = b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"
    return on(day, record("revisit", "http://quay.example/a", block, number, UNCHANGED, *more))


def on(day: int, data: bytes) -> bytes:
    return data.replace(b"2019-05-06T07:08:09.123456Z", f"2026-11-{day}T10:00:00Z".encode())


def seen(day: int, title: str, number: int, status: str = "HTTP/1.1 200 OK") -> bytes:
    return on(day, record("response", "http://quay.example/a", answer(title, status), number))


def test_an_unchanged_page_is_the_newest_capture_before(theirs: Theirs) -> None:
    nothing = "WARC-Payload-Digest: sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"  # of no bytes
    first = unchanged(23, 3) + unchanged(21, 4, nothing) + seen(20, "One", 1) + seen(22, "Two", 2) + unchanged(19, 5)
    done = theirs.bring(first)
    assert (done.records, done.captures) == (5, 4)
    assert [note.partition(": ")[2][:22] for note in theirs.notes] == ["what it refers to is n"]  # before all of them
    done = theirs.bring(unchanged(25, 7) + seen(24, "Gone", 6, "HTTP/1.1 404 Not Found"), "b.warc")
    assert done.captures == 2
    found = {iso(each.timestamp)[8:10]: each for each in theirs.archive.snapshots("http://quay.example/a")}
    title = {day: b"<title>" + name + b"<" for day, name in
             {"20": b"One", "21": b"One", "22": b"Two", "23": b"Two", "24": b"Gone", "25": b"Two"}.items()}  # fmt: skip
    assert found.keys() == title.keys()
    for day, snapshot in found.items():
        assert title[day] in b"".join(theirs.archive.payload(snapshot)[2])


def test_an_unchanged_page_that_names_another_capture_is_not_guessed(theirs: Theirs) -> None:
    theirs.bring(seen(20, "One", 1) + unchanged(21, 2, "WARC-Refers-To: <urn:uuid:elsewhere>"))
    assert theirs.times("http://quay.example/a") == ["2026-11-20T10:00:00Z"]
    assert ["refers to is not here" in note for note in theirs.notes] == [True]


# ARC


def arc(line: str, block: bytes, started: str = "20080430204825") -> bytes:
    head = f"filedesc://t.arc 0.0.0.0 {started} text/plain 66\n1 0 Test\nURL IP-address Archive-date Content-type"
    first = f"{head} Archive-length\n".encode()
    return first + b"\n\n" + line.format(len(block)).encode() + b"\n" + block + b"\n"


@pytest.mark.parametrize(
    ("line", "moment"),
    [
        ("http://quay.example/a 1.2.3.4 199612312359 text/html {}", "1996-12-31T23:59:00Z"),
        ("http://quay.example/a 1.2.3.4 19961231 text/html {}", "1996-12-31T00:00:00Z"),
        ("http://quay.example/a ::1 1996123123595 text/html {}", "1996-12-31T23:59:00Z"),
        ("http://quay.example/a 1.2.3.4 19961231235958123 text/html {}", "1996-12-31T23:59:58Z"),
        ("http://quay.example/a 1.2.3.4 19961231235958 text/html {}", "1996-12-31T23:59:58Z"),
        ("http://quay.example/a 1.2.3.4 19961231235958 {}", "1996-12-31T23:59:58Z"),
        ("http://quay.example/a 1.2.3.4 19961231235958  {}", "1996-12-31T23:59:58Z"),
    ],
)
def test_lines_of_arc_records(line: str, moment: str, theirs: Theirs) -> None:
    done = theirs.bring(arc(line, answer(), "200401211249"), "a.arc")
    assert (theirs.faults, theirs.notes, done.records) == ([], [], 2)
    assert theirs.times("http://quay.example/a") == [moment]
    assert "Tuesday" in (theirs.text("http://quay.example/a") or "")


def test_an_arc_file_whose_beginning_is_missing(theirs: Theirs) -> None:
    whole = arc("http://quay.example/a 1.2.3.4 19961231235958 text/html {}", answer())
    done = theirs.bring(whole[whole.index(b"http://quay") :], "a.arc")
    assert (theirs.faults, done.records) == ([], 1)
    assert theirs.times("http://quay.example/a") == ["1996-12-31T23:59:58Z"]


@pytest.mark.parametrize("date", ["20080430204826", "20089930204826", "00000000000"])
def test_arc_records_that_cannot_be_looked_up_are_kept(date: str, theirs: Theirs) -> None:
    block = page() if date.startswith("200804") else answer()
    done = theirs.bring(arc(f"http://quay.example/a 1.2.3.4 {date} text/html {{}}", block), "a.arc")
    assert (theirs.faults, done.records, len(theirs.notes)) == ([], 2, 1)
    assert theirs.holds(block)


def test_an_arc_file_that_says_nothing_of_itself_has_its_records(theirs: Theirs) -> None:
    whole = arc("http://quay.example/a 1.2.3.4 19961231235958 text/html {}", answer())
    bare = whole.replace(b"filedesc://t.arc 0.0.0.0 20080430204825 text/plain 66", b"filedesc:// - - - 66")
    done = theirs.bring(bare, "a.arc")
    assert (done.records, len(theirs.faults), "Tuesday" in (theirs.text("http://quay.example/a") or "")) == (1, 1, True)


# Versions


@pytest.mark.parametrize("version", ["warc/1.1", "WARC/1.2", "WARC/2.0", "Warc/1.0"])
def test_versions_are_read_whatever_they_are(version: str, theirs: Theirs) -> None:
    good = record(url="http://quay.example/a", block=answer()) + record(url="http://quay.example/b", number=2)
    done = theirs.bring(good.replace(b"WARC/1.0\r\n", version.encode() + b"\r\n"))
    assert (done.captures, theirs.faults) == (2, [])
    assert [f"its version is {version}" in note for note in theirs.notes] == [True, True]
    assert "Tuesday" in (theirs.text("http://quay.example/a") or "")


# WACZ files


def one(number: int, name: str = "a") -> bytes:
    return members(record(url=f"http://quay.example/{name}", block=answer(name), number=number))


def test_hashes_of_a_manifest_that_are_wrong_are_noted(theirs: Theirs) -> None:
    entries = {"archive/data.warc.gz": one(1)}
    done = theirs.bring(wacz(entries, ["http://quay.example/a"], hashes=False), "a.wacz")
    assert (done.captures, done.pages, theirs.faults) == (1, 1, [])
    assert theirs.notes == ["its bytes are not those that the manifest's hash names"] * 2
    theirs.bring(wacz({"archive/data.warc.gz": one(2, "b")}, ["http://quay.example/b"]), "b.wacz")
    assert theirs.notes == []


@pytest.mark.parametrize(("said", "notes"), [("0" * 64, 1), (None, 0)])
def test_the_digest_of_a_manifest_is_compared(said: str | None, notes: int, theirs: Theirs) -> None:
    data = wacz({"archive/data.warc.gz": one(1)}, ["http://quay.example/a"])
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as package:
        digest = said or hashlib.sha256(package.read("datapackage.json")).hexdigest()
        package.writestr("datapackage-digest.json", json.dumps({"hash": f"sha256:{digest}"}))
    theirs.bring(file.getvalue(), "a.wacz")
    assert ["datapackage-digest.json" in note for note in theirs.notes] == [True] * notes


class _Stream(io.RawIOBase):
    """A file that cannot be sought, so that a zip's sizes follow its entries."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # io declares an opaque buffer type
        self.data += data
        return len(data)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("cut", ["list", "entry"])
def test_a_zip_that_breaks_off_is_read_up_to_there(streamed: bool, method: int, cut: str, theirs: Theirs) -> None:
    file = _Stream() if streamed else io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as package:
        package.writestr("pages/pages.jsonl", b'{"url": "http://quay.example/a"}\n{"url": "http://quay.example/b"}\n')
        package.writestr("archive/a.warc.gz", one(1))
        package.writestr("archive/b.warc.gz", one(2, "b") + one(3, "c"))
    data = bytes(file.data) if isinstance(file, _Stream) else file.getvalue()
    end = data.index(b"PK\x01\x02") - (0 if cut == "list" else 120)
    done = theirs.bring(data[:end], "a.wacz")
    assert done.captures == done.pages == (3 if cut == "list" else 2)
    assert "breaks off" in theirs.faults[0]
    assert len(theirs.faults) >= (1 if cut == "list" else 2)


def test_a_wacz_of_waczs_is_read(theirs: Theirs) -> None:
    first = wacz({"archive/data.warc.gz": one(1)}, ["http://quay.example/a"])
    frame = members(record(url="http://quay.example/frame", block=answer("Frame"), number=3))
    second = wacz({"archive/data.warc.gz": one(2, "b") + frame}, ["http://quay.example/b"])
    done = theirs.bring(wacz({"archive/one.wacz": first, "archive/two.wacz": second}), "multi.wacz")
    assert (done.captures, done.pages, theirs.faults, theirs.notes) == (3, 3, [], [])
    deeper = wacz({"one.wacz": wacz({"two.wacz": first})})
    theirs.bring(deeper, "deep.wacz")
    assert ["is not read" in fault for fault in theirs.faults] == [True]


def test_what_cannot_be_read_is_named_as_what_it_is(theirs: Theirs) -> None:
    for data, what in ((b"", "is empty"), (b"\x04\x22\x4d\x18\x20\x00\x00\x00WARC/1.0\r\n", "packed with LZ4")):
        with pytest.raises(FormatError, match=what):
            theirs.bring(data, "a.warc.lz4")


# How files are packed


@pytest.mark.parametrize("form", ["gz-plain", "plain-gz", "gz-plain-gz", "twice", "members twice", "mark", "mark gz"])
def test_files_are_read_however_they_are_packed(form: str, theirs: Theirs) -> None:
    records = [record(url=f"http://quay.example/{n}", block=answer(str(n)), number=n) for n in range(4)]
    first, second = records[:2], records[2:]
    data = {
        "gz-plain": members(*first) + b"".join(second),
        "plain-gz": b"".join(first) + members(*second),
        "gz-plain-gz": members(records[0]) + records[1] + members(*second),
        "twice": gzip.compress(members(*records)),
        "members twice": members(*map(gzip.compress, records)),
        "mark": b"\xef\xbb\xbf" + b"".join(records),
        "mark gz": gzip.compress(b"\xef\xbb\xbf" + b"".join(records)),
    }[form]
    done = theirs.bring(data, "a.warc.gz")
    assert (done.captures, done.pages, theirs.faults, theirs.notes) == (4, 4, [], [])


def test_places_in_a_file_of_both_kinds(theirs: Theirs) -> None:
    """What follows damage is read, whichever kind it is, and the damage has the byte where it begins."""
    packed, plain = one(1), record(url="http://quay.example/b", block=answer("b"), number=2)
    begun = packed + plain
    damage = b"\x1f\x8b\x08\x00 this is no gzip member\r\n"
    last = record(url="http://quay.example/c", block=answer("c"), number=3)
    path = theirs.folder / "a.warc"
    path.write_bytes(begun + damage + last + b"what is this\r\n" + one(4, "d"))
    said: list[Left] = []
    done = import_file(theirs.archive, path, said.append, None)
    assert done.captures >= 3
    assert [left.offset for left in said][:1] == [len(begun)]
    assert [left.taken for left in said].count(False) == len(said) >= 1


@pytest.mark.full
def test_a_file_that_was_packed_twice_is_no_bomb(theirs: Theirs) -> None:
    done = theirs.bring(gzip.compress(one(1) + bytes(260 << 20), 1), "a.warc.gz")
    assert done.captures == 1
    assert ["is a bomb" in fault for fault in theirs.faults] == [True]


def test_a_date_with_the_day_of_the_year_is_read_where_its_month_agrees() -> None:
    found = moment_of("2008-10-294T05:21:46-0700")
    assert found is not None
    assert iso(found) == "2008-10-20T12:21:46Z"
    assert moment_of("2008-11-294T05:21:46-0700") is None


# What a WACZ says beside its records, and what browsers took from pages


def test_the_text_that_a_browser_took_from_a_page_is_searched(theirs: Theirs) -> None:
    text = record(
        "resource", "urn:text:http://quay.example/a", b"Harpoons and lanterns.", 7, "Content-Type: text/plain"
    )
    view = record("resource", "urn:view:http://quay.example/a", b"\x89PNG", 8, "Content-Type: image/png")
    data = wacz({"archive/data.warc": text + view}, ["http://quay.example/a"])
    assert theirs.bring(data, "a.wacz").pages == 1
    index = search_index(theirs.archive, None)
    index.refresh(theirs.archive.runs())
    assert [hit.url for hit in index.search("harpoons", site="quay.example")] == ["urn:text:http://quay.example/a"]
    index.close()


def _signed(data: bytes, entries: dict[str, object]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        digest = f"sha256:{hashlib.sha256(old.read('datapackage.json')).hexdigest()}"
        new.writestr("datapackage-digest.json", json.dumps({"path": "datapackage.json", "hash": digest} | entries))
    return file.getvalue()


def _said(theirs: Theirs) -> str:
    return theirs.archive.unguarded().manifest_bytes(theirs.archive.runs()[-1]).decode()


def test_titles_texts_and_the_manifest_of_a_wacz_are_kept(theirs: Theirs) -> None:
    page_line = json.dumps(
        {"url": "http://quay.example/a", "ts": "2024-01-02T03:04:05Z", "title": "T", "text": "Harpoons"}
    )
    entries = {
        "archive/data.warc.gz": one(1, "a"),
        "pages/pages.jsonl": f'{{"format":"json-pages-1.0"}}\n{page_line}\n'.encode(),
    }
    done = theirs.bring(wacz(entries), "a.wacz")
    assert (done.records, done.captures, done.pages, theirs.faults) == (3, 1, 1, [])
    store, run = theirs.archive.unguarded().stores.primary, theirs.archive.runs()[-1]
    kept = gzip.decompress(store.get(f"runs/{run}/archive/foreign-00000.warc.gz"))
    assert page_line.encode() in kept
    assert b'"profile": "data-package"' in kept
    assert '"imported-hashes": "all of them hold"' in _said(theirs)
    assert theirs.bring(wacz(entries), "b.wacz").run is None


def test_the_signature_of_a_wacz_is_checked_and_the_result_is_kept(tmp_path: Path, theirs: Theirs) -> None:
    data = wacz({"archive/data.warc.gz": one(1)}, ["http://quay.example/a"])
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        digest = f"sha256:{hashlib.sha256(package.read('datapackage.json')).hexdigest()}"
    good = WaczSigner.beside(tmp_path / "key").sign(digest, NOON, "test/1")
    done = theirs.bring(_signed(data, {"signedData": good}), "a.wacz")
    assert done.checked["signature"].startswith("datapackage.json is signed by the key ")
    assert done.checked["signature"] in _said(theirs)
    other = wacz({"archive/data.warc.gz": one(2, "b")}, ["http://quay.example/b"])
    done = theirs.bring(_signed(other, {"signedData": good}), "b.wacz")
    assert done.checked["signature"].startswith("its signature proves nothing")
    assert "its signature proves nothing" in _said(theirs)


@pytest.mark.parametrize("how", ["good", "altered", "other name"])
def test_a_signature_by_the_certificate_of_a_domain_is_checked(how: str, theirs: Theirs) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "signs.example")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOON).not_valid_after(NOON + timedelta(days=9))
    named = x509.SubjectAlternativeName([x509.DNSName("signs.example")])
    certificate = made.add_extension(named, critical=False).sign(key, SHA256())
    data = wacz({"archive/data.warc.gz": one(1)}, ["http://quay.example/a"])
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        digest = f"sha256:{hashlib.sha256(package.read('datapackage.json')).hexdigest()}"
    signature = key.sign((digest if how != "altered" else "x").encode(), ec.ECDSA(SHA256()))
    said = {
        "hash": digest, "domain": "signs.example" if how != "other name" else "other.example",
        "domainCert": certificate.public_bytes(Encoding.PEM).decode(),
        "signature": base64.b64encode(signature).decode(),
    }  # fmt: skip
    done = theirs.bring(_signed(data, {"signedData": said}), "a.wacz")
    expected = "datapackage.json is signed by the certificate of signs.example"
    assert done.checked["signature"].startswith(expected if how == "good" else "its signature proves nothing")
