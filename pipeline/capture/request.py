"""The request that is sent: its headers, and which of a target's own go along with a redirect."""

from __future__ import annotations

import re

from archive.model import Headers
from pipeline.capture.settings import FetchSettings
from pipeline.capture.urls import WebUrl

# A target's headers may hold what a server once sent (an ETag): what HTTP cannot carry stays behind (RFC 9110 §5.5).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_OURS = {"content-length", "transfer-encoding", "expect", "upgrade"}  # a GET without a body has none of them
_SECRETS = {"authorization", "cookie", "proxy-authorization"}


def request_headers(
    url: WebUrl, further: Headers, settings: FetchSettings
) -> tuple[list[tuple[bytes, bytes]], list[str]]:
    """The headers of a GET as bytes, and a note for each that was asked for and cannot be sent."""
    named = {name.lower() for name, _ in further}
    usual = [
        ("Host", url.authority),
        ("User-Agent", settings.user_agent),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Encoding", "gzip, deflate"),
    ]
    headers, notes = [], []
    for name, written in [header for header in usual if header[0].lower() not in named] + list(further):
        value = written.strip()
        if _NAME.match(name) and _VALUE.match(value) and name.lower() not in _OURS:
            headers.append((name.encode("ascii"), value.encode("latin-1")))
        else:
            notes.append(f"request header {name[:40]!r} left out: it cannot be sent")
    return headers, notes


def headers_after_redirect(headers: Headers, first: WebUrl, url: WebUrl) -> Headers:
    """What of a target's headers goes to a URL that it redirects to (RFC 9110 §15.4).

    Validators are about the first URL: a 304 to them would lose the second's content. Secrets stay with their origin.
    """
    same_origin = (url.scheme, url.host, url.port) == (first.scheme, first.host, first.port)
    return tuple(
        (name, value)
        for name, value in headers
        if not name.lower().startswith("if-")
        and name.lower() not in {"host", "range"}
        and (same_origin or name.lower() not in _SECRETS)
    )
