"""Files in which browsers save pages: HAR, MHTML, SingleFile and its like, as records with their address and date."""

from __future__ import annotations

import base64
import gzip
import json
import os
import quopri
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.errors import FormatError
from archive.model import Snapshot
from archive.times import iso
from archive.warc.reader import Record
from pipeline.extract.extractor_pool import ExtractorPool
from tests.pipeline.ingest.test_import_kinds import WORDS, Theirs, page

URL = "http://quay.example/berths"
SAID = "Tue Jan 02 2024 04:04:05 GMT+0100 (Mitteleuropäische Zeit)"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
CYRILLIC = page("Причалы").replace(b"</p>", "Лоцманы говорили о песке и волнах.</p>".encode()).decode()


@pytest.fixture(scope="module")
def pool() -> Iterator[ExtractorPool]:
    with ExtractorPool(1, time_limit=60.0, memory_limit=1 << 31) as made:
        yield made


@pytest.fixture
def theirs(tmp_path: Path, pool: ExtractorPool) -> Theirs:
    return Theirs(tmp_path, pool)


def entry(url: str = URL, body: Any = None, status: int = 200, kind: str = "text/html", **more: Any) -> dict[str, Any]:
    headers = [{"name": "Content-Type", "value": kind}, *more.pop("headers", [])]
    content = {"size": 10, "mimeType": kind, **({} if body is None else {"text": body}), **more.pop("content", {})}
    answer = {"status": status, "statusText": "OK", "httpVersion": "h2", "headers": headers, "content": content}
    request = {"method": "GET", "url": url, "httpVersion": "h2", "headers": [{"name": ":authority", "value": "x"}]}
    return {"startedDateTime": "2024-01-02T04:04:05.678+01:00", "request": request, "response": answer | more}


def har(*entries: Any) -> bytes:
    return json.dumps({"log": {"version": "1.2", "pages": [{"id": "a"}], "entries": entries}}).encode()


def newest(theirs: Theirs, url: str = URL) -> Snapshot:
    return list(theirs.archive.snapshots(url))[-1]


def text_of(theirs: Theirs, url: str = URL) -> str:
    found = theirs.archive.document(newest(theirs, url))
    return (found.article.text if found else None) or ""


def kept(theirs: Theirs, prefix: str) -> Record:
    """Return the record of the whole file."""
    run = theirs.archive.runs()[-1]
    found = next(each for each in theirs.archive.captures_of(run) if each.url.startswith(prefix))
    return theirs.archive.read(found)


def records_of(theirs: Theirs) -> list[bytes]:
    """Return the records of the run that were made of the file, in their order."""
    store, run = theirs.archive.unguarded().stores.primary, theirs.archive.runs()[-1]
    whole = gzip.decompress(store.get(f"runs/{run}/archive/foreign-00000.warc.gz"))
    return [b"WARC/1.1\r\n" + each for each in whole.split(b"WARC/1.1\r\n")[1:]]


# HAR


def test_a_har_becomes_responses_with_their_address_and_date(theirs: Theirs) -> None:
    coded = [{"name": "content-encoding", "value": "gzip"}, {"name": "Set-Cookie", "value": "a=1\nb=2"}]
    picture = entry(f"{URL}.png", base64.b64encode(PNG).decode(), kind="image/png", content={"encoding": "base64"})
    moved = entry("http://quay.example/old", None, 301, headers=[{"name": "Location", "value": URL}])
    data = har(moved, entry(body=page().decode(), headers=coded), picture)
    done = theirs.bring(data, "a.har")
    assert (done.records, done.captures, done.pages, theirs.faults) == (11, 3, 1, [])
    found = newest(theirs)
    assert (iso(found.timestamp), found.status, found.mime) == ("2024-01-02T03:04:05Z", 200, "text/html")
    assert "pilots" in text_of(theirs)
    head, _, body = theirs.archive.payload(found)
    assert b"".join(body) == page()
    assert [value for name, value in head.headers if name == "Set-Cookie"] == ["a=1", "b=2"]
    assert (head.content_encoding, head.header("X-Archive-Orig-content-encoding")) == ("", "gzip")
    assert b"".join(theirs.archive.payload(newest(theirs, f"{URL}.png"))[2]) == PNG
    assert newest(theirs, "http://quay.example/old").location == URL


def test_a_har_whose_dates_are_milliseconds_has_captures(theirs: Theirs) -> None:
    theirs.bring(har(entry(body=page("Tuesday").decode()) | {"startedDateTime": 1704164645678}), "a.har")
    assert (theirs.faults, theirs.times(URL)) == ([], ["2024-01-02T03:04:05Z"])


def test_a_page_that_was_requested_twice_in_a_second_has_records_of_its_own(theirs: Theirs) -> None:
    again = entry(body=page("Later").decode()) | {"startedDateTime": "2024-01-02T04:04:05.789+01:00"}
    done = theirs.bring(har(entry(body=page().decode()), again), "a.har")
    assert (done.records, done.captures, theirs.faults) == (8, 2, [])
    ids = [line for each in records_of(theirs) for line in each.splitlines() if line.startswith(b"WARC-Record-ID")]
    assert len(set(ids)) == 8


def test_what_is_rebuilt_is_labelled_so(theirs: Theirs) -> None:
    theirs.bring(har(entry(body=page().decode())), "a.har")
    found = theirs.archive.read(newest(theirs))
    info = (found.header("WARC-Warcinfo-ID") or "nothing").encode()
    about = next(each for each in records_of(theirs) if b"WARC-Record-ID: " + info in each)
    assert b"rebuilt from its fields" in about
    assert b"not the bytes of the wire" in about
    assert found.header("WARC-Protocol") == "h2"
    assert ["rebuilt" in note for note in theirs.notes] == [True]


def test_entries_without_a_body_are_named_and_counted(theirs: Theirs) -> None:
    bodiless = [entry(f"{URL}?{n}", None, status) for n, status in enumerate((200, 304, 204, 0))]
    data = har(
        *bodiless,
        {"request": 7},
        {"request": {"url": "http://asked.example/"}},
        8,
        entry("data:text/plain,x", "in the address"),
        entry(body=page().decode()),
    )
    done = theirs.bring(data, "a.har")
    assert (done.captures, done.left) == (3, 6)  # 304, 204, the page
    no_body, no_answer, strange, asked, number, no_server = theirs.faults
    assert ("entry 1 " in no_body, "has no body" in no_body, f"{URL}?0" in no_body) == (True, True, True)
    assert ("entry 4 " in no_answer, "had no answer" in no_answer) == (True, True)
    assert "entry 5 of the HAR cannot be understood" in strange
    assert "entry 6 of the HAR has no 'response': what it says is kept" in asked
    assert ("entry 7 " in number, "kept" in number) == (True, False)
    assert "asked no server" in no_server
    said = [each for each in records_of(theirs) if b"WARC-Type: metadata" in each]
    assert [f"{URL}?{n}".encode() in each for n, each in enumerate(said[:4])] == [True] * 4
    assert (b'{"request": 7}' in said[4], b"http://asked.example/" in said[5]) == (True, True)
    assert b"in the address" in said[6]
    assert (b"the pilots" in said[7], b'"pages": [{"id": "a"}]' in said[8]) == (False, True)


@pytest.mark.parametrize(
    "kind",
    ["text/html", "text/html; charset=windows-1251", "text/html; charset=iso-8859-1", "text/html; charset=no-such"],
)
def test_a_text_has_its_letters_whatever_charset_its_page_names(kind: str, theirs: Theirs) -> None:
    body = CYRILLIC.replace("<title>", "<meta charset=koi8-r><title>")
    theirs.bring(har(entry(body=body, kind=kind)), "a.har")
    assert "Лоцманы говорили" in text_of(theirs)


@pytest.mark.parametrize("form", ["cut", "mark", "gzip", "spaces", "other names"])
def test_hars_are_read_however_they_are_written(form: str, theirs: Theirs) -> None:
    whole = har(entry(body=page().decode()), entry(f"{URL}/2", page("Two").decode()))
    data = {
        "cut": whole[:-100],
        "mark": b"\xef\xbb\xbf" + whole,
        "gzip": gzip.compress(whole, mtime=0),
        "spaces": json.dumps(json.loads(whole), indent=4).encode(),
        "other names": whole.replace(b'{"log": {', b'{"log": {"_made": [{"entries": []}, "x"],'),
    }[form]
    done = theirs.bring(data, "download")
    assert done.pages == (1 if form == "cut" else 2)
    assert ["breaks off" in fault for fault in theirs.faults] == ([True] if form == "cut" else [])
    assert "pilots" in text_of(theirs)
    again = theirs.bring(data, "other name")
    assert (again.records, again.run) == (0, None)


@pytest.mark.parametrize(
    "data",
    [
        har(),
        b'{"log": {"entries": 7}}',
        b'{"log": {"entries": [' + b"[" * 200_000,
        b'{"log": {' + b'"a": {' * 100_000,
        har(entry(), entry(body=page().decode(), kind="text/html\r\nX: y"), entry("http://[", "x")),
        har(entry(body="x", headers=[{"name": "A\r\nB", "value": "c\r\nd"}, {"name": 7}, 7]), 7, [], "x"),
        har(entry(body="x", content={"encoding": "base64"}), entry(body="\ud800")),
    ],
    ids=["none", "no list", "deep", "deep log", "types", "headers", "bodies"],
)
def test_hostile_hars_end_in_faults(data: bytes, theirs: Theirs) -> None:
    theirs.bring(data, "a.har")
    assert theirs.faults or theirs.notes


# MHTML


def part(location: str, kind: str, body: bytes, coding: str = "binary", *more: str) -> bytes:
    coded = {"binary": body, "base64": base64.encodebytes(body), "quoted-printable": quopri.encodestring(body)}[coding]
    fields = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {coding}", f"Content-Location: {location}", *more]
    return "\r\n".join([*filter(None, fields), "", ""]).encode() + coded


def mhtml(*parts: bytes, date: str | None = "Tue, 2 Jan 2024 04:04:05 +0100", end: bytes = b"--") -> bytes:
    head = [
        "From: <Saved by Blink>", f"Snapshot-Content-Location: {URL}", "Subject: =?utf-8?Q?Berths?=",
        *([f"Date: {date}"] if date else []), "MIME-Version: 1.0",
        'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="----Boundary--x----"', "", "",
    ]  # fmt: skip
    bodies = b"".join(b"\r\n------Boundary--x----\r\n" + each for each in parts)
    return "\r\n".join(head).encode() + bodies + b"\r\n------Boundary--x----" + end + b"\r\n"


@pytest.mark.parametrize("coding", ["binary", "base64", "quoted-printable"])
def test_an_mhtml_becomes_resources_with_their_address_and_date(coding: str, theirs: Theirs) -> None:
    shown = "http://frames.example/ad"
    data = mhtml(
        part(URL, "text/html", page(), coding, "Content-ID: <frame-1@mhtml.blink>"),
        part("cid:css-1@mhtml.blink", "text/css", b"p { color: red }\r\n"),
        part(f"{URL}.png", "image/png", PNG, "base64"),
        part(shown, "text/html", page("An advertisement"), coding),
    )
    done = theirs.bring(data, "a.mhtml")
    assert (done.records, done.captures, done.pages, theirs.faults, theirs.notes) == (5, 5, 1, [], [])
    found = newest(theirs)
    assert (iso(found.timestamp), found.mime) == ("2024-01-02T03:04:05Z", "text/html")
    assert (theirs.archive.read(found).kind, "pilots" in text_of(theirs)) == ("resource", True)
    assert b"".join(theirs.archive.payload(found)[2]).strip() == page()
    assert b"".join(theirs.archive.payload(newest(theirs, f"{URL}.png"))[2]) == PNG
    assert newest(theirs, shown).document is None
    assert kept(theirs, "urn:mhtml:").block.read() == data


def test_an_mhtml_without_a_date_has_that_of_its_file(theirs: Theirs) -> None:
    path = theirs.folder / "a.mht"
    path.write_bytes(mhtml(part(URL, "text/html", page()), date=None))
    os.utime(path, (1_600_000_000, 1_600_000_000))
    data = path.read_bytes()
    theirs.bring(data, "b.mht")
    assert ["names no date" in note for note in theirs.notes] == [True]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (mhtml(part(URL, "text/html", page())).partition(b"</article>")[0], "breaks off"),
        (mhtml(part("", "text/html", page()), part("", "text/css", b"x")), "neither an address nor an id"),
        (
            mhtml(part(URL, "text/html", page()), part("x", "text/css", b"%", "binary")).replace(b"binary", b"base64"),
            "",
        ),
        (mhtml().replace(b"------Boundary", b"---Other"), "no part"),
    ],
    ids=["cut", "nowhere", "base64", "none"],
)
def test_mhtml_files_with_faults_are_kept(data: bytes, fault: str, theirs: Theirs) -> None:
    theirs.bring(data, "a.mhtml")
    assert any(fault in each for each in theirs.faults) or not fault
    assert kept(theirs, "urn:mhtml:").block.read() == data


# SingleFile and others


@pytest.mark.parametrize(
    "comment",
    [
        f"<!--\n Page saved with SingleFile \n url: {URL}#top \n saved date: {SAID}\n-->",
        f"<!-- Saved from {URL} at 2024-01-02T03:04:05Z using monolith v2.8.1 -->",
        f"<!-- Saved from {URL} at Tue, 02 Jan 2024 03:04:05 UTC using monolith v2.3.1 -->",
    ],
    ids=["SingleFile", "monolith", "older monolith"],
)
def test_a_page_saved_in_one_file_has_its_address_and_date(comment: str, theirs: Theirs) -> None:
    data = f"<!DOCTYPE html> <html lang=en>{comment}<meta charset=utf-8>".encode() + page()
    done = theirs.bring(data, "Berths.html")
    assert (done.records, done.captures, done.pages, theirs.faults, theirs.notes) == (1, 1, 1, [], [])
    found = newest(theirs)
    assert (found.url, iso(found.timestamp), found.mime) == (URL, "2024-01-02T03:04:05Z", "text/html")
    assert theirs.archive.read(found).block.read() == data
    assert "pilots" in text_of(theirs)


def test_a_page_whose_comment_has_no_date_has_that_of_its_file(theirs: Theirs) -> None:
    data = f"<!DOCTYPE html>\n<!-- saved from url=(0027){URL} -->\n".encode() + page()
    assert theirs.bring(data, "Berths.htm").pages == 1
    assert ["names no date" in note for note in theirs.notes] == [True]


def test_other_html_and_mail_is_refused(theirs: Theirs) -> None:
    mail = b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"
    late = page() + f"<!-- saved from url=(0027){URL} -->".encode()
    for data in (page(), mail, b'{"log": 7}', b'{"entries": []}', WORDS.encode(), late[20:]):
        with pytest.raises(FormatError, match="name a file that is"):
            theirs.bring(data, "a.html")
