"""Who may be asked for: a site of a stranger that gives this machine a name of its own (DNS rebinding) gets nothing."""

from __future__ import annotations

import ipaddress
import re
import socket
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


def own_names() -> frozenset[str]:
    """Return the names of this machine: its host name, that without a domain, and that of multicast DNS (RFC 6762)."""
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return frozenset({name, short, f"{short}.local"} - {"", ".local"})


def is_host_name(text: str) -> bool:
    """Return whether a text is a host name or an address as a Host header holds it, without a port."""
    match = _HOST.match(text)
    return match is not None and match[1] == text


class KnownHosts:
    """Passes on what was sent to one of the names, or with `addresses` to any IP address; refuses the rest with 421.

    A stranger can make a name lead here (DNS rebinding), but not an address (RFC 9110 §15.5.20).
    """

    def __init__(self, app: ASGIApp, names: frozenset[str], *, addresses: bool = False) -> None:
        self._app = app
        self._names = names
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not self._known(Headers(scope=scope).getlist("host")):
            await line("this archive answers to another name; allow this one with `serve --name`", 421)(
                scope, receive, send
            )
            return
        await self._app(scope, receive, send)

    def _known(self, hosts: list[str]) -> bool:
        match = _HOST.match(hosts[0]) if len(hosts) == 1 else None
        if match is None:
            return False
        return match[1].lower() in self._names or (self._addresses and _is_address(match[1]))


def _is_address(host: str) -> bool:
    """Return whether a host is an address in full, as browsers send it; 127.1 is none, which a resolver may look up."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (address.version == 6) == host.startswith("[")
