"""Feeds, sitemaps and robots.txt as the web writes them, and as the hostile do."""

from __future__ import annotations

import gzip

import pytest

from pipeline.discover.feeds import findings_of_feed
from pipeline.discover.robots_txt import Robots
from pipeline.discover.sitemaps import findings_of_sitemap

BASE = "https://quay.example/blog/feed"


def entries(body: str | bytes) -> list[str]:
    found = findings_of_feed(body.encode() if isinstance(body, str) else body, BASE)
    assert found.problem is None
    return [outlink.url.removeprefix("https://quay.example") for outlink in found.outlinks]


ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


@pytest.mark.parametrize(
    ("feed", "expected"),
    [
        ("<rss version='2.0'><channel><link>/</link><item><link>/1</link></item><item><link> /2\n</link></item></channel></rss>", ["/1", "/2"]),
        ("<rss><channel><item><guid>https://quay.example/3</guid></item></channel></rss>", ["/3"]),
        ("<rss><channel><item><guid isPermaLink='false'>https://quay.example/x</guid></item></channel></rss>", []),
        ("<rss><channel><item><link>/1</link><guid>https://quay.example/x</guid></item></channel></rss>", ["/1"]),
        ("<rss><channel><item><title>A & B &nbsp;</title><link>/4</link></item></channel></rss>", ["/4"]),
        ("<rss><channel><item><link>/5</link>", ["/5"]),
        ("<rss><channel><item><link><![CDATA[/6?a=1&b=2]]></link></item></channel></rss>", ["/6?a=1&b=2"]),
        (f"<feed {ATOM}><link href='/'/><entry><link rel='edit' href='/e'/><link href='7'/></entry></feed>", ["/blog/7"]),
        (f"<feed {ATOM} xml:base='https://quay.example/b/'><entry xml:base='c/'><link href='8'/></entry></feed>", ["/b/c/8"]),
        (f"<feed {ATOM}><entry><id>https://quay.example/9</id></entry></feed>", ["/9"]),
        (f"<feed {ATOM}><entry><id>tag:quay,1</id></entry></feed>", []),
        ("<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><item rdf:about='x'><link>/10</link></item></rdf:RDF>", ["/10"]),
        ("\ufeff  <rss><channel><item><link>/11</link></item></channel></rss>", ["/11"]),
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"url": "/12"}, {"id": "x"}, 7, {"external_url": "/13"}]}', ["/12", "/13"]),
        ("<rss><channel><item><link>javascript:alert(1)</link></item><item><link>file:///etc/passwd</link></item></channel></rss>", []),
    ],
)  # fmt: skip
def test_feeds(feed: str, expected: list[str]) -> None:
    assert entries(feed) == expected


def test_feeds_in_other_encodings() -> None:
    body = "<?xml version='1.0' encoding='iso-8859-1'?><rss><channel><item><link>/é</link></item></channel></rss>"
    assert entries(body.encode("latin-1")) == ["/é"]
    assert entries("<rss><channel><item><link>/16</link></item></channel></rss>".encode("utf-16")) == ["/16"]


BOMB = b'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><item><link>/&b;</link></item></channel></rss>'


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"plain words", b"<html><p>A page</p></html>", b"{", b"{}", b'{"items": 3}', b"[" * 100_000,
     b'{"items":' + b"[" * 100_000, BOMB, BOMB.decode().encode("utf-16"),
     b'<!DOCTYPE r SYSTEM "file:///etc/passwd" [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', b"\x00" * 1000],
)  # fmt: skip
def test_no_feeds_say_why(body: bytes) -> None:
    found = findings_of_feed(body, BASE)
    assert found.outlinks == ()
    assert found.problem


def test_deep_nesting_and_many_entries_end() -> None:
    deep = b"<rss><channel>" + b"<x>" * 100_000
    assert findings_of_feed(deep, BASE).outlinks == ()
    many = (
        b"<rss><channel>"
        + b"".join(b"<item><link>/%d</link></item>" % at for at in range(10_050))
        + b"</channel></rss>"
    )
    assert (len(findings_of_feed(many, BASE).outlinks), findings_of_feed(many, BASE).left_out) == (10_000, 50)
    all_of_them = findings_of_feed(many, BASE, 20_000)
    assert (len(all_of_them.outlinks), all_of_them.left_out) == (10_050, 0)


URLSET = b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc> https://quay.example/1 </loc></url></urlset>"


@pytest.mark.parametrize(
    "body", [URLSET, gzip.compress(URLSET, mtime=0), b"https://quay.example/1\nwords\n", b"\xef\xbb\xbf" + URLSET]
)
def test_sitemaps(body: bytes) -> None:
    found = findings_of_sitemap(body, "https://quay.example/sitemap.xml")
    assert [outlink.url for outlink in found.outlinks] == ["https://quay.example/1"]
    assert found.problem is None


def test_an_index_leads_to_sitemaps_and_not_to_pages() -> None:
    body = b"<sitemapindex><sitemap><loc>/a.xml</loc></sitemap><sitemap><loc>/b.xml.gz</loc></sitemap></sitemapindex>"
    found = findings_of_sitemap(body, "https://quay.example/sitemap.xml")
    assert found.sitemaps == ("https://quay.example/a.xml", "https://quay.example/b.xml.gz")
    assert found.outlinks == ()


def test_a_sitemap_that_breaks_off_gives_what_it_holds_and_says_so() -> None:
    body = gzip.compress(
        b"<urlset>" + b"".join(b"<url><loc>https://quay.example/%d</loc></url>" % at for at in range(5000))
    )
    found = findings_of_sitemap(body[: len(body) // 2], "https://quay.example/s.xml.gz")
    assert 100 < len(found.outlinks) < 5000
    assert found.problem is not None
    assert "cut off" in found.problem


def test_a_gzip_bomb_is_read_no_further_than_a_sitemap_may_be() -> None:
    bomb = gzip.compress(b"<urlset>" + b" " * (120 << 20))
    found = findings_of_sitemap(bomb, "https://quay.example/s.xml.gz")
    assert found.problem is not None


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"\x1f\x8bnothing", BOMB, b"words without an address"])
def test_no_sitemaps_say_why(body: bytes) -> None:
    found = findings_of_sitemap(body, "https://quay.example/sitemap.xml")
    assert not found.outlinks
    assert found.problem


def test_sitemaps_of_robots() -> None:
    url = "https://quay.example/robots.txt"
    named = findings_of_sitemap(b"User-agent: *\nSITEMAP : /s.xml # ours\nSitemap: https://quay.example/t.xml", url)
    assert named.sitemaps == ("https://quay.example/s.xml", "https://quay.example/t.xml")
    assert findings_of_sitemap(b"", url).sitemaps == ("https://quay.example/sitemap.xml",)


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("", "/x", True),
        ("User-agent: *\nDisallow: /x", "/x/y", False),
        ("User-agent: *\nDisallow: /x", "/y", True),
        ("User-agent: *\nDisallow:", "/x", True),
        ("User-agent: *\nDisallow: /\nAllow: /open", "/open/1", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", True),
        ("User-agent: other\nDisallow: /", "/x", True),
        ("User-agent: onrecord\nDisallow: /\n\nUser-agent: *\nAllow: /", "/x", False),
        ("User-agent: *\nDisallow: /a*b*c*d*e*f*g*h*i*j*k", "/abcdefghij", False),
        ("\x00\xff nonsense", "/x", True),
    ],
)
def test_robots(rules: str, path: str, allowed: bool) -> None:
    robots = Robots.read(rules.encode("latin-1"), "onrecord/0.2")
    assert (robots.refusal(f"https://quay.example{path}") is None) is allowed


def test_robots_from_strangers_end() -> None:
    rules = "User-agent: *\n" + "Disallow: /" + "*a" * 1000 + "\n" + "Disallow: /" + "*" * 100_000 + "b\n"
    robots = Robots.read(rules.encode(), "onrecord")
    assert robots.refusal("https://quay.example/" + "a" * 1500) is not None
    assert Robots.read(b"User-agent: *\nCrawl-delay: 99999", "onrecord").pause == 60.0
    assert Robots.read(b"User-agent: *\nCrawl-delay: -3", "onrecord").pause is None
    assert Robots.read(b"User-agent: *\nCrawl-delay: nan", "onrecord").pause in {None, 60.0}
