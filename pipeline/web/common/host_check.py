"""Who may be asked for: a site of a stranger that gives this machine a name of its own (DNS rebinding) gets nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.common.responses import line

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9._-]{1,253})(?::\d{1,5})?\Z")


def readable_by(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let programs in pages of these origins, or of any for "*", read what is served (Fetch §3.2)."""
    if not origins:
        return app
    told = ("Content-Range", "Link", "Location", "Memento-Datetime")
    asked = ("Accept-Datetime", "Range")
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=("GET", "HEAD", "POST"), allow_headers=asked, expose_headers=told
    )


class KnownHosts:
    """Passes on what was sent to one of the names; the rest is told so (RFC 9110 §15.5.20). None lets all pass."""

    def __init__(self, app: ASGIApp, names: frozenset[str] | None) -> None:
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and self._names is not None:
            match = _HOST.match(Headers(scope=scope).get("host", ""))
            if match is None or match[1].lower() not in self._names:
                await line("this archive answers to another name", 421)(scope, receive, send)
                return
        await self._app(scope, receive, send)
