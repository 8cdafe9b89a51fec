"""What a line of a run's outcomes says of a page: an observation, by the outcome's name and the answer's status."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from archive.availability import Observation, State
from archive.checked_json import size_of, text_of
from archive.times import from_iso
from pipeline.extract.tasks import EXTRACTABLE

_BY_OUTCOME = {
    "soft-404": State.SOFT_404,
    "consent-wall": State.BLOCKED,
    "login-wall": State.BLOCKED,
    "paywalled": State.PAYWALLED,
    **dict.fromkeys(
        (
            "rate-limited", "redirect-loop", "too-many-redirects", "refused-address", "dns-failure", "connect-failed",
            "connect-timeout", "tls-certificate", "tls-failure", "timeout", "empty-reply", "header-too-large",
            "not-http", "browser-crashed", "browser-failed",
        ),
        State.UNREACHABLE,
    ),
    # Captured, and there: only its text could not be had, or not all of it.
    **dict.fromkeys(
        (
            "ok", "truncated", "decoded-too-large", "undecodable", "extraction-timeout", "extraction-memory",
            "extractor-killed", "extraction-failed", "browser-timeout",
        ),
        State.OK,
    ),
}  # fmt: skip
_BY_STATUS = {404: State.GONE, 410: State.GONE, 402: State.PAYWALLED}
_SERVER = 500  # and more: the server's own fault, which says nothing of the page
_LONGEST = 300  # characters of a detail


def observed(entry: dict[str, Any]) -> Observation | None:
    """What an outcome's line says of a page, None where it says nothing; raises ValueError, KeyError, TypeError."""
    name, url, final = text_of(entry["outcome"]), text_of(entry["url"]), _text(entry, "final_url")
    status = entry.get("status")
    state = _by_status(status) if name == "http-error" else _BY_OUTCOME.get(name)
    if state is None:
        return None
    final = final if final != url else None
    detail = str(entry.get("error") or name)
    if name == "ok":
        detail = f"its address leads to {final}" if final else ""
    text, digest, words = _text(entry, "text"), _text(entry, "digest"), entry.get("words")
    whole = name == "ok" or (name == "extraction-failed" and text is not None)  # then only its metadata is missing
    if text is None and whole and _text(entry, "mime") not in EXTRACTABLE:
        text = digest
    return Observation(
        url=url,
        at=from_iso(text_of(entry["timestamp"])),
        state=state,
        text=text if state == State.OK and whole else None,
        record_id=_text(entry, "record_id"),
        detail=detail[:_LONGEST],
        title=_text(entry, "title"),
        digest=None if name == "truncated" else digest,
        words=None if words is None else size_of(words),
        final=final,
    )


def _text(entry: dict[str, Any], name: str) -> str | None:
    value = entry.get(name)
    return None if value is None else text_of(value)


def led_away(good: Observation | None, seen: Observation) -> Observation:
    """A page whose address has come to lead to the front page is gone: so do many sites hide it.

    One that led there when it was first seen is what it always was.
    """
    if good is None or seen.state != State.OK or not _to_front_page(seen) or _to_front_page(good):
        return seen
    detail = f"its address leads to the front page, {seen.final}"
    return replace(seen, state=State.SOFT_404, text=None, detail=detail[:_LONGEST])


def _by_status(status: int | None) -> State:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return State.UNREACHABLE if status is None or status >= _SERVER or status < 400 else State.BLOCKED


def _to_front_page(seen: Observation) -> bool:
    """Whether a page's address leads to a front page, which it does not name."""
    return seen.final is not None and _is_front(seen.final) and not _is_front(seen.url)


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query
