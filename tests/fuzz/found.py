"""What pages, feeds and sitemaps name, as harnesses: bytes in, and an exception only for a defect of the program."""

from __future__ import annotations

from pipeline.capture.http.urls import checked_url
from pipeline.discover.css import findings_of_css
from pipeline.discover.embeds import embeds_of_html
from pipeline.discover.feeds import findings_of_feed
from pipeline.discover.html import findings_of_html
from pipeline.discover.outlinks import Findings
from pipeline.discover.robots_txt import Robots
from pipeline.discover.sitemaps import findings_of_sitemap
from pipeline.discover.srcset import candidates
from pipeline.extract.html_tree import parsed
from pipeline.extract.shortcodes import expand

_URL = "https://a.example/b/c?d"


def references(data: bytes) -> None:
    """A page's references are addresses of the web, whatever they are written as."""
    page = data.decode("utf-8", "replace")
    tree = parsed(page)
    if tree is not None:
        findings = findings_of_html(tree, _URL)
        _check(findings)
        for embed in embeds_of_html(tree, _URL, findings):
            assert embed.url.lower().startswith(("http://", "https://")), embed


def sheets(data: bytes) -> None:
    """A style sheet's references are, too, and those of a set of images are parts of it."""
    text = data.decode("utf-8", "replace")
    _check(findings_of_css(text, _URL))
    for address in candidates(text):
        assert address in text


def feeds(data: bytes) -> None:
    """A feed gives addresses of the web, or says why not."""
    _check(findings_of_feed(data, _URL))


def sitemaps(data: bytes) -> None:
    """A sitemap does, and the sitemaps that a robots.txt names."""
    _check(findings_of_sitemap(data, _URL))
    _check(findings_of_sitemap(data, "https://a.example/robots.txt"))


def robots(data: bytes) -> None:
    """A robots.txt has rules, whatever stands in it."""
    rules = Robots.read(data, "onrecord")
    assert rules.refusal(_URL) in {None, "the site's robots.txt disallows it"}
    assert rules.pause is None or 0 < rules.pause <= 60


def shortcodes(data: bytes) -> None:
    """A page without its shortcodes is a page, and what they showed lies at an address that can be captured."""
    expansion = expand(data.decode("utf-8", "replace"))
    for embed in expansion.embeds:
        checked_url(embed.url)


def _check(findings: Findings) -> None:
    found = [outlink.url for outlink in findings.outlinks]
    found += [*findings.feeds, *findings.sitemaps, *([findings.canonical] if findings.canonical else [])]
    for url in found:
        assert url.lower().startswith(("http://", "https://")), url
        assert not set(url) & set("\t\r\n\0"), url
        url.encode()
