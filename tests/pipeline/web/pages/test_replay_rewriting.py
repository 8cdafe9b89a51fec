"""Pages and style sheets written again for replay: what browsers fetch leads to the archive, what runs is gone."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
import tinycss2
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.web.replay.css import rewrite_css
from pipeline.web.replay.html import rewrite_html
from pipeline.web.replay.html_tokens import Tag, tokens, unescaped
from pipeline.web.replay.replay_urls import Place, asked_of, replay_path
from pipeline.web.replay.srcset import rewrite_srcset
from tests.torture.scale import examples

PLACE = Place("20261124000004", "https://a.example/b/c.html?d=1")
T, S, F = "/20261124000004/", "/20261124000004cs_/", "/20261124000004if_/"
A = "https://a.example"

HTML_CASES = {
    "relative": ("<img src=x.png>", f'<img src="{T}{A}/b/x.png">'),
    "rooted": ("<img src='/x.png'>", f'<img src="{T}{A}/x.png">'),
    "absolute": ('<img src="http://c.example/x">', f'<img src="{T}http://c.example/x">'),
    "no scheme": ('<img src="//c.example/x">', f'<img src="{T}https://c.example/x">'),
    "upper case": ('<IMG SRC="HTTP://C.example/x">', f'<img src="{T}HTTP://C.example/x">'),
    "dots": ('<img src="../../x">', f'<img src="{T}{A}/x">'),
    "query alone": ('<a href="?q=1">n</a>', f'<a href="{T}{A}/b/c.html?q=1">n</a>'),
    "space around": ('<img src=" x.png\n">', f'<img src="{T}{A}/b/x.png">'),
    "breaks within": ('<img src="ht\ntp://c.ex\tample/x">', f'<img src="{T}http://c.example/x">'),
    "backslashes": ('<img src="\\\\c.example\\x?a\\b">', f'<img src="{T}https://c.example/x?a%5Cb">'),
    "quotes": ("<img src='x\"y'>", f'<img src="{T}{A}/b/x%22y">'),
    "not ASCII": ('<img src="é.png">', f'<img src="{T}{A}/b/%C3%A9.png">'),
    "entities": ('<img src="x?a=1&amp;b=2&copy=3&copy;">', f'<img src="{T}{A}/b/x?a=1&amp;b=2&amp;copy=3%C2%A9">'),
    "first wins": ("<img src=a src=http://c.example/>", f'<img src="{T}{A}/b/a">'),
    "data image": ('<img src="data:image/gif;base64,R0">', '<img src="data:image/gif;base64,R0">'),
    "data frame": ('<iframe src="data:text/html,x"></iframe>', '<iframe sandbox=""></iframe>'),
    "script URL": ('<a href=" java\nscript:alert(1)">x</a>', '<a href="#">x</a>'),
    "script URL in an image": ('<img src="javascript:alert(1)">', "<img>"),
    "vbscript": ('<a href="vbscript:x">x</a>', '<a href="#">x</a>'),
    "blob": ('<img src="blob:https://a.example/1">', "<img>"),
    "file": ('<img src="file:///etc/passwd">', "<img>"),
    "mail": ('<a href="mailto:x@y">x</a>', '<a href="#">x</a>'),
    "fragment": ('<a href="#top">x</a>', '<a href="#top">x</a>'),
    "with fragment": ('<a href="x#top">x</a>', f'<a href="{T}{A}/b/x#top">x</a>'),
    "target": ('<a href=x target=_top ping=//c.example>x</a>', f'<a href="{T}{A}/b/x">x</a>'),
    "handler": ("<p onclick=alert(1) ONLOAD='x'>x</p>", "<p>x</p>"),
    "script": ("a<script>b<!--<script></script>c", "ac"),
    "script source": ('<script src="http://c.example/x.js"></script>', ""),
    "script unclosed": ("a<script>b", "a"),
    "form": ('<form action="http://c.example/"><button formaction=x>y</button></form>', "<form><button>y</button></form>"),
    "base": ('<img src=x><base href="//c.example/d/"><img src=y>', f'<img src="{T}https://c.example/d/x"><img src="{T}https://c.example/d/y">'),
    "bad base": ('<base href="javascript:x"><img src=y>', f'<img src="{T}{A}/b/y">'),
    "srcset": ('<img srcset="a.png 1x,b.png 2x, //c.example/d,e 640w">', f'<img srcset="{T}{A}/b/a.png 1x, {T}{A}/b/b.png 2x, {T}https://c.example/d,e 640w">'),
    "style attribute": ("<p style=\"background:url('http://c.example/x')\">", f'<p style="background:url(&quot;{T}http://c.example/x&quot;)">'),
    "style element": ("<style>@import 'x.css';b{c:url(y)}</style>", f'<style>@import "{S}{A}/b/x.css";b{{c:url("{T}{A}/b/y")}}</style>'),
    "sheet": ("<link rel='alternate StyleSheet' href=x media=print integrity=y>", f'<link rel="alternate stylesheet" href="{S}{A}/b/x" media="print">'),
    "sheet that is applied once it is loaded": ("<link rel=stylesheet href=x media=print onload=\"this.onload=null;this.media='all'\">", f'<link rel="stylesheet" href="{S}{A}/b/x" media="all">'),
    "preloaded sheet": ("<link rel=preload as=style href=x onload=\"this.onload=null;this.rel='stylesheet'\"><link rel=preload as=font href=y>", f'<link rel="stylesheet" href="{S}{A}/b/x">'),
    "icon": ("<link rel='shortcut icon' href=x>", f'<link rel="icon" href="{T}{A}/b/x">'),
    "preconnect": ("<link rel=preconnect href=//c.example><link rel=prefetch href=x><link rel=manifest href=x>", ""),
    "refresh": ('<meta http-equiv=Refresh content="3; URL=\'http://c.example/x\'">', f'<meta http-equiv="refresh" content="3; url={T}http://c.example/x">'),
    "refresh to a script": ('<meta http-equiv=refresh content="0;url=javascript:x">', ""),
    "policies": ("<meta http-equiv=Content-Security-Policy content=x><meta name=referrer content=unsafe-url>", ""),
    "encoding": ("<meta charset=koi8-r><meta http-equiv=content-type content='text/html; charset=x'>", ""),
    "metadata": ('<meta name="author" content="Ida">', '<meta name="author" content="Ida">'),
    "frame": ("<iframe src=x sandbox='allow-scripts allow-same-origin'>y</iframe>", f'<iframe src="{F}{A}/b/x" sandbox=""></iframe>'),
    "srcdoc": ('<iframe srcdoc="&lt;img src=x&gt;&lt;script&gt;y&lt;/script&gt;">', f'<iframe srcdoc="&lt;img src=&quot;{T}{A}/b/x&quot;&gt;" sandbox="">'),
    "object": ("<object data=x codebase=//c.example><embed src=y></object>", f'<object data="{F}{A}/b/x"><embed src="{F}{A}/b/y"></object>'),
    "svg": ("<svg><image xlink:href=x /><use href='#a'/></svg>", f'<svg><image xlink:href="{T}{A}/b/x"/><use href="#a"/></svg>'),
    "svg style": ("<svg><style>a{b:url(&quot;http://c.example/x&quot;)}</style></svg>", f"<svg><style>a{{b:url(&quot;{T}http://c.example/x&quot;)}}</style></svg>"),
    "svg paint": ('<rect fill="url(http://c.example/#p)"/>', f'<rect fill="url(&quot;{T}http://c.example/#p&quot;)">'),
    "animated address": ('<set attributeName="xlink:href" to="http://c.example/"/><b>x</b>', "<b>x</b>"),
    "animated paint": ('<animate attributeName=fill values="url(http://c.example/#p);red"/>', f'<animate attributename="fill" values="url(&quot;{T}http://c.example/#p&quot;);red">'),
    "base in XML": ('<svg xml:base="http://c.example/"></svg>', "<svg></svg>"),
    "lazy": ('<img data-src=x.png src="data:image/gif;base64,R0">', f'<img data-src="x.png" src="{T}{A}/b/x.png">'),
    "noscript": ("<noscript><img src=x></noscript>", f'<img src="{T}{A}/b/x">'),
    "comment": ("a<!-- <img src=http://c.example/> -->b<!-->c<!--->d", "abcd"),
    "comment unclosed": ("a<!-- <img src=x>", "a"),
    "what looks like a comment": ("a<?php x ?>b</ >c<![CDATA[d]]>e", "abce"),
    "text area": ("<textarea><img src=http://c.example/></textarea>", "<textarea>&lt;img src=http://c.example/></textarea>"),
    "title": ("<title>a</b><img src=x></title>", "<title>a&lt;/b>&lt;img src=x></title>"),
    "xmp": ("<xmp><img src=x>&amp;</xmp>", "<pre>&lt;img src=x&gt;&amp;amp;</pre>"),
    "less than": ("1 < 2 <3", "1 &lt; 2 &lt;3"),
    "broken off": ("a<img src=x", "a"),
    "doctype": ("<!DOCTYPE html><p>x", "<!DOCTYPE html><p>x"),
    "video": ("<video poster=p autoplay><source src=s><track src=t></video>", f'<video poster="{T}{A}/b/p"><source src="{T}{A}/b/s"><track src="{T}{A}/b/t"></video>'),
    "background": ("<body background=x><td BACKGROUND=y>", f'<body background="{T}{A}/b/x"><td background="{T}{A}/b/y">'),
    "odd names": ("<img a'b=1 \"c=2 d<e=3 f=4>", '<img f="4">'),
}  # fmt: skip

CSS_CASES = {
    "bare": ("a{b:url(x.png)}", f'a{{b:url("{T}{A}/b/x.png")}}'),
    "quoted": ("a{b:url( 'x y.png' )}", f'a{{b:url( "{T}{A}/b/x%20y.png" )}}'),
    "escaped": ("a{b:u\\72l(http://c.example/)}", f'a{{b:url("{T}http://c.example/")}}'),
    "import": ("@import\n'x.css' screen;", f'@import\n"{S}{A}/b/x.css" screen;'),
    "import as url": ("@IMPORT url(//c.example/x);", f'@IMPORT url("{S}https://c.example/x");'),
    "namespace": ("@namespace 'http://www.w3.org/1999/xhtml';", "@namespace 'http://www.w3.org/1999/xhtml';"),
    "image-set": ("a{b:image-set('x' 1x, url(y) 2x)}", f'a{{b:image-set("{T}{A}/b/x" 1x, url("{T}{A}/b/y") 2x)}}'),
    "content": ("a{content:'http://c.example/'}", "a{content:'http://c.example/'}"),
    "data": ("a{b:url(data:image/gif;base64,R0==)}", 'a{b:url("data:image/gif;base64,R0==")}'),
    "data page": ("a{b:url('data:text/html,x')}", 'a{b:url("data:,")}'),
    "fragment": ("a{b:url(#c)}", 'a{b:url("#c")}'),
    "script": ("a{b:url(javascript:x)}", 'a{b:url("data:,")}'),
    "font": ("@font-face{src:url(f.woff2) format('woff2')}", f"@font-face{{src:url(\"{T}{A}/b/f.woff2\") format('woff2')}}"),
    "media": ("@media (width<600px){a{b:url(x)}}", f'@media (width<600px){{a{{b:url("{T}{A}/b/x")}}}}'),
    "end of an element": ("a{content:'</style><img src=x>'}", "a{content:'\\3c /style>\\3c img src=x>'}"),
}  # fmt: skip


@pytest.mark.parametrize("name", HTML_CASES)
def test_pages(name: str) -> None:
    page, expected = HTML_CASES[name]
    found = rewrite_html(page, PLACE)
    assert [*tokens(found)] == [*tokens(expected)], found


@pytest.mark.parametrize("name", CSS_CASES)
def test_style_sheets(name: str) -> None:
    sheet, expected = CSS_CASES[name]
    written = rewrite_css(sheet, PLACE)
    assert re.sub(r"/\*\*/", "", written).replace("'", '"') == expected.replace("'", '"')


def test_what_is_written_is_written_the_same_again() -> None:
    place = Place("20261124000004", "http://replay.invalid/")
    for page, _ in HTML_CASES.values():
        once = rewrite_html(page, PLACE)
        shape = [token.name if isinstance(token, Tag) else token for token in tokens(once)]
        again = [token.name if isinstance(token, Tag) else token for token in tokens(rewrite_html(once, place))]
        assert again == shape


@pytest.mark.full
def test_long_and_deep_pages_take_no_long_time() -> None:
    assert rewrite_html("<" * 300_000, PLACE).count("&lt;") == 300_000
    assert rewrite_html("<!--" * 100_000, PLACE) == ""
    assert rewrite_html("<a " + "b=c " * 100_000 + ">", PLACE) == '<a b="c">'
    assert rewrite_html("<textarea>" * 50_000, PLACE).startswith("<textarea>")
    assert rewrite_html("<div>" * 50_000, PLACE).count("<div>") == 50_000
    assert rewrite_css("a{b:(" * 5_000, PLACE) == ""
    assert rewrite_srcset("(" * 100_000 + ",", PLACE) == ""
    assert len(rewrite_srcset("a 1x," * 20_000, PLACE).split(", ")) == 20_000


def test_srcdoc_within_srcdoc_ends() -> None:
    page = "<img src=http://c.example/>"
    for _ in range(8):
        page = f'<iframe srcdoc="{page.replace("&", "&amp;").replace(chr(34), "&quot;")}"></iframe>'
    assert "c.example" not in rewrite_html(page, PLACE)


def test_references_in_attributes_as_browsers_read_them() -> None:
    assert unescaped("a&amp;b&ampc&amp=d&lt&notit;&#65&#x42;&") == "a&b&ampc&amp=d<&notit;AB&"


def test_paths_and_requests_are_each_other_reversed() -> None:
    for url in (
        "https://a.example/b?c=d&e=%20",
        "http://a.example/?u=http://b.example/",
        "urn:fullPageFinal:http://a.example/",
    ):
        path, _, query = replay_path(url, "20261124000004").partition("?")
        assert asked_of(path, query) == ("20261124000004", "", url)
    assert asked_of("/2026/https:/a.example/b", "") == ("2026", "", "https://a.example/b")
    assert asked_of("/20261124000004cs_/a.example", "") == ("20261124000004", "cs_", "http://a.example")
    for path in ("/", "/x", "/123/http://a.example/", "/20261124000004", "/20261124000004/"):
        assert asked_of(path, "") is None


# Whatever a page holds, another parser finds no address in it that would leave the archive.

_FETCHING = {"src", "srcset", "imagesrcset", "poster", "background", "data", "href", "xlink:href"}
_FETCHING |= {"action", "formaction", "ping", "manifest", "codebase", "lowsrc", "dynsrc", "style", "fill", "srcdoc"}
_LOOSE = re.compile(r"(?i)(?:\A|[\s,\"'(])\s*(?:https?:|//|javascript:|file:|ftp:)")
# An attribute that holds one address: only its beginning says where it leads (WHATWG URL §4.4).
_LEAVES = re.compile(r"(?i)(?:https?:|[/\\]{2}|javascript:|file:|ftp:)")
_IGNORED = re.compile(r"\A[\x00-\x20]+|[\t\n\r]")


class _Addresses(HTMLParser):
    """Every attribute that fetches, and what style elements hold, as Python's own parser finds them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.tags: set[str] = set()
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [(tag, name, value or "") for name, value in attrs if name in _FETCHING or name.startswith("on")]
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found.append(("style", "text", data))

    def handle_endtag(self, tag: str) -> None:
        self._style = False


def _assert_sealed(page: str, depth: int = 0) -> None:
    parser = _Addresses()
    parser.feed(page)
    parser.close()
    assert not parser.tags & {"script", "base", "applet"}
    for tag, name, value in parser.found:
        assert not name.startswith("on"), (tag, name)
        if name == "srcdoc":
            _assert_sealed(value, depth + 1)
        elif name in {"style", "fill", "text"}:
            _assert_sealed_css(value)
        elif name in {"srcset", "imagesrcset", "ping"}:
            assert not _LOOSE.search(value), (tag, name, value)
        else:
            assert not _LEAVES.match(_IGNORED.sub("", value)), (tag, name, value)


def _assert_sealed_css(text: str) -> None:
    stack = [*tinycss2.parse_component_value_list(text)]
    while stack:
        node = stack.pop()
        stack += getattr(node, "arguments", None) or getattr(node, "content", None) or []
        if node.type == "url":
            assert not _LOOSE.match(node.value), text
        if node.type == "function" and node.lower_name == "url":
            assert not any(part.type == "string" and _LOOSE.match(part.value) for part in node.arguments), text


_PIECES = st.sampled_from(
    [
        *("<img src=", "<a href=", "<link rel=stylesheet href=", "<iframe srcdoc=", "<video poster=", "<style>", "</style>"),
        *("<svg>", "</svg>", "<title>", "</title>", "<textarea>", "</textarea>", "<noscript>", "</noscript>", "<script>"),
        *("</script>", "<!--", "-->", "<![CDATA[", "]]>", "<base href=", "<p style=", "<meta http-equiv=refresh content="),
        *("http://c.example/x", "//c.example/y", "url(", ")", "@import ", "'", '"', "`", ">", "/>", " ", "\n", "&quot;", "&#34;"),
        *("&#x68;ttp://c.example/", "h\tttp://c.example", "\\", "\x00", "=", "<", "/", "javascript:x", "srcset=", "onload=x", "é"),
        *("<xmp>", "</xmp>", "<plaintext>", "<math>", "<object data=", "<body background=", "0;url=", "u\\72l(", "image-set(", "{", "}", ";"),
    ]
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(_PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_no_page_leaves_the_archive(page: str) -> None:
    written = rewrite_html(page, PLACE)
    _assert_sealed(written)


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(_PIECES | st.text(max_size=6), max_size=20).map("".join))
def test_no_style_sheet_or_set_leaves_the_archive(text: str) -> None:
    _assert_sealed_css(rewrite_css(text, PLACE))
    for candidate in rewrite_srcset(text, PLACE).split(", "):
        assert not candidate or candidate.startswith(("/2026", "data:")), candidate
