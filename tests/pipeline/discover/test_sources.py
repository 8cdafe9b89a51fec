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
        ('{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "https://news.example/14"}, {"id": "tag:x,2026:1"}, {"id": 15}, {"id": "/16"}, {"url": "", "id": "http://news.example/17"}]}', ["https://news.example/14", "http://news.example/17"]),
        ("<rss><channel><item><link>javascript:alert(1)</link></item><item><link>file:///etc/passwd</link></item></channel></rss>", []),
    ],
)  # fmt: skip
def test_feeds(feed: str, expected: list[str]) -> None:
    assert entries(feed) == expected


def test_feeds_in_other_encodings() -> None:
    body = "<?xml version='1.0' encoding='iso-8859-1'?><rss><channel><item><link>/é</link></item></channel></rss>"
    assert entries(body.encode("latin-1")) == ["/é"]
    assert entries("<rss><channel><item><link>/16</link></item></channel></rss>".encode("utf-16")) == ["/16"]


LAYERS = b"".join(b'<!ENTITY e%d "%b">' % (at, b"&e%d;" % (at - 1) * 10) for at in range(1, 8))
BOMB = b'<!DOCTYPE r [<!ENTITY e0 "x">' + LAYERS + b"]><rss><channel><item><link>/&e7;</link></item></channel></rss>"


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"plain words", b"<html><p>A page</p></html>", b"{", b"{}", b'{"items": 3}', b"[" * 100_000,
     b'{"items":' + b"[" * 100_000, BOMB, BOMB.decode().encode("utf-16"),
     b'<!DOCTYPE r [<!ENTITY x "&x;">]><rss>&x;</rss>', b'<!DOCTYPE r [<!ENTITY x "', b"\x00" * 1000,
     b'<!DOCTYPE r [<!ENTITY x "%b">]><rss>%b</rss>' % (b"x" * 4000, b"&x;" * 1000)],
)  # fmt: skip
def test_no_feeds_say_why(body: bytes) -> None:
    found = findings_of_feed(body, BASE)
    assert found.outlinks == ()
    assert found.problem


LINK = b"<rss><channel><item><title>One&nbsp;berth</title><link>%b</link></item></channel></rss>"


@pytest.mark.parametrize(
    ("prolog", "link", "expected"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY nbsp "&#160;">]>', b"/one", "/one"),
        (b'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY a "y"><!ENTITY b \'&a;-&a;\'>]>', b"/&b;", "/x-x"),
        (b'<!DOCTYPE r [<!-- it\'s > ]> --><!ENTITY a "<b>&amp;]>">]>', b"/?&a;", "/?<b>&]>"),
        (b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>', b"/two", "/two"),
        (b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>', b"/&x;y", "/&x;y"),
        (b"<!DOCTYPE r [<!ELEMENT r ANY>\n<!ATTLIST r x CDATA #IMPLIED>]>", b"/three", "/three"),
        (b"", b"/story.php?cat=4&id=17", "/story.php?cat=4&id=17"),
        (b"", b"/story.php?cat=4&amp;id=17&#38;x&#x26;y", "/story.php?cat=4&id=17&x&y"),
        (b"", b"/?a=1&lt=2&copy=3&amp=4&;&", "/?a=1&lt=2&copy=3&amp=4&;&"),
        (b"", b"/caf&eacute;?q=&unknown;", "/café?q=&unknown;"),
        (b"", b"<![CDATA[/?a=1&b;<!ENTITY]]>", "/?a=1&b;<!ENTITY"),
        (b"<!-- & -->", b"/four<!-- a&b -->", "/four"),
        (b"", b"/<![CDATA[never closed & so on", None),
    ],
)  # fmt: skip
def test_entities_and_ampersands(prolog: bytes, link: bytes, expected: str | None) -> None:
    found = findings_of_feed(prolog + LINK % link, BASE)
    if expected is not None:
        assert (found.problem, [each.url for each in found.outlinks]) == (None, [f"https://quay.example{expected}"])
        wide = findings_of_feed((prolog + LINK % link).decode().encode("utf-16"), BASE)
        assert wide == found


@pytest.mark.parametrize(
    "part",
    [b"&", b"<!--", b"<![CDATA[&", b"<?", b"&a;", b"<!ENTITY a '", b'<!DOCTYPE a [<!ENTITY "a', b"<?xml ", b"' \"", b"<!ENTITY a 'b'>"],
)  # fmt: skip
@pytest.mark.parametrize("prolog", [b"", b"<!DOCTYPE r [", b"<!DOCTYPE r [<!ENTITY a 'b'>]><rss>"])
def test_what_never_ends_is_read_once(part: bytes, prolog: bytes) -> None:
    body = prolog + part * 20_000  # a search from each of these to the end would take minutes
    assert findings_of_feed(body, BASE).outlinks == ()
    assert findings_of_feed(body.decode().encode("utf-16"), BASE).outlinks == ()


def test_an_ampersand_in_an_attribute() -> None:
    assert entries(f"<feed {ATOM}><entry><link href='/?a=1&b=2&c='/></entry></feed>") == ["/?a=1&b=2&c="]


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


RSS = b"<rss version='2.0'><channel><item><link>https://quay.example/1</link></item></channel></rss>"
FEED = f"<feed {ATOM}><entry><link href='https://quay.example/1'/></entry></feed>".encode()


@pytest.mark.parametrize(
    "body",
    [
        RSS,
        FEED,
        gzip.compress(RSS, mtime=0),
        URLSET.decode().encode("utf-16"),
        "<?xml version='1.0' encoding='utf-16'?>".encode("utf-16") + URLSET.decode().encode("utf-16-le"),
        "https://quay.example/1\n".encode("utf-16"),
        b"".join(gzip.compress(URLSET[at : at + 10], mtime=0) for at in range(0, len(URLSET), 10)),
        gzip.compress(URLSET, mtime=0) + gzip.compress(b"", mtime=0) + b"\x00" * 512,
    ],
)
def test_sitemaps_in_other_forms(body: bytes) -> None:
    found = findings_of_sitemap(body, "https://quay.example/sitemap.xml")
    assert [outlink.url for outlink in found.outlinks] == ["https://quay.example/1"]
    assert found.problem is None


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (gzip.compress(b"<url>", mtime=0)[:-9], "cut off"),
        (b"\x1f\x8bwords", "damaged"),
        (b"words", "5 bytes after its gzip were not read"),
        (gzip.compress(b"", mtime=0) * 10_001, "gzip members"),
    ],
)
def test_what_follows_a_gzip_member_and_cannot_be_read_is_named(rest: bytes, said: str) -> None:
    found = findings_of_sitemap(gzip.compress(URLSET) + rest, "https://quay.example/s.xml.gz")
    assert [outlink.url for outlink in found.outlinks] == ["https://quay.example/1"]
    assert said in (found.problem or "")


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
