"""Content codings from capture and import to text, feeds, sitemaps, robots.txt and style sheets."""

from __future__ import annotations

import gzip
import sys
import zlib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import brotli
import pytest

from tests.command import Command
from tests.site import Site, answer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SENTENCE = "The harbour council met on Tuesday evening to hear what the pilots think of the new berths at the quay. "
PAGE = f"<!doctype html><title>Berths</title><body><article><h1>Berths</h1><p>{SENTENCE * 4}</p></article>".encode()
RAW = zlib.compressobj(wbits=-15)
BODIES = {
    "br": brotli.compress(PAGE),
    "zstd": zstd.compress(PAGE),
    "deflate": RAW.compress(PAGE) + RAW.flush(),
    "gzip, br": brotli.compress(gzip.compress(PAGE)),
}
PLAIN = ["UTF-8", "none", "binary", "gzip", "br"]


@pytest.fixture
def onrecord(tmp_path: Path) -> Command:
    return Command.at(tmp_path / "store", tmp_path / "home")


def coded(body: bytes, coding: str, kind: str = "text/html; charset=utf-8") -> bytes:
    return answer(body, kind=kind, headers=(f"Content-Encoding: {coding}",))


def test_pages_have_their_text_and_bogus_codings_a_note(onrecord: Command) -> None:
    with Site() as site:
        site.answers |= {f"/coded/{at}": coded(body, coding) for at, (coding, body) in enumerate(BODIES.items())}
        site.answers |= {f"/plain/{at}": coded(PAGE + b"<!-- %d -->" % at, coding) for at, coding in enumerate(PLAIN)}
        site.answers["/bomb/br"] = coded(brotli.compress(b"\0" * 120_000_000, quality=1), "br")
        site.answers["/bomb/zstd"] = coded(zstd.compress(b"\0" * 120_000_000), "zstd")
        site.answers["/damaged"] = coded(b"\0\1\2 no brotli" * 9, "br")
        done = onrecord.capture(*map(site.url, sorted(site.answers)))
        found = {line["url"].removeprefix(site.url("/")): line for line in done.lines}
        assert {path.partition("/")[0]: line["outcome"] for path, line in found.items() if line["outcome"] != "ok"} == {
            "bomb": "decoded-too-large",
            "damaged": "undecodable",
        }
        for path, line in found.items():
            if line["outcome"] == "ok":
                assert len(line.get("notes", ())) == path.startswith("plain"), path
        for path in ("/coded/0", "/coded/1", "/plain/0", "/plain/3"):
            assert onrecord("get", "--format", "html", site.url(path)).out.encode().startswith(PAGE)
        assert "pilots think" in onrecord("get", "--format", "markdown", site.url("/coded/0")).out
    again = onrecord("--json", "extract", "--force")
    names = {line["url"].rpartition("/")[2]: line["outcome"] for line in again.lines}
    assert sum(bool(line.get("notes")) for line in again.lines) == len(PLAIN)
    assert (names["br"], names["zstd"], names["damaged"]) == ("decoded-too-large", "decoded-too-large", "undecodable")


def test_what_leads_to_pages_is_read_too(onrecord: Command) -> None:
    with Site() as site:
        feed = f"<rss version='2.0'><channel><item><link>{site.url('/entry')}</link></item></channel></rss>"
        listed = f"<urlset><url><loc>{site.url('/listed')}</loc></url></urlset>"
        site.answers |= {
            "/robots.txt": coded(brotli.compress(b"User-agent: *\nDisallow: /closed\n"), "br", "text/plain"),
            "/feed.xml": coded(feed.encode(), "UTF-8", "application/rss+xml"),
            "/sitemap.xml": coded(zstd.compress(listed.encode()), "zstd", "application/xml"),
            "/styled": answer(PAGE + b"<link rel=stylesheet href=/a.css><link rel=stylesheet href=/b.css>"),
            "/a.css": coded(b"@import 'more-a.css';", "utf-8", "text/css"),
            "/b.css": coded(brotli.compress(b"@import 'more-b.css';"), "br", "text/css"),
            **dict.fromkeys(("/more-a.css", "/more-b.css"), answer(b"p{color:red}", kind="text/css")),
            **dict.fromkeys(("/entry", "/listed", "/closed"), answer(PAGE)),
        }
        found = ("--feed", site.url("/feed.xml"), "--sitemap", site.url("/sitemap.xml"))
        onrecord.capture(site.url("/styled"), site.url("/closed"), extra=("--robots", "all", *found))
        assert {"/entry", "/listed", "/more-a.css", "/more-b.css"} <= set(site.paths)
        assert "/closed" not in site.paths


def test_imported_pages_have_their_text(onrecord: Command, tmp_path: Path) -> None:
    bodies = {"br": BODIES["br"], "zstd": BODIES["zstd"], "gzip": PAGE, "utf-8": PAGE}
    file = tmp_path / "a.warc"
    file.write_bytes(b"".join(response(f"http://a.example/{at}", body, at) for at, body in bodies.items()))
    assert onrecord("import", str(file)).code == 0
    for coding in bodies:
        assert "pilots think" in onrecord("get", f"http://a.example/{coding}").out
        assert onrecord("get", "--format", "html", f"http://a.example/{coding}").out.encode() == PAGE


def response(url: str, body: bytes, coding: str) -> bytes:
    """Return a WARC record of a page with a Content-Encoding."""
    block = coded(body, coding)
    lines = [
        "WARC/1.0", "WARC-Type: response", f"WARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, url)}>",
        "WARC-Date: 2019-05-06T07:08:09Z", f"WARC-Target-URI: {url}",
        "Content-Type: application/http; msgtype=response", f"Content-Length: {len(block)}", "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + block + b"\r\n\r\n"
