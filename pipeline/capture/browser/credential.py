"""The credential of a page's proxy: no other process of this machine sends requests, or is recorded, by it."""

from __future__ import annotations

import base64
import hmac
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

ASK = {"Proxy-Authenticate": 'Basic realm="onrecord"', "Content-Length": "0"}  # RFC 9110 §11.7.1
_LINES = "".join(f"{name}: {value}\r\n" for name, value in ASK.items())
REFUSAL = f"HTTP/1.1 407 Proxy Authentication Required\r\n{_LINES}\r\n".encode()


@dataclass(frozen=True, slots=True)
class Credential:
    """The name and password under which a page's browser uses its proxy."""

    name: str
    password: str
    host: str = "onrecord.invalid"  # of the greeting; RFC 6761 §6.4: no such name leads anywhere

    @classmethod
    def new(cls) -> Credential:
        """Return a credential that nobody can guess."""
        return cls("onrecord", secrets.token_urlsafe(24), f"{secrets.token_hex(8)}.invalid")

    @property
    def greeting(self) -> str:
        """Return the URL that a browser asks for to show the credential; nothing is fetched for it."""
        return f"http://{self.host}/"

    def is_greeting(self, url: str) -> bool:
        """Return whether a URL is the greeting, over TLS too: browsers may try that first."""
        return url.partition("://")[2].startswith(self.host)

    def granted(self, header: str | None) -> bool:
        """Return whether a Proxy-Authorization header holds it (RFC 7617)."""
        expected = base64.b64encode(f"{self.name}:{self.password}".encode()).decode()
        scheme, _, given = (header or "").strip().partition(" ")
        matches = hmac.compare_digest(given.strip().encode("utf-8", "replace"), expected.encode())
        return scheme.lower() == "basic" and matches


async def authorize(session: CDPSession, credential: Credential) -> None:
    """Have the browser give the proxy its credential: it remembers it for the whole context.

    The empty page asks for `credential.greeting`, which the proxy answers with "stay where you are". The driver's own
    way (the proxy's username) would have every later request wait for it, and turn the page's cache off.
    """

    async def send(method: str, about: dict[str, Any]) -> None:
        with suppress(Exception):  # the page may have gone meanwhile, and its question with it
            await session.send(method, about)

    async def paused(asked: dict[str, Any]) -> None:
        await send("Fetch.continueRequest", {"requestId": asked["requestId"]})

    async def challenged(asked: dict[str, Any]) -> None:
        known = {"response": "ProvideCredentials", "username": credential.name, "password": credential.password}
        await send("Fetch.continueWithAuth", {"requestId": asked["requestId"], "authChallengeResponse": known})

    session.on("Fetch.requestPaused", paused)
    session.on("Fetch.authRequired", challenged)
    await session.send("Fetch.enable", {"handleAuthRequests": True})
    await session.send("Page.navigate", {"url": credential.greeting})
    await session.send("Fetch.disable")
    session.remove_listener("Fetch.requestPaused", paused)
    session.remove_listener("Fetch.authRequired", challenged)
