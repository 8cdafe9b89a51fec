"""The entries of a feed: RSS 0.9 to 2.0, RSS 1.0 (RDF), Atom (RFC 4287), JSON Feed 1.1; or the feeds a page names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.discover.outlinks import MOST, Collector, Findings, Hop
from pipeline.discover.resolve_url import web_url
from pipeline.discover.safe_xml import NotXml, local_name, parsed_xml, text_of

if TYPE_CHECKING:
    from lxml.etree import _Element

FEED_ROOTS = {"rss", "rdf", "feed", "channel"}
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def findings_of_feed(body: bytes, url: str, most: int = MOST) -> Findings:
    """Return the first pages that a feed announces, in its order; `problem` says why when it is no feed."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return _json_feed(body, url, most)
    try:
        root = parsed_xml(body)
    except NotXml as error:
        return Findings(problem=str(error))
    if local_name(root) not in FEED_ROOTS:
        return Findings(problem=f"it is neither RSS, Atom nor JSON Feed, but begins with <{local_name(root)[:40]}>")
    return findings_of_root(root, url, most)


def findings_of_root(root: _Element, url: str, most: int) -> Findings:
    """Return the first pages that a feed announces whose root is one of FEED_ROOTS."""
    collector = Collector(url, most)
    bases = _Bases(url)
    for element in root.iter("{*}item", "{*}entry"):
        _entry(element, collector, bases)
    return Findings(collector.outlinks, left_out=collector.left_out)


def _entry(element: _Element, collector: Collector, bases: _Bases) -> None:
    base = bases.of(element)
    candidates = [found for child in element if (found := _address(child, base))]
    if candidates:
        _, address, context = min(candidates, key=lambda found: found[0])
        collector.add(address, Hop.LINK, context, base)


def _address(child: _Element, base: str) -> tuple[int, str, str] | None:
    """Return a child of an entry as (rank, address, context) when it says where the entry's page is."""
    name = local_name(child)
    if name == "link":
        href = child.get("href")
        if href is None:
            return (0, text_of(child), "item/link") if text_of(child) else None
        relation = (child.get("rel") or "alternate").lower()
        return (1, href, "entry/link/@href") if relation == "alternate" else None
    if name in {"guid", "id"} and (child.get("isPermaLink") or "true").lower() != "false":
        address = text_of(child)
        return (2, address, f"entry/{name}") if _is_address(address, base) else None
    return None


class _Bases:
    """The base that xml:base attributes give (XML Base), outermost first; that of a parent is made once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._parent: _Element | None = None
        self._base = url

    def of(self, element: _Element) -> str:
        """Return the base of an entry's addresses."""
        parent = element.getparent()
        if parent is not self._parent or parent is None:
            self._parent, self._base = parent, self._url
            for step in reversed(list(element.iterancestors())):
                self._base = _joined(self._base, step)
        return _joined(self._base, element)


def _joined(url: str, element: _Element) -> str:
    base = element.get(_XML_BASE)
    return (web_url(url, base) if base else None) or url


def _json_address(item: Any, url: str) -> tuple[str, str] | None:
    """Return where an item's page is, and the field that says so: its `id` too, where that is an address (1.1)."""
    for name in ("url", "external_url", "id") if isinstance(item, dict) else ():
        address = item.get(name)
        if isinstance(address, str) and address.strip() and (name != "id" or _is_address(address, url)):
            return address.strip(), f"items/{name}"
    return None


def _is_address(text: str, url: str) -> bool:
    return "://" in text and web_url(url, text) is not None


def _json_feed(body: bytes, url: str, most: int) -> Findings:
    try:
        feed: Any = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        return Findings(problem=f"it is no JSON: {error}"[:300])
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        return Findings(problem="it is JSON, but has no items: no JSON Feed")
    collector = Collector(url, most)
    for item in items:
        if (found := _json_address(item, url)) is not None:
            collector.add(found[0], Hop.LINK, found[1])
    return Findings(collector.outlinks, left_out=collector.left_out)
