"""Cookies of a chain of redirects: they go back within it, to where they were set for, and nowhere else."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from archive.model import Target
from pipeline.capture.http.chain_cookies import ChainCookies
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import checked_url
from tests.command import Command
from tests.site import Site, Talk, answer, redirect

SETTINGS = FetchSettings("test/1", delay=0, allow_private=True, timeout=30, connect_timeout=30, retries=0)
ARTICLE = "<p>The harbour council met on Tuesday evening to hear what the pilots think of the new berths.</p>" * 8
PAGE = f"<html><head><title>Berths</title></head><body><article>{ARTICLE}</article></body></html>".encode()


def cookies(setter: str, *lines: str) -> ChainCookies:
    made = ChainCookies()
    made.take(checked_url(setter), tuple(("Set-Cookie", line) for line in lines))
    return made


@pytest.mark.parametrize(
    ("setter", "line", "asked", "goes"),
    [
        ("http://a.example/", "k=v", "http://a.example/x", True),
        ("http://a.example/", "k=v", "http://a.example:8080/x", True),  # RFC 6265 §8.5: a port is no border
        ("http://a.example/", "k=v", "http://b.a.example/", False),
        ("http://a.example/", "k=v", "http://example/", False),
        ("https://www.quay.example/", "k=v; Domain=.quay.example", "https://quay.example/", True),
        ("https://www.quay.example/", "k=v; domain=QUAY.example", "https://img.quay.example/", True),
        ("https://www.quay.example/", "k=v; Domain=other.example", "https://other.example/", False),
        ("https://www.quay.example/", "k=v; Domain=ay.example", "https://ay.example/", False),
        ("https://www.quay.example/", "k=v; Domain=example", "https://example/", False),
        ("https://www.quay.co.uk/", "k=v; Domain=co.uk", "https://www.quay.co.uk/", False),
        ("https://www.quay.co.uk/", "k=v; Domain=quay.co.uk", "https://quay.co.uk/", True),
        ("https://ida.github.io/", "k=v; Domain=github.io", "https://eve.github.io/", False),
        ("http://localhost/", "k=v; Domain=localhost", "http://localhost/", True),
        ("http://127.0.0.1/", "k=v; Domain=127.0.0.1", "http://127.0.0.1/", True),
        ("http://127.0.0.1/", "k=v; Domain=0.0.1", "http://127.0.0.1/", False),
        ("http://a.example/one/two", "k=v", "http://a.example/one/three", True),
        ("http://a.example/one/two", "k=v", "http://a.example/one", True),
        ("http://a.example/one/two", "k=v", "http://a.example/other", False),
        ("http://a.example/", "k=v; Path=/one", "http://a.example/one?q=/", True),
        ("http://a.example/", "k=v; Path=/one", "http://a.example/oneself", False),
        ("http://a.example/", "k=v; Path=/one/", "http://a.example/one/x", True),
        ("http://a.example/x/y", "k=v; Path=relative", "http://a.example/x/z", True),
        ("https://a.example/", "k=v; Secure", "https://a.example/", True),
        ("https://a.example/", "k=v; secure", "http://a.example/", False),
        ("http://a.example/", "k=v; Secure", "https://a.example/", False),
        ("https://a.example/", "__Host-k=v; Secure; Path=/", "https://a.example/", True),
        ("https://a.example/", "__Host-k=v; Secure", "https://a.example/", False),
        ("https://a.example/", "__Secure-k=v", "https://a.example/", False),
        ("http://a.example/", "k=v; Max-Age=0", "http://a.example/", False),
        ("http://a.example/", "k=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://a.example/", True),
        ("http://a.example/", "k=v; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "http://a.example/", False),
        ("http://a.example/", "k=v; Expires=nonsense", "http://a.example/", True),
        ("http://a.example/", "no pair", "http://a.example/", False),
        ("http://a.example/", "k=v\x01", "http://a.example/", False),
        ("http://a.example/", "k=" + "v" * 5000, "http://a.example/", False),
    ],
)
def test_where_a_cookie_goes(setter: str, line: str, asked: str, goes: bool) -> None:
    header = cookies(setter, line).header(checked_url(asked))
    assert (header.endswith("k=v")) is goes
    assert goes or header == ""


def test_order_replacement_and_bounds() -> None:
    made = cookies("http://a.example/one/x", "a=1; Path=/", "b=2; Path=/one", "c=3; Path=/", "a=4; Path=/")
    url = checked_url("http://a.example/one/y")
    assert made.header(url) == "b=2; a=4; c=3"
    assert made.added((("Cookie", "a=own; d=own"), ("X", "y")), url) == (("X", "y"), ("Cookie", "d=own; b=2; a=4; c=3"))
    made.take(url, (("Set-Cookie", "a=; Path=/; Max-Age=-1"),))
    assert made.header(url) == "b=2; c=3"
    many = cookies("http://a.example/", *(f"n{at}={'v' * 1000}" for at in range(1000)))
    assert len(many.header(url)) <= 8192


async def until_it_comes_back(talk: Talk) -> None:
    known = b"\r\nCookie: seen=s3cr3t\r\n" in talk.request
    again = redirect(talk.path).replace(b"\r\nLocation", b"\r\nSet-Cookie: seen=s3cr3t; Path=/\r\nLocation")
    await talk.send(answer(PAGE) if known and talk.path != "/endless" else again)


def test_a_cookie_goes_back_within_its_chain_and_to_no_other_target(tmp_path: Path) -> None:
    with Site() as site, Site(host="127.0.0.2") as other:
        site.answers |= {"/self": until_it_comes_back, "/endless": until_it_comes_back, "/next": answer(b"next")}
        leaves = redirect(other.url("/c")).replace(b"\r\nLocation", b"\r\nSet-Cookie: seen=s3cr3t\r\nLocation")
        site.answers["/away"] = leaves
        other.answers["/c"] = answer(b"c")
        for path, name, statuses in (
            ("/self", "ok", [302, 200]),
            ("/endless", "redirect-loop", [302, 302]),
            ("/away", "ok", [302, 200]),
            ("/next", "ok", [200]),
        ):
            (fetched,) = fetch([Target(site.url(path))], SETTINGS, tmp_path)
            assert fetched is not None
            assert (fetched.verdict.name, [each.status for each in fetched.exchanges]) == (name, statuses)
        cookie = [request.split()[1] for request in site.raw_requests + other.raw_requests if b"Cookie:" in request]
    assert cookie == [b"/self", b"/endless"]


@pytest.mark.parametrize("credentials", ["record", "mask"])
def test_both_exchanges_are_archived(tmp_path: Path, credentials: str) -> None:
    onrecord = Command.at(tmp_path / "store", tmp_path / "home")
    whole = tmp_path / "all.warc.gz"
    with Site({"/self": until_it_comes_back}) as site:
        url = site.url("/self")
        done = onrecord("capture", url, "--allow-private", "--delay", "0", "--credentials", credentials)
        assert done.code == 0, done.err
    assert "pilots" in onrecord("get", url).out
    assert onrecord("export", str(whole)).code == 0
    text = gzip.decompress(whole.read_bytes())
    assert [text.count(line) for line in (b"HTTP/1.1 302 Found", b"HTTP/1.1 200")] == [1, 1]
    assert text.count(b"seen=s3cr3t") == (2 if credentials == "record" else 0)
