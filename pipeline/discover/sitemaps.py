"""The URLs of a sitemap or a sitemap index (sitemaps.org 0.9): XML, RSS, Atom or plain text, gzipped or not."""

from __future__ import annotations

import zlib
from dataclasses import replace

from pipeline.discover.feeds import FEED_ROOTS, findings_of_root
from pipeline.discover.outlinks import Collector, Findings, Hop
from pipeline.discover.safe_xml import NotXml, local_name, narrowed, parsed_xml, text_of

MOST = 50_000  # URLs of one sitemap, by its protocol
_LARGEST = 52_428_800  # bytes unzipped, by its protocol
_PIECE = 1 << 14  # compressed bytes that are looked at at once
_MOST_MEMBERS = 10_000  # of one gzip: as many as cost less than its text


def findings_of_sitemap(body: bytes, url: str, most: int = MOST) -> Findings:
    """Return the pages of a sitemap as links, or the sitemaps of an index; `problem` says why when it is neither."""
    if url.endswith("/robots.txt"):
        return _of_robots(body, url, most)
    problem = None
    if body.startswith(b"\x1f\x8b"):
        body, problem = _unzipped(body)
        if not body and problem:
            return Findings(problem=problem)
    body = narrowed(body)
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    found = (_plain if start and start != b"<" else _xml)(body, url, most)
    return replace(found, problem=found.problem or problem)


def _xml(body: bytes, url: str, most: int) -> Findings:
    try:
        root = parsed_xml(body)
    except NotXml as error:
        return Findings(problem=str(error))
    if local_name(root) in FEED_ROOTS:
        return findings_of_root(root, url, most)
    if local_name(root) not in {"urlset", "sitemapindex"}:
        return Findings(problem=f"it is no sitemap, but begins with <{local_name(root)[:40]}>")
    found = Collector(url, most)
    for entry in root:
        for child in entry:
            if local_name(child) == "loc":
                found.add(text_of(child), Hop.LINK, f"{local_name(entry)}/loc")
    if local_name(root) == "urlset":
        return Findings(found.outlinks, left_out=found.left_out)
    return Findings(sitemaps=tuple(outlink.url for outlink in found.outlinks), left_out=found.left_out)


def _unzipped(body: bytes) -> tuple[bytes, str | None]:
    """Return the text of all gzip members (RFC 1952 §2.2), and why that is not the whole."""
    text, at, members = bytearray(), 0, 0
    while body[at : at + 2] == b"\x1f\x8b":
        members += 1
        if members > _MOST_MEMBERS:
            return bytes(text), f"it has more than {_MOST_MEMBERS:,} gzip members"
        decompressor = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not decompressor.eof:
            piece = decompressor.unconsumed_tail or body[at : at + _PIECE]
            at += 0 if decompressor.unconsumed_tail else len(piece)
            room = _LARGEST - len(text)
            if not piece or not room:
                return bytes(text), f"it is cut off, or larger than {_LARGEST:,} bytes unzipped"
            try:
                text += decompressor.decompress(piece, room)
            except zlib.error as error:
                return bytes(text), f"its gzip is damaged: {error}"
        at -= len(decompressor.unused_data)
    rest = len(body) - at if body[at:].strip(b"\x00") else 0
    return bytes(text), f"{rest:,} bytes after its gzip were not read" if rest else None


def _of_robots(body: bytes, url: str, most: int) -> Findings:
    """Return the sitemaps that a robots.txt names (sitemaps.org), else the place where most sites have theirs."""
    found = Collector(url, most)
    for line in body[:_LARGEST].decode("utf-8-sig", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip().lower() == "sitemap":
            found.add(value.partition("#")[0], Hop.LINK, "robots.txt")
    if not found.outlinks:
        found.add("/sitemap.xml", Hop.LINK, "robots.txt")
    return Findings(sitemaps=tuple(outlink.url for outlink in found.outlinks), left_out=found.left_out)


def _plain(body: bytes, url: str, most: int) -> Findings:
    """Return a sitemap that is a list of URLs, one a line."""
    collector = Collector(url, most)
    lines = body.decode("utf-8-sig", "replace").split("\n")
    for line in lines[:most]:
        if "://" in line:
            collector.add(line, Hop.LINK, "line")
    problem = None if collector.outlinks else "it is no sitemap: neither XML nor a list of URLs"
    return Findings(collector.outlinks, left_out=collector.left_out + max(len(lines) - most, 0), problem=problem)
