"""What an outcome of a run says of a page: an observation, by the outcome's name and the answer's status."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from archive.availability import Observation, State
from archive.model import Outcome
from archive.times import from_iso
from pipeline.extract.tasks import EXTRACTABLE, NO_TEXT

_BY_OUTCOME = {
    "soft-404": State.SOFT_404,
    "parked-domain": State.SOFT_404,
    "bot-wall": State.BLOCKED,
    "empty-page": State.BLOCKED,
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
            "extractor-killed", "extraction-failed", "text-incomplete", "browser-timeout", "needs-scripts",
            *NO_TEXT,
        ),
        State.OK,
    ),
}  # fmt: skip
_BY_STATUS = {404: State.GONE, 410: State.GONE, 402: State.PAYWALLED}
_SERVER = 500  # and more: the server's own fault, which says nothing of the page
_LONGEST = 300  # characters of a detail


def observed(outcome: Outcome) -> Observation | None:
    """Return what an outcome says of a page, None where it says nothing."""
    name, url = outcome.outcome, outcome.url
    state = _by_status(outcome.status) if name == "http-error" else _BY_OUTCOME.get(name)
    if state is None:
        return None
    final = outcome.final_url if outcome.final_url != url else None
    detail = outcome.error or name
    if name == "ok":
        detail = f"its address leads to {final}" if final else ""
    text = outcome.text
    whole = name in {"ok", *NO_TEXT} or (name == "extraction-failed" and text is not None)  # then metadata is missing
    if text is None and whole and (name in NO_TEXT or outcome.mime not in EXTRACTABLE):
        text = outcome.digest
    return Observation(
        url=url,
        at=from_iso(outcome.timestamp),
        state=state,
        text=text if state == State.OK and whole else None,
        record_id=outcome.record_id,
        detail=detail[:_LONGEST],
        title=outcome.title,
        digest=None if name == "truncated" else outcome.digest,
        words=outcome.words,
        final=final,
    )


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
