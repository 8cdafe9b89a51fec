"""What a page leads to and what it needs to be shown (WHATWG HTML: every attribute that holds an address)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.discover.css import STYLED, add_css
from pipeline.discover.outlinks import MOST, Collector, Findings, Hop
from pipeline.discover.resolve_url import web_url
from pipeline.discover.srcset import candidates

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_EMBEDS = {
    "img": ("src",),
    "source": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "iframe": ("src",),
    "frame": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "script": ("src",),
    "input": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "feimage": ("href", "xlink:href"),
    "body": ("background",),
    "table": ("background",),
    "tr": ("background",),
    "td": ("background",),
    "th": ("background",),
}
# Where pages keep an image's or a frame's address until a script puts it into src.
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-lazyload", "data-litespeed-src")
_LAZY_SETS = ("data-srcset", "data-lazy-srcset")
_LAZY_TAGS = {"img", "source", "iframe", "video"}
_LOADED = {
    "stylesheet", "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon", "preload", "modulepreload",
    "manifest",
}  # fmt: skip
_LINKED = {"next", "prev", "amphtml", "shortlink", "alternate"}
_FEED = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml)\Z", re.IGNORECASE)
_DEEPEST = 3  # pages within srcdoc attributes within one another: as many as replay shows
_REFRESH = re.compile(r"""\s*[\d.]*\s*[;,]\s*(?:url\s*=\s*)?["']?([^"'>\s]+)""", re.IGNORECASE)


def findings_of_html(tree: HtmlElement, url: str, most: int = MOST) -> Findings:
    """Return everything that a parsed page names, in page order, pages within `srcdoc` attributes included.

    Up to `most` links and as many things that the page shows.
    """
    collector = Collector(_base(tree, url), most)
    feeds: dict[str, None] = {}
    canonical = _walk(tree, collector, feeds)
    return Findings(collector.outlinks, canonical, tuple(feeds), left_out=collector.left_out)


def _walk(tree: HtmlElement, collector: Collector, feeds: dict[str, None], depth: int = 0) -> str | None:
    """Add what a tree names; returns where it says that the page's own address is."""
    canonical = None
    for element in tree.iter("*"):  # no comments and the like
        tag = element.tag
        names = element.keys()
        if not names and tag != "style":  # most elements of a page
            continue
        canonical = _named(element, tag, collector, feeds) or canonical
        if not STYLED.isdisjoint(names):
            for name in names:
                if name in STYLED:
                    add_css(collector, element.get(name) or "", f"{tag}/@{name}")
        if tag == "iframe" and depth < _DEEPEST and (inner := _page_within(element)) is not None:
            _walk(inner, collector, {}, depth + 1)
    return canonical


def _named(element: HtmlElement, tag: str, collector: Collector, feeds: dict[str, None]) -> str | None:
    """Add what one element names; returns where it says that the page's own address is."""
    if tag in {"a", "area"}:
        collector.add(element.get("href") or "", Hop.LINK, f"{tag}/@href")
    elif tag == "link":
        return _link(element, collector, feeds)
    elif tag == "meta":
        _meta(element, collector)
    elif tag == "style":
        add_css(collector, element.text or "", "style")
    elif tag in _EMBEDS:
        _embed(element, tag, collector)
    return None


def _page_within(frame: HtmlElement) -> HtmlElement | None:
    """Return the page that a frame holds in its `srcdoc`; its addresses are relative to the page around it."""
    text = frame.get("srcdoc") or ""
    if "<" not in text:
        return None
    from lxml import etree
    from lxml.html import document_fromstring

    try:
        return document_fromstring(text)
    except (etree.LxmlError, ValueError):  # nothing in it is an element, or it names an encoding of its own
        return None


def _base(tree: HtmlElement, url: str) -> str:
    for href in tree.xpath(".//base[@href][1]/@href"):
        return web_url(url, str(href)) or url
    return url


def _embed(element: HtmlElement, tag: str, collector: Collector) -> None:
    for name in _EMBEDS[tag]:
        if value := element.get(name):
            collector.add(value, Hop.EMBED, f"{tag}/@{name}")
    if tag not in _LAZY_TAGS:
        return
    for name in _LAZY:
        if value := element.get(name):
            collector.add(value, Hop.EMBED, f"{tag}/@{name}")
    for name in ("srcset", *_LAZY_SETS):
        for address in candidates(element.get(name) or ""):
            collector.add(address, Hop.EMBED, f"{tag}/@{name}")


def _link(element: HtmlElement, collector: Collector, feeds: dict[str, None]) -> str | None:
    """Take a <link>; returns where it says that the page's own address is."""
    href = element.get("href") or ""
    relations = set((element.get("rel") or "").lower().split())
    if "alternate" in relations and _FEED.match((element.get("type") or "").strip()):
        if feed := web_url(collector.base, href):
            feeds[feed] = None
    elif "alternate" in relations and "stylesheet" not in relations:
        collector.add(href, Hop.LINK, "link/@href")
    elif relations & _LOADED:
        collector.add(href, Hop.EMBED, "link/@href")
        for address in candidates(element.get("imagesrcset") or ""):
            collector.add(address, Hop.EMBED, "link/@imagesrcset")
    elif relations & _LINKED:
        collector.add(href, Hop.LINK, "link/@href")
    return web_url(collector.base, href) if "canonical" in relations else None


def _meta(element: HtmlElement, collector: Collector) -> None:
    if (element.get("http-equiv") or "").strip().lower() == "refresh" and (
        match := _REFRESH.match((element.get("content") or "")[:4000])
    ):
        collector.add(match[1], Hop.LINK, "meta/@refresh")
