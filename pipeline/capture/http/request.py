"""The request that is sent: its headers, and which of a target's own go along with a redirect."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archive.model import Headers
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import WebUrl

# A target's headers may hold what a server once sent (an ETag): what HTTP cannot carry stays behind (RFC 9110 §5.5).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_OURS = {"content-length", "transfer-encoding", "expect", "upgrade"}  # framing is ours, and nothing is upgraded
_WITH_BODY = {"POST", "PUT", "PATCH"}  # say how long their body is even when it is empty (RFC 9110 §8.6)
_SECRETS = {"authorization", "cookie", "proxy-authorization"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a URL; `headers` are those beside the usual ones, or in their place."""

    headers: Headers = ()
    method: str = "GET"
    body: bytes = b""

    @property
    def repeatable(self) -> bool:
        """Whether asking twice does no more than asking once, and nothing is asked of the server to change."""
        return self.method in {"GET", "HEAD", "OPTIONS"}


def request_headers(
    url: WebUrl, request: Request, settings: FetchSettings
) -> tuple[list[tuple[bytes, bytes]], list[str]]:
    """Return the headers of a request as bytes, and a note for each that was asked for and cannot be sent."""
    further = request.headers
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
    if request.body or request.method in _WITH_BODY:
        headers.append((b"Content-Length", b"%d" % len(request.body)))
    return headers, notes


def headers_after_redirect(headers: Headers, first: WebUrl, url: WebUrl) -> Headers:
    """Return what of a target's headers goes to a URL that it redirects to (RFC 9110 §15.4).

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
