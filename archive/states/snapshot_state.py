"""What a snapshot can be, and where a page stands: the words that every command, page, alert and export uses.

A snapshot is judged by the text that a reader had before them: by the rendered markup where a browser visited, whatever
the bytes of the page were. What one look shows and a second one has not confirmed yet is "to be confirmed".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from archive.digests import text_digest
from archive.model import Article, Snapshot, TextMark
from archive.states.availability import Availability, Observation, State
from archive.times import iso

_BY_OUTCOME = {
    "soft-404": State.SOFT_404,
    "parked-domain": State.SOFT_404,
    "bot-wall": State.BLOCKED,
    "empty-page": State.BLOCKED,
    "consent-wall": State.BLOCKED,
    "login-wall": State.BLOCKED,
    "paywalled": State.PAYWALLED,
    "needs-scripts": State.TEXT_INCOMPLETE,
    "text-incomplete": State.TEXT_INCOMPLETE,
    **dict.fromkeys(
        (
            "rate-limited", "redirect-loop", "too-many-redirects", "refused-address", "dns-failure", "connect-failed",
            "connect-timeout", "tls-certificate", "tls-failure", "timeout", "empty-reply", "header-too-large",
            "not-http", "http2-only", "browser-crashed", "browser-failed",
        ),
        State.UNREACHABLE,
    ),
    # Captured, and there: only its text could not be had, or not all of it.
    **dict.fromkeys(
        (
            "ok", "truncated", "decoded-too-large", "undecodable", "extraction-timeout", "extraction-memory",
            "extractor-killed", "extraction-failed", "too-much-work", "browser-timeout", "no-text-layer",
            "no-unicode-map", "password",
        ),
        State.OK,
    ),
}  # fmt: skip
_BY_STATUS = {404: State.GONE, 410: State.GONE, 402: State.PAYWALLED, 429: State.UNREACHABLE}
_SERVER = 500  # and more: the server's own fault, which says nothing of the page
READ = frozenset({"text/html", "application/xhtml+xml", "text/plain", "unk"})  # compared by their texts, not bytes
LONGEST_DETAIL = 300  # characters of a detail
_SHORT = 0.35  # share of the good text's words below which a text may be a splash page
_FEWEST = 60  # words of a good text that can be told from a splash page
_COMMON = 0.3  # share of a splash page's words that may stand in the good text too


class Name(StrEnum):
    """What a snapshot is called, where that is not the name of a state other than ok."""

    NEW = "new"
    UNCHANGED = "unchanged"
    EDITED = "edited"
    BACK = "back"
    MOVED = "moved"
    NOT_COMPARED = "not-compared"  # there is no text, or none that could be read again, to compare
    WITHHELD = "withheld"


class Certainty(StrEnum):
    """Whether a second look has confirmed what a snapshot shows."""

    CERTAIN = "certain"
    PENDING = "to be confirmed"
    ONCE = "seen once"  # the look after it showed the page as it had been


@dataclass(frozen=True, slots=True)
class SnapshotState:
    """What one snapshot is: a Name or the name of a state, with what it shows in the page's place as `detail`.

    `edited` says of a page that came back that its text is another one.
    """

    name: str
    detail: str = ""
    certainty: Certainty = Certainty.CERTAIN
    edited: bool = False

    @property
    def words(self) -> str:
        """Return what people read: "edited", "gone: 404", "to be confirmed: gone: 404"."""
        plain = f"{self.name}, edited" if self.edited and self.name == Name.BACK else self.name
        plain += f": {self.detail}" if self.detail and self.detail != self.name else ""
        if self.certainty == Certainty.PENDING:
            return f"{Certainty.PENDING}: {plain}"
        return f"{plain} ({Certainty.ONCE})" if self.certainty == Certainty.ONCE else plain

    @property
    def shows_page(self) -> bool:
        """Whether the snapshot shows the page itself, rather than what stands in its place."""
        return self.name in {Name.NEW, Name.UNCHANGED, Name.EDITED, Name.BACK, Name.NOT_COMPARED}

    def fields(self) -> dict[str, str | bool]:
        """Return the state as JSON has it, in every command and export."""
        entry: dict[str, str | bool] = {"state": str(self.name)}
        if self.detail:
            entry["state_detail"] = self.detail
        if self.edited:
            entry["state_edited"] = True
        if self.certainty != Certainty.CERTAIN:
            entry["state_certainty"] = str(self.certainty)
        return entry


@dataclass(frozen=True, slots=True)
class Judged:
    """A snapshot with its state, and the last one before it that shows the page with another text."""

    snapshot: Snapshot
    state: SnapshotState
    earlier: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class PageState:
    """Where a page stands: a state, or "edited", "back" or "moved" where that waits for a second look."""

    name: str
    since: datetime
    detail: str = ""
    certainty: Certainty = Certainty.CERTAIN

    @property
    def words(self) -> str:
        """Return what people read: "gone since TIME (404)", "to be confirmed: edited since TIME"."""
        why = f" ({self.detail})" if self.detail and self.detail != self.name else ""
        plain = f"{self.name} since {iso(self.since)}{why}"
        return plain if self.certainty == Certainty.CERTAIN else f"{Certainty.PENDING}: {plain}"

    @property
    def short(self) -> str:
        """Return the name with "to be confirmed: " before it where that is so."""
        return self.name if self.certainty == Certainty.CERTAIN else f"{Certainty.PENDING}: {self.name}"

    def fields(self) -> dict[str, str | bool]:
        """Return the state as JSON has it."""
        entry: dict[str, str | bool] = {"state": str(self.name), "since": iso(self.since)}
        if self.detail:
            entry["detail"] = self.detail
        return entry | {"confirmed": self.certainty == Certainty.CERTAIN}


def state_of(outcome: str, status: int | None) -> State | None:
    """Return the state that an outcome's name and an answer's status show, None where they say nothing of a page."""
    return _by_status(status) if outcome == "http-error" else _BY_OUTCOME.get(outcome)


def _by_status(status: int | None) -> State:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return State.UNREACHABLE if status is None or status >= _SERVER or status < 400 else State.BLOCKED


def outcome_of(snapshot: Snapshot) -> str:
    """Return the name of the outcome that a snapshot is kept with: "ok", "http-error", "bot-wall" and so on."""
    return snapshot.availability or ("http-error" if snapshot.status >= 400 else "ok")


def mark_of(article: Article, *, rendered: bool = False) -> TextMark | None:
    """Return the mark of an article's text, None where it has none."""
    words = (article.text or "").split()
    return TextMark(text_digest(words), len(words), article.extractor, rendered) if words else None


def compared_by(text: str | None, digest: str | None, mime: str | None) -> str | None:
    """Return the digest by which a snapshot is compared: of its text, or of its bytes where they are no text."""
    return text if text is not None or mime in READ else digest


def led_away(good: Observation | None, seen: Observation) -> Observation:
    """Return a page whose address has come to lead to the front page as gone: so do many sites hide it.

    One that led there when it was first seen is what it always was.
    """
    if good is None or seen.state != State.OK or not _to_front_page(seen) or _to_front_page(good):
        return seen
    detail = f"its address leads to the front page, {seen.final}"
    return replace(seen, state=State.SOFT_404, text=None, detail=detail[:LONGEST_DETAIL])


def _to_front_page(seen: Observation) -> bool:
    """Return whether a page's address leads to a front page, which it does not name."""
    return seen.final is not None and _is_front(seen.final) and not _is_front(seen.url)


def _is_front(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query


def may_be_splash(good: Observation | None, seen: Observation) -> bool:
    """Return whether a text is so short beside the page's that it may be a notice in its place."""
    if good is None or seen.state != State.OK or seen.text in {None, good.text}:
        return False
    return bool(good.words and seen.words and good.words >= _FEWEST and seen.words <= _SHORT * good.words)


def unmasked(good: Observation, seen: Observation, old: frozenset[str], new: frozenset[str]) -> Observation:
    """Return a capture that shows a splash page in the article's place as what it is, by the words of both texts."""
    if not new or len(new & old) > _COMMON * len(new):
        return seen
    detail = f"another text, of {seen.words} words, stands in the place of one of {good.words}"
    return replace(seen, state=State.BLOCKED, text=None, detail=detail)


def page_state(now: Availability) -> PageState | None:
    """Return where a page stands after all its observations, None where nothing is known."""
    if now.pending:
        last = now.pending[-1]
        first = next(each for each in now.pending if each.state == last.state)
        name: str = last.state
        if last.state == State.OK:
            moved = now.good is not None and last.final not in {None, now.good.final}
            name = Name.MOVED if moved else Name.EDITED if now.state == State.OK else Name.BACK
        return PageState(name, first.at, last.detail, Certainty.PENDING)
    if now.state is None or now.since is None:
        return None
    detail = now.last.detail if now.last and now.last.state == now.state else ""
    return PageState(now.state, now.since, detail)
