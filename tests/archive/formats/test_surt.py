"""Sort keys by the published rules, and the ranges that a question asks for."""

from __future__ import annotations

import pytest

from archive.formats.surt import key_range, urlkey

KEYS = {
    "http://archive.org/": "org,archive)/",
    "http://www.archive.org:80/": "org,archive)/",
    "https://www.archive.org:443/": "org,archive)/",
    "https://www.archive.org:80/": "org,archive:80)/",
    "http://archive.org/goo/": "org,archive)/goo",
    "http://archive.org/goo/?": "org,archive)/goo",
    "http://archive.org/goo/?b&a": "org,archive)/goo?a&b",
    "http://archive.org/goo/?a=2&b&a=1": "org,archive)/goo?a=1&a=2&b",
    "http://www34.archive.org/index.html?b=a&b=b&a=b": "org,archive)/index.html?a=b&b=a&b=b",
    "http://www2foo.com/": "com,www2foo)/",
    "http://www2.www2foo.com/": "com,www2foo)/",
    "http://archive.org/index.php?PHPSESSID=0123456789abcdefghijklemopqrstuv&action=profile;u=4221": (
        "org,archive)/index.php?action=profile;u=4221"
    ),
    "http://x.com/a?jsessionid=0123456789abcdefghijklemopqrstuv&x=y": "com,x)/a?x=y",
    "http://x.com/a?CFID=1169580&CFTOKEN=48630702&d=1": "com,x)/a?d=1",
    "http://x.com/(S(4hqa0555fwsecu455xqckv45))/mileg.aspx": "com,x)/mileg.aspx",
    "http://x.com/photos/36050182@N05/": "com,x)/photos/36050182@n05",
    "whois://whois.isoc.org.il/shaveh.co.il": "il,org,isoc,whois)/shaveh.co.il",
    "dns:archive.org": "dns:archive.org",
    "warcinfo:foo.warc.gz": "warcinfo:foo.warc.gz",
    "http://3279880203/blah": "11,0,127,195)/blah",
    "http://123.45.167.89/": "89,167,45,123)/",
    "http://host/%25%32%35": "host)/%25",
    "http://host/%2525252525252525": "host)/%25",
    "http://www.google.com/blah/..": "com,google)/",
    "http://www.google.com.../": "com,google)/",
    "http://www.google.com/foo\tbar\rbaz\n2": "com,google)/foobarbaz2",
    "http://host.com//twoslashes?more//slashes": "com,host)/twoslashes?more//slashes",
    "http://evil.com/foo#bar#baz": "com,evil)/foo",
    "http://evil.com/foo?bar;": "com,evil)/foo?bar;",
    "http://user:pass@example.org/": "org,example)/",
    "Bücher.ch:8080": "ch,xn--bcher-kva:8080)/",
    "☃.com": "com,xn--n3h)/",
    "http://example.org/A%20b": "org,example)/a%20b",
    "http://[2001:db8::1]:80/x": "[2001:db8::1])/x",
}


@pytest.mark.parametrize("url", KEYS)
def test_keys(url: str) -> None:
    assert urlkey(url) == KEYS[url]


def test_no_url_breaks_an_index_line() -> None:
    for url in (
        "http://x.org/a b",
        "http://x.org/a\nb c",
        "http://x.org/\u2028",
        "http:// x/",
        "not a url at all",
        "",
        "a\x00b",
    ):
        assert not set(urlkey(url)) & set(" \n\r\t")


@pytest.mark.parametrize(
    ("match", "inside", "outside"),
    [
        (
            "exact",
            ["http://example.org/a", "https://www.example.org/a/"],
            ["http://example.org/ab", "http://example.org/a/b"],
        ),
        (
            "prefix",
            ["http://example.org/a", "http://example.org/ab/c"],
            ["http://example.org/", "http://example.org/b"],
        ),
        ("host", ["http://example.org/", "http://example.org/z?q"], ["http://sub.example.org/", "http://example.com/"]),
        ("domain", ["http://example.org/", "http://a.b.example.org/"], ["http://example.com/", "http://xexample.org/"]),
    ],
)
def test_ranges(match: str, inside: list[str], outside: list[str]) -> None:
    start, end = key_range("http://example.org/a", match)
    for url in inside:
        assert start <= f"{urlkey(url)} 2026" < end, url
    for url in outside:
        assert not start <= f"{urlkey(url)} 2026" < end, url


def test_a_prefix_that_ends_in_a_slash_is_a_folder() -> None:
    start, end = key_range("http://example.org/a/", "prefix")
    assert start <= urlkey("http://example.org/a/b") < end
    assert not start <= urlkey("http://example.org/ab") < end
    with pytest.raises(ValueError, match="no such match type"):
        key_range("http://example.org/", "everything")
