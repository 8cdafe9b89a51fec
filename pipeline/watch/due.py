"""What is due: of each watch its source, and the pages that it led to."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from archive.model import Role, Target
from archive.states import Confirmation, State, page_state
from pipeline.watch.alert_times import CONFIRM, zone_of
from pipeline.watch.history import Ledger, Page, Source
from pipeline.watch.relevant_history import RelevantHistories
from pipeline.watch.watch_list import Watch
from storage.errors import StoreError

RECHECK = CONFIRM  # after a capture that says something new, unless its watch says otherwise
_LONGEST_PAUSE = timedelta(hours=6)  # before a source that fails is tried again
_EARLY = 0.1  # share of the time between two captures by which one may come too early: schedulers are not exact
_EARLIEST = timedelta(minutes=30)
_SITE = re.compile(r"https?://[^/?#]+/?", re.IGNORECASE)  # a site by its address alone
_ROLES = {"feed": Role.FEED, "sitemap": Role.SITEMAP}


@dataclass(frozen=True, slots=True)
class Due:
    """Something to capture: a watch's source, or one of its pages, and since when it is due."""

    watch: Watch
    target: Target
    since: datetime
    late: bool = False  # by more than the time between two captures


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a watch stands: its last attempt, how that went, when it is due again, and how many pages it led to."""

    watch: Watch
    last: datetime | None
    state: str
    next: datetime | None
    detail: str = ""
    pages: int = 0
    confirming: bool = False  # the last capture says something new, and is not believed yet
    since: datetime | None = None  # when that began, of a page


def target_of(watch: Watch) -> Target:
    """Return what is fetched for a watch's source."""
    url = watch.url
    if watch.source == "sitemap" and _SITE.fullmatch(url):
        url = f"{url.rstrip('/')}/robots.txt"
    return Target(url, role=_ROLES.get(watch.source, Role.PAGE))


def plan(
    watches: list[Watch],
    ledger: Ledger,
    database: sqlite3.Connection,
    present: datetime,
    histories: RelevantHistories | None = None,
) -> list[Due]:
    """Everything that is due, what waits longest first; a page that two watches lead to stands there once.

    With `histories`, only what matters to a watch is looked at again soon.
    """
    found: dict[str, Due] = {}
    for watch in watches:
        if not watch.paused:
            for due in _due(watch, ledger, database, present, histories):
                found.setdefault(due.target.url, due)
    return sorted(found.values(), key=lambda due: (due.since, due.target.url))


def standing(
    watch: Watch, ledger: Ledger, database: sqlite3.Connection, histories: RelevantHistories | None = None
) -> Standing:
    """Where a watch stands."""
    target = target_of(watch)
    pages = sum(page is not None for _, _, page in ledger.entries(database, target.url))
    if target.role == Role.PAGE:
        page = ledger.page(database, target.url)
        after, _ = ledger.history(database, target.url)
        where = page_state(after)
        state = (str(where.name) if where else "not known yet") if page else "never captured"
        detail, since = after.last.detail if after.last else "", where.since if where else None
        page = _of_interest(watch, target.url, page, histories)
        last, pending = (page.at, page.pending) if page else (None, 0)
    else:
        source = ledger.source(database, target.url)
        last, pending = _of_source(source)
        state, detail = (source.outcome, source.detail) if source else ("never captured", "")
        since = source.failing if source else None
    due = None if watch.paused else _next(watch, target.url, last, pending, _found(database, target))
    confirming = target.role == Role.PAGE and pending > 0
    return Standing(watch, last, "paused" if watch.paused else state, due, detail, pages, confirming, since)


def _of_interest(watch: Watch, url: str, page: Page | None, histories: RelevantHistories | None) -> Page | None:
    """Return what is known of a page, with what waits for a second look by the rules of its watch."""
    if page is None or histories is None:
        return page
    usual = not watch.text_rules.reads_markup and watch.alert_times.confirmation == Confirmation()
    if usual and not page.pending:
        return page
    try:
        where, _ = histories.of(url, watch)
    except StoreError:  # then it is looked at once more
        return page
    return replace(page, pending=len(where.pending))


def _due(
    watch: Watch,
    ledger: Ledger,
    database: sqlite3.Connection,
    present: datetime,
    histories: RelevantHistories | None,
) -> Iterator[Due]:
    target = target_of(watch)
    if target.role == Role.PAGE:
        known = _of_interest(watch, target.url, ledger.page(database, target.url), histories)
        last, pending = (known.at, known.pending) if known else (None, 0)
    else:
        last, pending = _of_source(ledger.source(database, target.url))
    due = _next(watch, target.url, last, pending, _found(database, target))
    if due is None or due <= present:
        late = due is not None and last is not None and present - due > max(due - last, RECHECK)
        yield Due(watch, target, due or datetime.min.replace(tzinfo=UTC), late)
    for url, found, entry in ledger.entries(database, target.url):
        page = _of_interest(watch, url, entry, histories)
        again = decayed(url, found, page, watch.decay, watch.alert_times.confirm) if page else found
        if again is not None and again <= present and url != target.url:
            yield Due(watch, Target(url, via=target.url, hops="L", seed=target.url), again)


def _of_source(source: Source | None) -> tuple[datetime | None, int]:
    return (source.at, source.failures) if source else (None, 0)


def _found(database: sqlite3.Connection, target: Target) -> datetime | None:
    """When a page was captured for the first time: what its decay counts from."""
    if target.role != Role.PAGE:
        return None
    query = "SELECT min(at) FROM observations WHERE url = ?"
    (at,) = database.execute(query, (target.url,)).fetchone()
    return datetime.fromtimestamp(at, UTC) if at is not None else None


def _next(watch: Watch, url: str, last: datetime | None, pending: int, found: datetime | None) -> datetime | None:
    """When a source is due; None at once, for it was never captured."""
    if last is None:
        return None
    if watch.every is not None:
        due = _spread(url, last, last + watch.every)
    elif watch.cron is not None:
        due = _by_cron(watch.cron, last, watch.alert_times.zone)
    else:
        confirm = watch.alert_times.confirm
        return decayed(url, found or last, Page(last, State.OK, pending), watch.decay, confirm)
    if not pending:
        return due
    # A page is looked at again soon, to be sure; a source that fails again and again at growing distances.
    pause = watch.alert_times.confirm if found is not None else min(RECHECK * 2 ** min(pending - 1, 10), _LONGEST_PAUSE)
    return min(due, last + pause)


def decayed(
    url: str, found: datetime, page: Page, steps: tuple[timedelta, ...], confirm: timedelta = RECHECK
) -> datetime | None:
    """When a page is due again by the time since it was found; None where it is captured once.

    Of several steps that were missed one capture makes up for all; after the last step its span repeats.
    """
    if not steps:
        return None
    if page.pending:
        return page.at + confirm
    due = next((found + step for step in steps if found + step > page.at + _tolerance(step)), page.at + steps[-1])
    return _spread(url, page.at, due)


def _tolerance(step: timedelta) -> timedelta:
    """How much too early a capture may have come and still stand for its step."""
    return min(step * _EARLY, _EARLIEST)


def _spread(url: str, last: datetime, due: datetime) -> datetime:
    """Return a little earlier, by the URL.

    So that not all come at once, and a scheduler's second of delay costs no turn.
    """
    share = 0.5 + int.from_bytes(hashlib.sha256(url.encode("utf-8", "replace")).digest()[:2]) / 131_072
    return due - min((due - last) * _EARLY, _EARLIEST) * share


def _by_cron(expression: str, last: datetime, zone: str) -> datetime:
    from cronsim import CronSim

    return replace_zone(next(CronSim(expression, last.astimezone(zone_of(zone)))))


def replace_zone(moment: datetime) -> datetime:
    """Return the moment in UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
