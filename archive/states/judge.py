"""The one judge of what a snapshot is beside those before it: every command, page and export asks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from archive.model import Snapshot, TextMark
from archive.states.availability import Availability, Observation, State, is_no_news, step
from archive.states.snapshot_state import (
    LONGEST_DETAIL,
    READ,
    Certainty,
    Judged,
    Name,
    SnapshotState,
    compared_by,
    led_away,
    may_be_splash,
    outcome_of,
    state_of,
    unmasked,
)


class Texts(Protocol):
    """What the judge reads of an archive, where the index does not say enough."""

    def mark(self, snapshot: Snapshot) -> TextMark | None:
        """Return the mark of a snapshot's text, None if it has no text."""

    def words(self, snapshot: Snapshot) -> frozenset[str]:
        """Return the words of a snapshot's text, in lower case."""

    def final(self, redirect: Snapshot) -> Snapshot | None:
        """Return the snapshot that a redirect led to at its time, None where none is kept."""

    def same(self, earlier: Snapshot, later: Snapshot) -> bool | None:
        """Return whether one extractor reads one text in both, None where neither can be read again.

        Of captures with and without a browser it reads what the server sent.
        """


class _Match(Enum):
    """What comparing a text with an earlier one gave."""

    SAME = "one text"
    OTHER = "another text"
    SENT = "the server sent one text, and what scripts made of it was not compared"
    UNKNOWN = "nobody can say"

    @classmethod
    def of(cls, same: bool | None) -> _Match:
        return cls.UNKNOWN if same is None else cls.SAME if same else cls.OTHER


@dataclass(frozen=True, slots=True)
class _Shown:
    """A snapshot that shows the page, and the digest by which its text is compared."""

    snapshot: Snapshot
    text: str | None
    mark: TextMark | None
    match: _Match


class Judge:
    """Judges the snapshots of one page, given in the order of time."""

    def __init__(self, texts: Texts) -> None:
        self.now = Availability()
        self._texts = texts
        self._last: _Shown | None = None  # that shows the page
        self._alike: dict[bool, _Shown] = {}  # the last with a browser and without, each with the text of the page then
        self._good: Snapshot | None = None  # the one that `now.good` is about
        self._other: Snapshot | None = None  # the last that shows another text than `_last`
        self._away = False  # whether the last one showed that the page is not there
        self._held: list[tuple[Judged, Observation | None]] = []  # until what is pending is decided

    def take(self, snapshot: Snapshot) -> Iterator[Judged]:
        """Judge one snapshot more; yields those that no later one can change."""
        if snapshot.withheld:
            yield from self._hold(Judged(snapshot, SnapshotState(Name.WITHHELD, str(snapshot.withheld))), None)
            return
        if snapshot.is_redirect and snapshot.location is not None and _same_place(snapshot.url, snapshot.location):
            yield from self._hold(Judged(snapshot, SnapshotState(Name.MOVED, snapshot.location)), None)
            return
        seen, shown = self._observed(snapshot)
        seen = self._judged_by_words(led_away(self.now.good, seen), shown)
        state = self._named(snapshot, seen, shown)
        earlier = self._take_text(snapshot, seen, shown)
        before = self.now
        self.now, _ = step(before, seen)
        if self.now.good is not None and self.now.good.at == seen.at and shown is not None:
            self._good = shown.snapshot
        no_news = is_no_news(before, seen)
        yield from self._hold(Judged(snapshot, state, earlier), None if no_news else seen, flap=no_news)

    def end(self) -> Iterator[Judged]:
        """Yield what is left: what the page seems to be now is to be confirmed, any other state was seen once."""
        held, self._held = self._held, []
        for judged, seen in held:
            if seen is None or seen not in self.now.pending:
                yield judged
            else:
                waits = seen.state == self.now.pending[-1].state
                yield _with(judged, Certainty.PENDING if waits else Certainty.ONCE)

    def _hold(self, judged: Judged, waits: Observation | None, *, flap: bool = False) -> Iterator[Judged]:
        """Keep a snapshot until what waits is decided: what the page came to be is certain, all else was seen once.

        With `flap`, the page is as it was before all that waited.
        """
        self._held.append((judged, waits))
        if self.now.pending:
            return
        held, self._held = self._held, []
        for each, seen in held:
            once = seen is not None and (flap or seen.state != self.now.state)
            yield _with(each, Certainty.ONCE) if once else each

    def _observed(self, snapshot: Snapshot) -> tuple[Observation, _Shown | None]:
        """Return what a snapshot says of the page; a redirect says what it led to."""
        if not snapshot.is_redirect:
            return self._direct(snapshot, snapshot, None)
        found = self._texts.final(snapshot)
        if found is None or found.withheld:
            seen = Observation(
                snapshot.url, snapshot.true_time, State.OK, record_id=snapshot.record_id,
                detail=f"its address leads to {snapshot.location}", final=snapshot.location,
            )  # fmt: skip
            return seen, None
        return self._direct(snapshot, found, found.url)

    def _direct(self, snapshot: Snapshot, shown: Snapshot, final: str | None) -> tuple[Observation, _Shown | None]:
        """Return what the snapshot shows, where its address leads to it; and its text, where it shows the page."""
        name = outcome_of(shown)
        state = state_of(name, shown.status) or State.OK
        detail = "" if name == "ok" else name if name != "http-error" else str(shown.status)
        if final is not None and state == State.OK:
            detail = f"its address leads to {final}"
        held = text = mark = None
        if state == State.OK:
            last = self._last
            repeated = last is not None and _is_repeated(last.snapshot, shown)
            mark = last.mark if repeated and last is not None else self._texts.mark(shown)
            match = _Match.SAME if repeated else self._match(shown, mark)
            if match in {_Match.SAME, _Match.SENT} and last is not None:
                text = last.text
            elif match != _Match.UNKNOWN:
                text = compared_by(mark.digest if mark else None, shown.digest, shown.mime)
            held = _Shown(shown, text, mark, match)
        seen = Observation(
            snapshot.url, snapshot.true_time, state, text, shown.record_id, detail[:LONGEST_DETAIL], shown.title,
            shown.digest, mark.words if mark else None, final,
        )  # fmt: skip
        return seen, held

    def _match(self, snapshot: Snapshot, mark: TextMark | None) -> _Match:
        """Compare a snapshot with the last one that shows the page."""
        last = self._last
        if last is None:
            return _Match.OTHER
        if mark is None or last.mark is None:
            if mark is None and last.mark is None and last.snapshot.digest == snapshot.digest:
                return _Match.SAME
            both = mark is None and last.mark is None
            return _Match.OTHER if both and snapshot.mime not in READ else _Match.UNKNOWN
        if mark.digest == last.mark.digest:
            return _Match.SAME
        if mark.rendered == last.mark.rendered:
            return _Match.of(self._same_text(last.snapshot, last.mark, snapshot, mark))
        return self._match_by_other_means(last, snapshot, mark)

    def _match_by_other_means(self, last: _Shown, snapshot: Snapshot, mark: TextMark) -> _Match:
        """Compare with the last capture that was made with a browser, or without, as this one was.

        What scripts make of the same text is no edit of it: where there is no such capture, or the page was edited
        since, what the server sent both times can show an edit, and nothing else.
        """
        alike = self._alike.get(mark.rendered)
        if alike is not None and alike.mark is not None and alike.text == last.text:
            return _Match.of(self._same_text(alike.snapshot, alike.mark, snapshot, mark))
        same = snapshot.digest == last.snapshot.digest or self._texts.same(last.snapshot, snapshot)
        return _Match.SENT if same else _Match.of(same)

    def _same_text(self, earlier: Snapshot, before: TextMark, snapshot: Snapshot, mark: TextMark) -> bool | None:
        if before.digest == mark.digest:
            return True
        return False if before.extractor == mark.extractor else self._texts.same(earlier, snapshot)

    def _judged_by_words(self, seen: Observation, shown: _Shown | None) -> Observation:
        good = self.now.good
        if good is None or self._good is None or shown is None or not may_be_splash(good, seen):
            return seen
        return unmasked(good, seen, self._texts.words(self._good), self._texts.words(shown.snapshot))

    def _named(self, snapshot: Snapshot, seen: Observation, shown: _Shown | None) -> SnapshotState:
        """Return the state of a snapshot, before what comes after it is known."""
        if seen.state != State.OK:
            return SnapshotState(seen.state, seen.detail)
        if snapshot.is_redirect:
            return SnapshotState(Name.MOVED, snapshot.location or "")
        last = self._last
        if last is None:
            return SnapshotState(Name.NEW)
        known = seen.text is not None and last.text is not None
        bytes_alone = last.mark is None and seen.words is None  # neither has a text
        same = seen.text == last.text if known else bytes_alone and seen.digest == last.snapshot.digest
        if self._away and self.now.state not in {None, State.OK}:
            return SnapshotState(Name.BACK, edited=known and not same)
        if same and (shown is None or shown.match != _Match.SENT):
            return SnapshotState(Name.UNCHANGED)
        known = known and not same
        return SnapshotState(Name.EDITED if known else Name.NOT_COMPARED)

    def _take_text(self, snapshot: Snapshot, seen: Observation, shown: _Shown | None) -> Snapshot | None:
        """Remember a snapshot that shows the page; returns the last one before it that shows another text."""
        self._away = seen.state != State.OK
        if self._away or shown is None or snapshot.is_redirect:
            return None
        last = self._last
        if last is not None and last.mark is not None and shown.text not in {None, last.text}:
            self._other = last.snapshot
        if shown.text is not None or last is None:
            self._last = shown
        if shown.mark is not None and self._last is not None:
            self._alike[shown.mark.rendered] = replace(shown, text=self._last.text)
        return self._other if shown.mark is not None else None


def _is_repeated(earlier: Snapshot, later: Snapshot) -> bool:
    """Return whether two snapshots have one payload and one document, so that their texts need no comparison."""
    return earlier.digest == later.digest and earlier.document == later.document


def _with(judged: Judged, certainty: Certainty) -> Judged:
    if judged.state.name in {Name.UNCHANGED, Name.NEW, Name.NOT_COMPARED}:
        return judged
    return replace(judged, state=replace(judged.state, certainty=certainty))


def _same_place(one: str, other: str) -> bool:
    """Return whether two addresses differ by no more than scheme and "www.": a redirect between them moves nothing."""
    return _bare(one) == _bare(other)


def _bare(url: str) -> str:
    rest = url.partition("#")[0].partition("://")[2].rstrip("/")
    host, slash, path = rest.partition("/")
    return host.lower().removeprefix("www.") + slash + path
