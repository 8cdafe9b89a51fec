"""Who may be asked for: a site of a stranger that gives this machine a name of its own (DNS rebinding) gets nothing."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.web.replies import line

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_HOST = re.compile(r"(\[[0-9a-fA-F:.]{2,45}\]|[a-zA-Z0-9._-]{1,253})(?::\d{1,5})?\Z")


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
