"""Whether a page is still there: what each capture says of it, and what several of them decide.

One capture proves little: servers restart, walls come and go, texts of two editors take turns. So a state is left only
when a second look, some time later, confirms the first (a third, and most of an hour, for what cannot be reached), and
what goes back to where it was in between was a flap, which raises no alert.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """What a page's address leads to."""

    OK = "ok"
    GONE = "gone"
    SOFT_404 = "soft-404"
    BLOCKED = "blocked"
    PAYWALLED = "paywalled"
    UNREACHABLE = "unreachable"
    TEXT_INCOMPLETE = "text-incomplete"  # captured, and its text is drawn by scripts, say, and was not had


class Change(StrEnum):
    """The name of a transition, where it is not that of the state it leads to."""

    CHANGED = "changed"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What it takes to believe something new: captures that say the same, and the time from one to the next of them.

    That a page cannot be reached takes one capture more, and five times as long: servers restart.
    """

    looks: int = 2
    span: timedelta = timedelta(minutes=8)

    def looks_for(self, state: State) -> int:
        """Return how many captures must show a state."""
        return self.looks + (state == State.UNREACHABLE)

    def span_for(self, state: State) -> timedelta:
        """Return the time from the first of these captures to the last."""
        if state == State.UNREACHABLE:
            return 5 * max(self.looks - 1, 1) * self.span
        return (self.looks - 1) * self.span


_CONFIRMATION = Confirmation()


@dataclass(frozen=True, slots=True)
class Observation:
    """What one capture, or one attempt, says of a URL.

    `text` is the digest of the text that was there, None without one to compare; `record_id` of what came, None
    when nothing did. `final` is where redirects led, None where they led nowhere else. `detail` is one line for people.
    """

    url: str
    at: datetime
    state: State
    text: str | None = None
    record_id: str | None = None
    detail: str = ""
    title: str | None = None
    digest: str | None = None  # of the payload
    words: int | None = None  # of the text
    final: str | None = None

    @property
    def shown_at(self) -> str:
        """The address whose answer it was."""
        return self.final or self.url


@dataclass(frozen=True, slots=True)
class Transition:
    """One thing that became of a page, decided by two captures or more.

    `change` is a Change or the name of the new state. `at` is when it was first seen, `decided` when it was confirmed;
    `earlier` is the last capture that showed the page as it was, `later` the first that showed what it became, `last`
    the one that confirmed it.
    """

    url: str
    change: str
    at: datetime
    decided: datetime
    before: State
    after: State
    earlier: Observation
    later: Observation
    last: Observation


@dataclass(frozen=True, slots=True)
class Availability:
    """Where a page stands: its state, since when, the last capture that showed it, and what waits to be confirmed.

    `state`: None until one is known; `good`: None for a page that was never seen.
    """

    state: State | None = None
    since: datetime | None = None
    good: Observation | None = None
    last: Observation | None = None
    pending: tuple[Observation, ...] = ()


def follow(
    observations: Iterable[Observation], confirmation: Confirmation = _CONFIRMATION
) -> tuple[Availability, list[Transition]]:
    """Return where the observations of one URL, in the order of time, leave it, and its transitions."""
    now = Availability()
    transitions = []
    for seen in observations:
        now, transition = step(now, seen, confirmation)
        if transition is not None:
            transitions.append(transition)
    return now, transitions


def step(
    now: Availability, seen: Observation, confirmation: Confirmation = _CONFIRMATION
) -> tuple[Availability, Transition | None]:
    """One observation more; a transition when it decides one."""
    now = replace(now, last=seen)
    if is_no_news(now, seen):
        good = seen if seen.state == State.OK else now.good
        if good is seen and seen.text is None and now.good is not None:
            good = replace(seen, text=now.good.text, words=now.good.words)
        return replace(now, good=good, pending=()), None
    if seen.state == State.OK and now.good is None:  # the first time that it is seen at all
        return Availability(State.OK, seen.at, seen, seen), None
    pending = (*now.pending, seen)
    if not _confirmed(pending, seen, confirmation):
        return replace(now, pending=pending), None
    return _decided(now, pending, seen)


def is_no_news(now: Availability, seen: Observation) -> bool:
    """Whether an observation says what is known, or less.

    That a server cannot be reached does not make a page that was gone less gone.
    """
    if seen.state != now.state:
        return seen.state == State.UNREACHABLE and now.state not in {None, State.OK}
    if seen.state != State.OK:
        return True
    assert now.good is not None, "a page is ok since it was seen"
    return seen.text is None or now.good.text is None or seen.text == now.good.text


def awaited(now: Availability) -> Transition | None:
    """Return the transition that a second look would decide; None where nothing waits, or the page was never seen."""
    if not now.pending or now.good is None or now.state is None:
        return None
    last = now.pending[-1]
    first = next(each for each in now.pending if each.state == last.state)
    same = next(each for each in now.pending if each.state == last.state and each.text == last.text)
    change: str = last.state
    if last.state == State.OK:
        change = Change.CHANGED if now.state == State.OK else Change.BACK
    later = same if last.state == State.OK else first
    return Transition(now.pending[-1].url, change, first.at, last.at, now.state, last.state, now.good, later, last)


def adds_nothing(now: Availability, seen: Observation) -> bool:
    """Whether of an observation and those like it right after it only the last needs to be kept."""
    first_text = seen.text is not None and now.good is not None and now.good.text is None
    return is_no_news(now, seen) and not first_text


def _confirmed(pending: tuple[Observation, ...], seen: Observation, confirmation: Confirmation) -> bool:
    alike = [each for each in pending if each.state == seen.state]
    enough = len(alike) >= confirmation.looks_for(seen.state)
    return enough and seen.at - alike[0].at >= confirmation.span_for(seen.state)


def _decided(
    now: Availability, pending: tuple[Observation, ...], seen: Observation
) -> tuple[Availability, Transition | None]:
    first = next(each for each in pending if each.state == seen.state)
    if seen.state == State.OK:  # as the page is now: of two edits in a row both are in it
        same = [each for each in pending if each.state == State.OK and each.text == seen.text]
        later = same[0]
    else:
        later = first
    good = seen if seen.state == State.OK else now.good
    after = Availability(seen.state, first.at, good, seen)
    if now.good is None or now.state is None:  # nobody ever saw it: nothing was lost
        return after, None
    change: str = seen.state
    if seen.state == State.OK:
        change = Change.CHANGED if now.state == State.OK else Change.BACK
    return after, Transition(seen.url, change, first.at, seen.at, now.state, seen.state, now.good, later, seen)
