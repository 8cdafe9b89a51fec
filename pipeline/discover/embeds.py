"""Works of other sites that a page shows: in frames and players, in quoted posts, as an address alone in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from archive.model import Embed
from pipeline.discover.embed_providers import embed_of
from pipeline.discover.outlinks import Findings, Hop
from pipeline.discover.resolve_url import web_url

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST = 500  # works of one page
_FRAMES = ("iframe/", "frame/", "embed/", "object/")
_POSTS = {"twitter-tweet", "twitter-video", "instagram-media", "bluesky-embed", "mastodon-embed"}
_LONGEST = 2_000  # characters of an address


def embeds_of_html(tree: HtmlElement, url: str, findings: Findings) -> tuple[Embed, ...]:
    """Return the works that a parsed page shows, each once, in page order within each way of showing them."""
    found: dict[str, Embed] = {}
    for outlink in findings.of(Hop.EMBED):
        if outlink.context.startswith(_FRAMES):
            _add(found, embed_of(outlink.url) or Embed(outlink.context.partition("/")[0], outlink.url))
    for address in (*_posts(tree, url), *_alone(tree), *_oembed(tree, url)):
        _add(found, embed_of(address))
    return tuple(found.values())[:_MOST]


def _add(found: dict[str, Embed], embed: Embed | None) -> None:
    if embed is not None:
        found.setdefault(embed.url, embed)


def _posts(tree: HtmlElement, url: str) -> list[str]:
    """Quoted posts, whose last link is the post itself."""
    quotes = [quote for quote in tree.iter("blockquote") if _POSTS & set((quote.get("class") or "").split())]
    links = [[link.get("href") or "" for link in quote.iter("a")] for quote in quotes[:_MOST]]
    return [target for hrefs in links if hrefs and (target := web_url(url, hrefs[-1]))]


def _alone(tree: HtmlElement) -> list[str]:
    """Paragraphs that are an address and nothing else, which WordPress shows as the work behind it (oEmbed)."""
    texts = [(paragraph.text or "").strip() for paragraph in tree.iter("p", "figure", "div") if not len(paragraph)]
    return [text for text in texts if text.startswith(("https://", "http://")) and len(text.split()) == 1][:_MOST]


def _oembed(tree: HtmlElement, url: str) -> list[str]:
    """Return what the page's own oEmbed links describe, where that is a work of another site."""
    found = []
    for link in tree.iter("link"):
        if "oembed" in (link.get("type") or "") and (target := web_url(url, link.get("href") or "")):
            found += parse_qs(urlsplit(target).query).get("url", [])[:1]
    return [address[:_LONGEST] for address in found if urlsplit(address[:_LONGEST]).netloc != urlsplit(url).netloc]
