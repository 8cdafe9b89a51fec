"""Kinds of files that other programs write: what was brought is kept, what can be read has its text."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.archive import Archive
from archive.times import iso
from archive.warc.reader import walk_records
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.import_files import Imported, import_file
from pipeline.ingest.import_flaws import Left
from storage.memory import MemoryStore
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
        self._folder = folder
        self._pool = pool
        self.archive = Archive(MemoryStore(), spool=folder / "spool")
        self.archive.prepare()
        self.faults: list[str] = []  # what was left out, by the last file
        self.notes: list[str] = []  # what is odd about it

    def bring(self, data: bytes, name: str = "a.warc") -> Imported:
        path = self._folder / name
        path.write_bytes(data)
        said: list[Left] = []
        done = import_file(self.archive, path, said.append, self._pool)
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
            for each in walk_records([store.get(info.key)])
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
    """Import a WACZ whose list names pages, and return the URLs that have a text."""
    done = theirs.bring(wacz({"archive/data.warc.gz": members(*records)}, named), "a.wacz")
    assert done.captures == len(records)
    documents = {snapshot.url: theirs.archive.document(snapshot) for snapshot in theirs.archive.every()}
    return sorted(url for url, document in documents.items() if document and "Tuesday" in (document.article.text or ""))


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
