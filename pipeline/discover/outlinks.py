"""What was found in a body: outlinks, each with the way it was come by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archive.model import Embed
from pipeline.discover.resolve_url import web_url

MOST = 10_000  # outlinks of one kind that are taken from one body
MORE = "raise --limit to have them"  # how a note on what is beyond that ends


class Hop(StrEnum):
    """How a URL was come by, in the letters of the discovery paths that crawlers write."""

    LINK = "L"
    EMBED = "E"  # needed to show the page
    REDIRECT = "R"
    PREREQUISITE = "P"  # robots.txt


@dataclass(frozen=True, slots=True)
class Outlink:
    """An absolute http(s) URL without fragment, and where it stood: "img/@src"."""

    url: str
    hop: Hop
    context: str


@dataclass(frozen=True, slots=True)
class Findings:
    """The outlinks of one body, each URL once for each way; `left_out` counts those beyond the limit."""

    outlinks: tuple[Outlink, ...] = ()
    canonical: str | None = None
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    embeds: tuple[Embed, ...] = ()
    left_out: int = 0
    problem: str | None = None  # why a feed or a sitemap could not be read to its end

    def of(self, hop: Hop) -> list[Outlink]:
        """Return the outlinks come by in one way."""
        return [outlink for outlink in self.outlinks if outlink.hop == hop]


class Collector:
    """Gathers outlinks in their order, each once, as many as are taken."""

    def __init__(self, base: str, most: int = MOST) -> None:
        self.base = base
        self._most = most
        self.left_out = 0
        self._found: dict[tuple[str, Hop], Outlink] = {}
        self._counts: dict[Hop, int] = {}

    def add(self, reference: str, hop: Hop, context: str, base: str | None = None) -> None:
        """Take a reference as it is written in the body; what is no web address is passed over."""
        if self._counts.get(hop, 0) >= self._most:  # before the address is made of it: pages have a million links
            self.left_out += 1
            return
        url = web_url(base or self.base, reference)
        if url is None or (url, hop) in self._found:
            return
        self._counts[hop] = self._counts.get(hop, 0) + 1
        self._found[url, hop] = Outlink(url, hop, context)

    @property
    def outlinks(self) -> tuple[Outlink, ...]:
        """What was gathered."""
        return tuple(self._found.values())
