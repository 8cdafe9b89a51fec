"""What pages and style sheets name, in every form that browsers read."""

from __future__ import annotations

import re

import pytest

from pipeline.discover.css import findings_of_css
from pipeline.discover.outlinks import MOST, Hop
from pipeline.discover.srcset import candidates
from pipeline.extract.article import read
from pipeline.extract.tasks import Page, Task
from pipeline.web.replay.css import rewrite_css
from pipeline.web.replay.replay_urls import Place
from tests.samples import sampled

BASE = "http://quay.example/a/page.html"
ROOT = "http://quay.example"


def named(html: str, hop: Hop = Hop.EMBED) -> list[str]:
    page = Page(BASE, f"<html><body><p>x</p>{html}</body></html>".encode(), "text/html; charset=utf-8", Task.FRAME)
    return [outlink.url.removeprefix(ROOT) for outlink in read(page).findings.of(hop)]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="i.png">', ["/a/i.png"]),
        ("<img src='/i.png?a=1&amp;b=2'>", ["/i.png?a=1&b=2"]),
        ("<img src=//cdn.example/i.png>", ["http://cdn.example/i.png"]),
        ('<img src="../i.png#part">', ["/i.png"]),
        ('<img src=" /i\n.png ">', ["/i.png"]),
        ('<img src="data:image/png;base64,AAAA">', []),
        ('<img src="javascript:alert(1)">', []),
        ('<img src="about:blank"><iframe src="about:srcdoc"></iframe>', []),
        ('<img srcset="/1.png, /2.png 2x, /3,4.png 300w">', ["/1.png", "/2.png", "/3,4.png"]),
        ('<img data-src="/l.png" data-srcset="/m.png 2x">', ["/l.png", "/m.png"]),
        ('<picture><source srcset="/w.webp"><img src="/f.png"></picture>', ["/w.webp", "/f.png"]),
        ('<video src="/v.mp4" poster="/p.png"><track src="/t.vtt"></video>', ["/v.mp4", "/p.png", "/t.vtt"]),
        ('<audio><source src="/s.ogg"></audio>', ["/s.ogg"]),
        ('<iframe src="/f.html"></iframe><embed src="/e.swf"><object data="/o.pdf"></object>', ["/f.html", "/e.swf", "/o.pdf"]),
        ('<link rel="STYLESHEET alternate" href="/s.css">', ["/s.css"]),
        ('<link rel="shortcut icon" href="/i.ico"><link rel=apple-touch-icon href=/t.png>', ["/i.ico", "/t.png"]),
        ('<link rel=preload as=image href=/p.png imagesrcset="/q.png 2x">', ["/p.png", "/q.png"]),
        ("<link rel=stylesheet href=/s.css media=print onload=\"this.media='all'\">", ["/s.css"]),
        ("<link rel=preload as=style href=/s.css onload=\"this.rel='stylesheet'\">", ["/s.css"]),
        ('<img src="/i;"><img src="i;?q"><img src="/a;/b;v=1;?"><img src="../..;/x;#f">', ["/i;", "/a/i;?q", "/a;/b;v=1;?", "/..;/x;"]),
        ('<link rel="canonical" href="/c">', []),
        ('<script src="/s.js"></script>', ["/s.js"]),
        ('<input type=image src="/b.png"><table background="/t.png"><td background="/d.png">', ["/b.png", "/t.png", "/d.png"]),
        ('<p style="background: url(&quot;/q.png&quot;), url(/r.png)">', ["/q.png", "/r.png"]),
        ('<p style="background: image-set(&quot;/s.png&quot; 1x)"><p style="background: URL(/u.png)">', ["/s.png", "/u.png"]),
        ('<svg><rect fill="url(/paint.svg#p)" mask="url(#here)"/><feImage href="/fe.png"/></svg>', ["/paint.svg", "/fe.png"]),
        ('<iframe srcdoc="<img src=/i.png><style>p { mask: url(/m.svg) }</style><iframe srcdoc=&quot;<img src=/n.png>&quot;></iframe>"></iframe>', ["/i.png", "/m.svg", "/n.png"]),
        ('<iframe srcdoc="no element"></iframe><iframe srcdoc=\'<?xml version="1.0" encoding="utf-8"?><p>x\'></iframe>', []),
        ("<style>@import '/i.css'; p { background: url(/b.png) }</style>", ["/i.css", "/b.png"]),
        ('<svg><image href="/v.png"/><use xlink:href="/u.svg#x"/></svg>', ["/v.png", "/u.svg"]),
        ('<noscript><img src="/n.png"></noscript>', ["/n.png"]),
        ('<base href="http://other.example/b/"><img src="i.png">', ["http://other.example/b/i.png"]),
        ('<img src="/i.png"><img src="/i.png">', ["/i.png"]),
        (f'<img src="/{"x" * 3000}">', []),
        ('<img src="http://[broken">', []),
        ('<img src="http://">', []),
    ],
)  # fmt: skip
def test_requisites(html: str, expected: list[str]) -> None:
    assert named(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="/x#y">x</a> <a href="#z">z</a> <a href="mailto:a@b">m</a> <a href="tel:1">t</a>', ["/x"]),
        ('<map><area href="/area"></map>', ["/area"]),
        ('<link rel=next href="/2">', ["/2"]),
        ('<link rel=alternate hreflang=nl href="/nl">', ["/nl"]),
        ('<meta http-equiv="Refresh" content="5; URL=/new">', ["/new"]),
        ('<meta http-equiv=refresh content="5">', []),
    ],
)
def test_links(html: str, expected: list[str]) -> None:
    assert named(html, Hop.LINK) == expected


def test_feeds_and_the_canonical_address() -> None:
    html = (
        '<html><head><link rel="alternate" type="application/rss+xml" href="/posts"><link rel=alternate '
        'type="application/feed+json" href="/posts.json"><link rel=canonical href="/own"></head><body><p>x</p></body></html>'
    )
    findings = read(Page(BASE, html.encode(), "text/html", Task.FRAME)).findings
    assert findings.feeds == (f"{ROOT}/posts", f"{ROOT}/posts.json")
    assert findings.canonical == f"{ROOT}/own"
    assert findings.outlinks == ()


def test_as_many_links_as_are_taken() -> None:
    html = "<html><body>" + "".join(f"<a href='/{number}'>x</a>" for number in range(MOST + 7)) + "<p>x</p>"
    findings = read(Page(BASE, html.encode(), "text/html", Task.FRAME)).findings
    assert (len(findings.outlinks), findings.left_out) == (MOST, 7)


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("a { background: url(x.png) }", ["/a/x.png"]),
        ("a { background: URL( 'x y.png' ) }", ["/a/x y.png"]),
        (r"a { background: url(x\29.png) }", ["/a/x).png"]),
        ("@import 'a.css'; @import url(b.css) screen; @IMPORT \"c.css\" layer(x);", ["/a/a.css", "/a/b.css", "/a/c.css"]),
        ("@media print { @supports (display: grid) { a { mask: url(deep.svg#m) } } }", ["/a/deep.svg"]),
        ("@font-face { src: local('Quay'), url(f.woff2) format('woff2') }", ["/a/f.woff2"]),
        ("a { background: image-set('1.png' 1x, url(2.png) 2x, \"3.avif\" type('image/avif')) }", ["/a/1.png", "/a/2.png", "/a/3.avif"]),
        ("a { background: image('1.png'), image(ltr 'ltr.png', red), image(url(2.png)) }", ["/a/1.png", "/a/ltr.png", "/a/2.png"]),
        ("a { background: -webkit-image-set('1.png' 1x); mask: src('m.svg') }", ["/a/1.png", "/a/m.svg"]),
        ("a { background: cross-fade(url(1.png), image('2.png'), 50%) }", ["/a/1.png", "/a/2.png"]),
        ("/* url(no.png) */ a { content: 'url(no.png)' }", []),
        ("@namespace svg url(http://www.w3.org/2000/svg);", []),
        ("a { background: url(data:image/png;base64,AA==) }", []),
        ("a { --x: url(var.png) }", ["/a/var.png"]),
        ("a { background: url(unclosed.png", ["/a/unclosed.png"]),
    ],
)  # fmt: skip
def test_style_sheets(css: str, expected: list[str]) -> None:
    found = [outlink.url.removeprefix(ROOT) for outlink in findings_of_css(css, "http://quay.example/a/s.css").outlinks]
    assert found == expected


PIECES = (
    "url(1.png)", "URL( '2.png' )", "image('3.png')", "image(rtl '4.png', blue)", "image-set('5.png' 1x, url(6.png) 2x)",
    "-webkit-image-set(url(7.png) 1x)", "src('8.png')", "cross-fade(url(9.png), image('10.png'))", "var(--x, url(11.png))",
)  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_what_is_written_anew_for_replay_was_found_for_capture(piece: str) -> None:
    css = f"@import 'i.css'; @media x {{ a {{ b: {piece} }} }}"
    found = [outlink.url for outlink in findings_of_css(css, BASE).outlinks]
    written = rewrite_css(css, Place("20261124000004", BASE))
    assert found == [url.rstrip('"') for url in re.findall(r'/20261124000004(?:cs_)?/(http[^"]+)', written)]
    assert len(found) > 1


@pytest.mark.parametrize(
    "css", sampled(["{" * 200_000, "url(" * 100_000, "@import " * 100_000, "\\" * 200_000, "a(" * 100_000], 5)
)
def test_style_sheets_from_strangers_end(css: str) -> None:
    assert len(findings_of_css(css, BASE).outlinks) <= 1


@pytest.mark.parametrize(
    ("srcset", "expected"),
    [
        ("a.png", ["a.png"]),
        ("a.png 1x,b.png 2x", ["a.png", "b.png"]),
        ("a.png, b.png", ["a.png", "b.png"]),
        ("a,b.png 1x , c.png", ["a,b.png", "c.png"]),
        ("data:image/png;base64,AA== 1x, b.png 2x", ["data:image/png;base64,AA==", "b.png"]),
        ("a.png (x, y) 2x, b.png", ["a.png", "b.png"]),
        (" , ,a.png,,", ["a.png"]),
        ("", []),
        (",,,", []),
    ],
)
def test_srcset(srcset: str, expected: list[str]) -> None:
    assert list(candidates(srcset)) == expected
