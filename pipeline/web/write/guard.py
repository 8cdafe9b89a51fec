"""Who may write: a request of this origin or of no page, with a token that holds, and not too many of them.

A token comes in a header or in a form, never in a cookie, so that no other site can have a browser send it along.
"""

from __future__ import annotations

import logging
import math

from starlette.requests import Request
from starlette.responses import Response

from pipeline.web.common.responses import line
from pipeline.web.write.rates import Rates
from pipeline.web.write.tokens import Token, Tokens

_log = logging.getLogger("onrecord.save")

_EXTENSIONS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")
_WRONG_AT_ONCE, _WRONG_A_MINUTE = 10, 10  # per address
_ASKED_AT_ONCE, _ASKED_A_MINUTE = 60, 30  # per token
_TOLD_A_MINUTE = 1  # lines of the log about wrong tokens


class Refused(Exception):
    """A request that is answered with no: the response says why."""

    def __init__(self, text: str, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the answer for a program."""
        answer = line(self.text, self.status)
        answer.headers.update(self.headers)
        return answer


class Guard:
    """Decides of each request that writes; `origin` is what the archive is reached at behind a proxy."""

    def __init__(self, tokens: Tokens, origin: str | None) -> None:
        self._tokens = tokens
        self._origin = origin
        self._wrong = Rates(_WRONG_AT_ONCE, _WRONG_A_MINUTE)
        self._asked = Rates(_ASKED_AT_ONCE, _ASKED_A_MINUTE)
        self._told = Rates(1, _TOLD_A_MINUTE)

    def own_origin(self, request: Request) -> str:
        """Return the origin at which the archive is reached."""
        return self._origin or str(request.base_url).rstrip("/")

    def check_origin(self, request: Request) -> None:
        """Refuse what a page of another origin sends (Fetch §3.2, Fetch Metadata §2.4); raises Refused.

        An extension of the browser, such as SingleFile, may send a token in a header: no page can pass for one.
        """
        site = request.headers.getlist("sec-fetch-site")
        origins = request.headers.getlist("origin")
        if origins and all(each.startswith(_EXTENSIONS) for each in origins) and self.bearer(request) is not None:
            return
        if any(each not in {"same-origin", "none"} for each in site) or any(
            each not in {self.own_origin(request), str(request.base_url).rstrip("/")} for each in origins
        ):
            raise Refused("pages of other sites cannot write here; use the page /save of this archive", 403)

    def bearer(self, request: Request) -> str | None:
        """Return the token in the Authorization header (RFC 6750 §2.1), if there is one."""
        scheme, _, written = request.headers.get("authorization", "").partition(" ")
        return written.strip() if scheme.lower() == "bearer" else None

    def owner(self, request: Request, written: str) -> Token:
        """Return the token that was sent; raises Refused, TokenError."""
        token = self._tokens.owner(written)
        if token is None:
            raise self._no(request)
        if wait := self._asked.wait(token.hash):
            raise _too_many("this token has asked for as much as may be asked for now", wait)
        return token

    def lacks(self) -> Refused:
        """Return the refusal of a request without a token."""
        return Refused(
            "send a token, as Authorization: Bearer TOKEN; the archive's keeper makes one with onrecord tokens add",
            401,
            {"WWW-Authenticate": "Bearer"},
        )

    def _no(self, request: Request) -> Refused:
        """Return the refusal of a wrong token: cheap, and the same for one that was never made and one that ended."""
        address = request.client.host if request.client else ""
        wait = self._wrong.wait(address)
        if not self._told.wait(""):
            _log.warning("a wrong token came from %s", address)
        if wait:
            return _too_many("too many wrong tokens came from your address", wait)
        return Refused("this token is not known, has expired, or was revoked", 401, {"WWW-Authenticate": "Bearer"})


def _too_many(text: str, wait: float) -> Refused:
    seconds = max(1, math.ceil(wait))
    return Refused(f"{text}: try again in {seconds} seconds", 429, {"Retry-After": str(seconds)})
