"""A reader's session with sites: cookies, passwords and headers, and which requests they go to."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, replace

from archive.model import Exchange, Headers
from pipeline.capture.http.chain_cookies import Cookie
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.urls import WebUrl, checked_url

_KEY = secrets.token_bytes(16)
# Headers that say how to answer, not who asks: a capture made with these alone is one that anybody can make.
_OF_ANYBODY = {"accept", "accept-language", "cache-control", "dnt", "pragma", "referer", "sec-gpc", "user-agent"}


@dataclass(frozen=True, slots=True, repr=False)
class SiteSession:
    """What a reader has been given by sites. Its text form names no secret: sessions that differ have different ones.

    Cookies go where a browser sends them. A password goes to its machine ("HOST" or "HOST:PORT"), and a header to the
    host of the URL that the user named: over https, or over http where the URL that the user named is of http.
    """

    cookies: tuple[Cookie, ...] = ()
    headers: Headers = ()
    passwords: tuple[tuple[str, str, str], ...] = ()  # machine, user, password

    def __bool__(self) -> bool:
        return bool(self.cookies or self.headers or self.passwords)

    def __repr__(self) -> str:
        if not self:
            return "SiteSession()"
        written = repr((self.cookies, self.headers, self.passwords)).encode("utf-8", "replace")
        return f"SiteSession({hmac.digest(_KEY, written, 'sha256').hex()})"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return what the session consists of, without values: "cookies", "password", "header X-Api-Key"."""
        names = dict.fromkeys(name for name, _ in self.headers if name.lower() not in _OF_ANYBODY)
        kinds = [kind for kind, held in (("cookies", self.cookies), ("password", self.passwords)) if held]
        return (*kinds, *(f"header {name}" for name in names))

    def added(self, headers: Headers, url: WebUrl, seed: str) -> tuple[Headers, tuple[str, ...]]:
        """Return a request's headers with the session's, and the names of the headers that say who asks.

        `seed` is the URL that the user named. A header that the page's own scripts set stays as it is. Cookies are the
        caller's to add (`ChainCookies`, or the browser); "Cookie" is among the names where one of the session's goes.
        """
        if not self:
            return headers, ()
        ours = self._ours(url, seed)
        settled = {name.lower() for name, _ in ours if name.lower() in _OF_ANYBODY}
        kept = tuple((name, value) for name, value in headers if name.lower() not in settled)
        present = {name.lower() for name, _ in kept}
        new = tuple((name, value) for name, value in ours if name.lower() not in present)
        names = [name for name, _ in new if name.lower() not in _OF_ANYBODY]
        if "cookie" in present and any(cookie.goes_to(url) for cookie in self.cookies):
            names.append("Cookie")
        return kept + new, tuple(dict.fromkeys(names))

    def _ours(self, url: WebUrl, seed: str) -> Headers:
        try:
            named = checked_url(seed)
        except Failure:
            return ()
        same = url.authority == named.authority
        if url.scheme != "https" and not (same and named.scheme == "http"):
            return ()
        ours = self.headers if same else ()
        given = {name.lower() for name, _ in ours}
        for machine, user, password in self.passwords:
            if machine == url.authority and "authorization" not in given:
                pair = base64.b64encode(f"{user}:{password}".encode()).decode()
                return (*ours, ("Authorization", f"Basic {pair}"))  # RFC 7617
        return ours


def made_with(recorded: Exchange, names: tuple[str, ...]) -> Exchange:
    """Return an exchange that says by which headers of its chain a session was shown."""
    if not names or recorded.session == names:
        return recorded
    return replace(recorded, session=names, notes=(*recorded.notes, f"made with a session: {', '.join(names)}"))


NOBODY = SiteSession()
