"""Small files that a stranger made to cost much: what each leaves in the store, and how much work it is.

`python -m tests.pipeline.ingest.hostile_files` prints a table of all of them.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from archive.archive import Archive
from pipeline.extract.extractor_pool import ExtractorPool
from pipeline.ingest.import_files import import_file
from pipeline.ingest.import_flaws import Left
from pipeline.ingest.import_result import Imported
from storage.memory import MemoryStore
from tests.pipeline.ingest.test_import_files import PAGE, members, record

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DESCRIPTION = 4_096  # bytes of what a run says of itself, whatever is in it
FREE = 128 << 10  # bytes that any file may leave
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def a_wacz(pages: bytes, warc: bytes = members(record())) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("archive/a.warc.gz", warc, zipfile.ZIP_STORED)
        package.writestr("pages/pages.jsonl", pages)
        package.writestr("datapackage.json", '{"resources": [{"path": "archive/a.warc.gz"}]}')
    return file.getvalue()


def numbered(pattern: str, count: int) -> bytes:
    return gzip.compress(b"".join(record(url=pattern.format(n), number=n) for n in range(count)), mtime=0)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "blank lines of pages": lambda: a_wacz(b"\n" * (33 << 20)),
    "escaped escapes": lambda: numbered("http://a.example/{}/%" + "25" * 32_000, 60),
    "session ids": lambda: numbered("http://a.example/{}?" + "cfid=" * 1_600, 100),
    "records that are alike": lambda: numbered("http://a.example/{}", 40_000),
    "large records that are alike": lambda: gzip.compress(
        b"".join(record(block=PAGE + bytes(range(256)) * 40, number=n) for n in range(2_000)), mtime=0
    ),
    "records of nothing": lambda: gzip.compress(record() + b"WARC/1.0\r\n\r\n" * 200_000, mtime=0),
    "one record often": lambda: gzip.compress(record() * 50_000, mtime=0),
    "line ends": lambda: gzip.compress(record() + b"\n" * (8 << 20), mtime=0),
    "lines of nothing": lambda: gzip.compress(record() + b"x\n" * (4 << 20), mtime=0),
    "lines of nothing in an ARC": lambda: gzip.compress(
        b"filedesc://x 0.0.0.0 20200101000000 text/plain 0\n\n" + b"x\n" * 2_000_000, mtime=0
    ),
    "dates in a line of an ARC": lambda: gzip.compress(
        b"filedesc://x 0.0.0.0 20200101000000 text/plain 0\n\n" + b"a" + b" x 20200101000000" * 3_500 + b"\n", mtime=0
    ),
    "folded lines": lambda: gzip.compress(
        record(block=b"HTTP/1.1 200 OK\r\nX: y\r\n" + b" xx\r\n" * 190_000 + b"\r\n"), mtime=0
    ),
    "a page of one word": lambda: members(page(b"word " * 2_000_000)),
    "a page of one paragraph": lambda: members(
        page(b"<p>A paragraph of some words that is said again.</p>\n" * 100_000)
    ),
    "a page of unlike numbers": lambda: members(
        page(b"".join(b"<p>The number %d is one.</p>" % n for n in range(60_000)))
    ),
    "a page of links": lambda: members(
        page(b"<p>Some words.</p>" + b"".join(b"<a href=/%d/%s>x</a>" % (n, b"y" * 500) for n in range(20_000)))
    ),
    "a page of deep elements": lambda: members(page(b"<div>" * 500_000 + b"Some words.")),
    "a page of attributes": lambda: members(
        page(b"<p " + b" ".join(b"a%d=b" % n for n in range(200_000)) + b">Words.")
    ),
    "a page of tables": lambda: members(page(b"<table><tr><td>One<td>Two</table>" * 60_000)),
    "a page of entities": lambda: members(page(b"<p>" + b"&amp;" * 1_000_000)),
    "a page with a long title": lambda: members(
        page(b"<title>" + b"A title of words " * 300_000 + b"</title><p>Words.")
    ),
    "a page with much data": lambda: members(
        page(
            b'<script type="application/ld+json">{"@type":"NewsArticle","articleBody":"'
            + b"Words. " * 600_000
            + b'"}</script>'
        )
    ),
    "a page that is packed again": lambda: members(
        record(block=_HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"<p>Words. </p>" * 4_000_000, mtime=0))
    ),
    "pages that are packed again": lambda: members(
        *(
            record(
                url=f"http://a.example/{n}",
                number=n,
                block=_HEAD
                + b"Content-Encoding: gzip\r\n\r\n"
                + gzip.compress(b"<p>Words %d. </p>" % n * 200_000, mtime=0),
            )
            for n in range(12)
        )
    ),
    "pages that are alike": lambda: members(
        *(page(b"<p>A paragraph of some words. </p>" * 3_000, number=n) for n in range(50))
    ),
    "a large record of zeros": lambda: members(record(block=PAGE + bytes(60 << 20))),
    "a large record in a Zstandard frame": lambda: zstd.compress(record(block=PAGE + bytes(200 << 20)), level=9),
    "a file packed twice": lambda: gzip.compress(gzip.compress(record(block=PAGE + bytes(60 << 20)), mtime=0), mtime=0),
    "a head of many lines": lambda: members(
        record("response", "http://a.example/", PAGE, 1, *(["X-A: " + "b" * 50] * 15_000))
    ),
    "a feed of many entries": lambda: members(
        record(
            block=b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n<rss><channel>"
            + b"".join(b"<item><title>T</title><link>http://a.example/%d</link></item>" % n for n in range(50_000))
            + b"</channel></rss>"
        )
    ),
    "a HAR of large bodies": lambda: gzip.compress(har("Words again. " * 500_000), mtime=0),
    "an MHTML of one word": lambda: gzip.compress(
        b"MIME-Version: 1.0\r\nSnapshot-Content-Location: http://a.example/\r\nSubject: a\r\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n'
        b"Content-Location: http://a.example/\r\n\r\n<p>" + b"word " * 2_000_000 + b"\r\n--b--\r\n",
        mtime=0,
    ),
    "a document of a word processor": lambda: members(
        record(
            block=b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.openxmlformats-officedocument."
            b"wordprocessingml.document\r\n\r\n" + a_docx()
        )
    ),
    "a PDF of packed streams": lambda: members(
        record(block=b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + a_pdf())
    ),
    "texts in a list of pages": lambda: a_wacz(
        b'{"format":"json-pages-1.0","id":"pages"}\n'
        + b"".join(b'{"url":"http://a.example/%d","text":"%s"}\n' % (n, b"words " * 2_000) for n in range(1_000))
    ),
}


def page(body: bytes, number: int = 1) -> bytes:
    """Return a record of a page that says this in its body."""
    return record(url=f"http://a.example/{number}", number=number, block=_HEAD + b"\r\n<html><body><article>" + body)


def har(text: str) -> bytes:
    """Return a HAR of twenty pages of a text."""
    entries = [
        {
            "startedDateTime": "2020-01-01T00:00:00Z",
            "request": {"method": "GET", "url": f"http://a.example/{n}", "headers": [], "httpVersion": "HTTP/1.1"},
            "response": {
                "status": 200, "statusText": "OK", "headers": [], "httpVersion": "HTTP/1.1",
                "content": {"mimeType": "text/html", "text": f"<p>{n} {text}"},
            },
        }
        for n in range(20)
    ]  # fmt: skip
    return json.dumps(
        {"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}}
    ).encode()


def a_docx() -> bytes:
    """Return a document of one paragraph, very often."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        line = "<w:p><w:r><w:t>Some words.</w:t></w:r></w:p>"
        package.writestr(
            "word/document.xml", f'<w:document xmlns:w="{space}"><w:body>{line * 200_000}</w:body></w:document>'
        )
    return file.getvalue()


def a_pdf(lines: int = 200_000) -> bytes:
    """Return a file of a page whose content unfolds to the same line, very often."""
    content = zlib.compress(b"BT /F1 12 Tf 72 700 Td " + b"(Some words.) Tj " * lines + b"ET", 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<</Type/Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(out),
    )


class WithTexts:
    """A file that was imported with the texts of its pages: what it left, and the processor's time that it took."""

    def __init__(self, folder: Path, data: bytes, pool: ExtractorPool | None = None) -> None:
        self.archive = Archive(MemoryStore(), spool=folder / "spool")
        self.archive.prepare()
        path = folder / ("a.wacz" if data.startswith(b"PK") else "a.warc.gz")
        path.write_bytes(data)
        self.left: list[Left] = []
        begun = _time()
        if pool is not None:
            self.done: Imported = import_file(self.archive, path, self.left.append, pool)
        else:
            with ExtractorPool(1, time_limit=60, memory_limit=2_000_000_000) as own:
                self.done = import_file(self.archive, path, self.left.append, own)
        self.seconds = _time() - begun
        self.archive.refresh()
        self.kept = sum(info.size for info in self.archive.unguarded().stores.primary.list("runs/"))


def _time() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "base").mkdir()
        base = WithTexts(folder / "base", members(record())).seconds  # a worker that is started, and ends
        print("| file | bytes | left in the store | times | CPU s | s per 10 KB | left out |")
        print("|---|---|---|---|---|---|---|")
        for number, (what, make) in enumerate(HOSTILE.items()):
            if sys.argv[1:] and not any(word in what for word in sys.argv[1:]):
                continue
            (folder / str(number)).mkdir()
            data = make()
            found = WithTexts(folder / str(number), data)
            spent = max(found.seconds - base, 0.0)
            share, times = spent / (len(data) / 10_000), found.kept / len(data)
            cells = (f"{len(data):,}", f"{found.kept:,}", f"{times:.1f}", f"{spent:.1f}", f"{share:.2f}")
            print("|", " | ".join((what, *cells, f"{found.done.left:,}")), "|", flush=True)


if __name__ == "__main__":
    _main()
