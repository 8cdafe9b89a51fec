"""What can become of a target: the names that outcomes carry, each with its meaning."""

from __future__ import annotations

from archive.model import TEXT_INCOMPLETE, Verdict

OK = Verdict("ok")

# What can stand in a page's place although the server answered with 200.
STANDS = {
    "bot-wall": "a check for bots, or a refusal, stands in the page's place: blocked",
    "parked-domain": "the domain is parked or for sale: the page is not there",
    "empty-page": "the answer holds nothing",
    "needs-scripts": "the page is drawn by scripts, and its text is not in it; try --browser",
    "soft-404": "the page says that it does not exist",
    "consent-wall": "a demand for consent stands in the page's place; try --browser",
    "login-wall": "a demand to log in stands in the page's place; log in in your browser and try --cookies",
    "paywalled": "only the beginning is shown to those who have not paid",
}

# What can be missing of a page that is there.
LACKS = {TEXT_INCOMPLETE: "its text has under 40 % of the words of prose that the page shows"}

# The README prints this table; a test holds the two together.
MEANINGS = {
    "ok": "captured whole",
    "http-error": "the server answered 400 or more, or a redirect that leads nowhere; the answer is archived",
    "rate-limited": "429 or 503 after every retry; the answer is archived",
    "truncated": "the answer broke off, or met a limit of time or size; what came is archived, marked WARC-Truncated",
    "redirect-loop": "a redirect led back to a URL of its own chain; the chain is archived",
    "too-many-redirects": "the chain of redirects is longer than 20; it is archived",
    "invalid-url": "no URL that can be fetched: empty, malformed, with controls, or with credentials",
    "unsupported-scheme": "not http or https",
    "refused-address": "a private, loopback, link-local, metadata or otherwise not public address",
    "dns-failure": "the host's name cannot be resolved",
    "connect-failed": "no connection could be made, or it broke before an answer",
    "connect-timeout": "no connection was made in time",
    "tls-certificate": "the certificate is not valid for the host; --insecure records it and goes on",
    "tls-failure": "TLS could not be agreed on",
    "timeout": "no byte of an answer came in time",
    "empty-reply": "the server closed the connection without an answer",
    "header-too-large": "the answer's head is larger than 256 KiB, or never ends",
    "not-http": "what came is not HTTP/1",
    "http2-only": "the server speaks HTTP/2 only, and only HTTP/1 is recorded",
    "decoded-too-large": "archived, but its content coding decodes to more than 100 MB: no text is extracted",
    "undecodable": "archived, but its content coding cannot be undone: no text is extracted",
    "too-much-work": "archived, but its text takes more work than an imported file of that size may: extract its run",
    "extraction-timeout": "archived, but extracting its text took too long",
    "extraction-memory": "archived, but extracting its text took too much memory",
    "extractor-killed": "archived, but extracting its text ended the extractor",
    "extraction-failed": "archived, but its text or its metadata could not be extracted",
    "text-incomplete": "archived, but only a part of its text could be extracted: of a page, under 40 % of its prose",
    "no-text-layer": "archived, but the document has no text layer: it is a scan, or has drawings only",
    "no-unicode-map": "archived, but the document's fonts do not say which letters they draw: no text is extracted",
    "password": "archived, but the document opens only with a password: no text is extracted",
    "browser-timeout": "what the browser had when the page's time was over is archived; the page never came to rest",
    "browser-crashed": "the page ended the browser; what had come is archived",
    "browser-failed": "the browser could not show the page; what had come is archived",
    **{name: f"archived, but {meaning}" for name, meaning in STANDS.items()},
    "no-feed": "archived, but neither RSS, Atom nor JSON Feed, nor a page that names a feed",
    "no-sitemap": "archived, but no sitemap",
    "out-of-scope": "found, not fetched: outside of --scope",
    "excluded": "found, not fetched: kept out by --include or --exclude",
    "too-deep": "found, not fetched: more links away than --depth, or sitemaps or embeds within one another",
    "over-limit": "found, not fetched: --limit pages were found already",
    "query-trap": "found, not fetched: it looks like one of an endless number: a calendar, a path that repeats itself",
    "not-imported": "a record of an imported file that could not be taken; the reason names the file and the byte",
    "out-of-time": "not reached, or broken off, when the time of the run or of its source was over",
    "robots-denied": "found, not fetched: the site's robots.txt disallows it, or could not be had",
}


class Failure(Exception):
    """A target's end without a further answer; never leaves the capture room."""

    def __init__(self, name: str, error: str) -> None:
        super().__init__(error)
        self.verdict = Verdict(name, error)
