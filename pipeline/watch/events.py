"""Events from what happened to pages and sources: each is sent once, by one machine."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from archive.archive import Reader
from archive.checked_json import parsed_object
from archive.coordination import WatchMarks
from archive.errors import ArchiveError, Withheld
from archive.states import Change, Observation, State, Transition
from archive.text_diff import bracketed, compare, marked
from archive.times import iso, now
from pipeline.alerts.event import Event
from pipeline.watch.due import target_of
from pipeline.watch.history import Ledger
from pipeline.watch.relevant_history import Difference, RelevantHistories
from pipeline.watch.watch_list import Watch, schedule_of
from pipeline.watch.watched_pages import WatchedPages
from pipeline.watch.withheld import shown_of
from storage.errors import StoreError
from storage.private import write_private

_log = logging.getLogger("onrecord.watch")

FRESH = timedelta(days=3)  # what was decided longer ago is history: a machine that is new to a store tells none of it
FAILURES = 3  # in a row, before a source is told to fail


@dataclass(frozen=True, slots=True)
class Telling:
    """An event, and the marks by which machines agree who tells it: 64 hex digits each, of which none may be taken.

    One mark counts: a page's second disappearance of a day, say, which two machines that captured it at the same moment
    may see in different records. One names the record: a run that is committed late may make a third of what was a
    second.
    """

    marks: tuple[str, ...]
    event: Event

    @classmethod
    def of(cls, event: Event, count: int | str) -> Telling:
        """Return the event, by its kind, its URL, how many such there were before, and the record that shows it."""
        return cls(_marks(event.kind, event.url, count, event.records), event)


def _marks(kind: str, url: str, count: int | str, records: tuple[str, ...]) -> tuple[str, ...]:
    marks = [f"{kind}\0{url}\0{said}" for said in (count, *records[-1:])]
    return tuple(hashlib.sha256(each.encode("utf-8", "replace")).hexdigest() for each in marks)


def _records(found: Transition) -> tuple[str, ...]:
    return tuple(each.record_id for each in (found.earlier, found.later) if each.record_id)


def events_of(
    archive: Reader, watches: list[Watch], ledger: Ledger, database: sqlite3.Connection, histories: RelevantHistories
) -> Iterator[Telling]:
    """Yield events of watched pages and sources that were not sent yet; the earliest decision comes first."""
    pages = WatchedPages(watches, ledger, database)
    found = []
    present = now()
    start = present - FRESH
    changed = ledger.changed_since(database, start - FRESH)
    if any(watch.text_rules.reads_markup for watch in watches):  # elements may change and leave the text as it was
        changed = ledger.looked_at_since(database, start - FRESH)
    for url in changed:
        watch = pages.watch_of(url)
        if watch is None or watch.paused:
            continue
        try:
            _, transitions = shown_of(archive, *histories.of(url, watch))
        except StoreError as error:
            _log.warning("what happened to %s is reported by the next run: %s", url, error)
            continue
        fresh = [each for each in transitions if each.decided >= start]
        held = [each for each in fresh if watch.alert_times.waits(each.at, present)]
        found += [(each, watch, _number(transitions, each)) for each in fresh if each not in held]
    for transition, watch, number in sorted(found, key=lambda each: (each[0].decided, each[0].url)):
        marks = _marks(transition.change, transition.url, number, _records(transition))
        if not ledger.told(database, marks):
            yield Telling(marks, event_of(archive, transition, watch, histories))
    for watch in watches:
        failing = _failing(archive, watch, ledger, database)
        if failing is None or ledger.told(database, failing.marks):
            continue
        if not watch.alert_times.waits(failing.event.at, present):
            yield failing


def _number(transitions: list[Transition], found: Transition) -> str:
    """Return the day of a transition, what the page became, and how often it became that on this day, so far."""

    def became(each: Transition) -> str:
        return f"{each.at:%Y-%m-%d} {each.change} {each.later.text or ''}"

    so_far = transitions[: transitions.index(found) + 1]
    return f"{became(found)} {sum(became(each) == became(found) for each in so_far)}"


def _failing(archive: Reader, watch: Watch, ledger: Ledger, database: sqlite3.Connection) -> Telling | None:
    if watch.paused or watch.source not in {"feed", "sitemap"}:
        return None
    source = ledger.source(database, target_of(watch).url)
    if source is None or source.failing is None or source.failures < FAILURES:
        return None
    summary = f"The {watch.source} could not be read {source.failures} times in a row: {source.outcome} {source.detail}"
    event = Event(
        "source-failed", watch.url, source.failing, title=watch.name, summary=summary.strip(), watch=watch.name,
        tags=watch.tags, store=archive.url,
    )  # fmt: skip
    return Telling.of(event, iso(source.failing))


def too_fast(archive: Reader, watch: Watch, last: datetime, window: int) -> Telling:
    """Return the event of a feed that showed nothing but new entries: some may have come and gone unseen."""
    half = (now() - last) / 2
    minutes = max(int(half.total_seconds()) // 60, 1)
    advice = f'Watch it every {minutes} minutes: every = "{minutes}m"'
    if watch.every is not None and half >= watch.every:
        advice = f"Runs were missed: it is due {schedule_of(watch)}. See what stopped them: onrecord doctor"
    summary = (
        f"All {window} entries of the feed were new since {iso(last)}: others may have come and gone in between. "
        f"{advice}"
    )
    monday = now().replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday())  # told once a week
    event = Event(
        "feed-too-fast", watch.url, monday, title=watch.name, summary=summary, watch=watch.name, tags=watch.tags,
        store=archive.url,
    )  # fmt: skip
    return Telling.of(event, iso(monday))


def event_of(
    archive: Reader, found: Transition, watch: Watch | None, histories: RelevantHistories | None = None
) -> Event:
    """Return a transition in words for people, with what changed in the text where both texts are kept."""
    is_edit = found.after == State.OK and found.later.text not in {None, found.earlier.text}
    relevant = histories.difference(found, watch) if is_edit and watch and histories else None
    diff = _marked(relevant) or difference(archive, found)
    shown = [each for each in (found.earlier, found.later) if each.record_id]
    return Event(
        kind=found.change,
        url=found.url,
        at=found.at,
        title=_title(found),
        before=found.before,
        after=found.after,
        summary=summary_of(found, selected=watch is not None and watch.text_rules.selects) + _keywords(relevant),
        diff=diff,
        records=_records(found),
        times=tuple(each.at for each in shown),
        watch=watch.name if watch else None,
        tags=watch.tags if watch else (),
        store=archive.url,
    )


def _marked(relevant: Difference | None) -> str | None:
    """Return what changed of what matters to the watch; None where that is the same but for noise."""
    if relevant is None or relevant.before == relevant.after:
        return None
    return marked(compare(f"{relevant.before}\n", f"{relevant.after}\n"), bracketed)


def _keywords(relevant: Difference | None) -> str:
    """Return which keywords of the watch appeared or vanished, as sentences behind the summary."""
    if relevant is None:
        return ""
    appeared = f" Appeared: {', '.join(relevant.appeared)}." if relevant.appeared else ""
    return appeared + (f" Vanished: {', '.join(relevant.vanished)}." if relevant.vanished else "")


def _title(found: Transition) -> str | None:
    """Return what the page is called: a wall, or a page that says it is none, has a name of its own."""
    if found.after == State.OK:
        return found.later.title or found.earlier.title
    return found.earlier.title or found.later.title


def summary_of(found: Transition, *, selected: bool = False) -> str:
    """Return what happened to a page, in a sentence or two; with `selected`, only parts of it are compared."""
    confirmed = f"first seen {iso(found.at)}, confirmed {iso(found.decided)}"
    seen = confirmed if found.decided > found.at else f"seen {iso(found.at)}, once"
    good = f"last seen as it was {iso(found.earlier.at)}"
    moved = f"; {found.later.detail}" if found.later.final not in {None, found.earlier.final} else ""
    if found.change == Change.CHANGED:
        what = "What the watch selects" if selected else "The text"
        return f"{what} was changed after {iso(found.earlier.at)}{moved}; {seen}."
    if found.change == Change.BACK:
        edited = " with another text" if found.later.text not in {None, found.earlier.text} else ""
        return f"The page is there again{edited}{moved}; {seen}."
    why = f": {found.later.detail}" if found.later.detail else ""
    return f"{_WORDS[found.after]}{why}; {seen}, {good}."


_WORDS = {
    State.OK: "The page is there",
    State.GONE: "The page is gone",
    State.SOFT_404: "The page is gone, although the server does not say so",
    State.BLOCKED: "The page is hidden",
    State.PAYWALLED: "Only those who pay are shown the page",
    State.UNREACHABLE: "The page cannot be reached",
    State.TEXT_INCOMPLETE: "The page is there, and its text could not be had whole",
}


def difference(archive: Reader, found: Transition) -> str | None:
    """Return what an edit did to the text, in words; None where there is nothing to compare."""
    texts = texts_of(archive, found)
    return marked(compare(*texts), bracketed) if texts else None


def texts_of(archive: Reader, found: Transition) -> tuple[str, str] | None:
    """Return the text before and after an edit; None for no edit, or where a text cannot be had."""
    if found.after != State.OK or found.later.text in {None, found.earlier.text}:
        return None
    before, after = (_text(archive, each) for each in (found.earlier, found.later))
    return (before, after) if before is not None and after is not None else None


def _text(archive: Reader, seen: Observation) -> str | None:
    try:
        snapshot = archive.near(seen.shown_at, seen.at)
        document = archive.document(snapshot) if snapshot else None
    except Withheld:
        return None
    except (ArchiveError, StoreError) as error:
        _log.warning("a text of %s cannot be compared: %s", seen.url, error)
        return None
    return (document.article.text or "").rstrip("\n") + "\n" if document else None


# One machine tells


def machine_of(folder: Path) -> str:
    """Return a name that this machine keeps in its folder of state."""
    path = folder / "machine"
    with suppress(OSError, ValueError):
        if name := path.read_text("ascii").strip():
            return name
    name = secrets.token_hex(8)
    part = folder / f".machine-{name}"
    write_private(part, name.encode("ascii") + b"\n")
    part.replace(path)
    return name


def mine(marks: WatchMarks, found: Iterable[Telling], machine: str) -> tuple[list[Telling], list[Telling]]:
    """Those that are this machine's to tell, and those that another one tells; raises StoreError.

    The machine that puts an event's marks first sends it. One that was killed between its mark and its outbox finds
    its own mark again, and the outbox knows what it holds.
    """
    ours: list[Telling] = []
    others: list[Telling] = []
    for telling in found:
        # One after the other, and no further than the first that is taken: two machines never stop each other.
        won = all(_claimed(marks, mark, machine) for mark in telling.marks)
        (ours if won else others).append(telling)
    return ours, others


def _claimed(marks: WatchMarks, mark: str, machine: str) -> bool:
    said = json.dumps({"by": machine, "at": iso(now())}).encode() + b"\n"
    return marks.put_if_absent("told", mark, said) or _by(marks.get("told", mark)) == machine


def _by(data: bytes) -> str | None:
    with suppress(ValueError):
        by = parsed_object(data).get("by")
        return by if isinstance(by, str) else None
    return None
