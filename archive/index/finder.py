"""Finding the snapshot that is meant: all of a URL, the nearest to a time, the one that shows the page."""

from __future__ import annotations

import heapq
import shlex
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, islice, takewhile

from archive.access.guard import Gate
from archive.access.rule_store import Notices
from archive.errors import NoSuchSnapshot, Withheld
from archive.formats.surt import key_range, urlkey
from archive.formats.tracking import untracked
from archive.index.lookup import Index
from archive.index.order import newest_first
from archive.model import Snapshot
from archive.times import iso

_MAX_REDIRECTS = 20
_NEAR_TIME = timedelta(days=1)  # within which a capture of our own goes before one that was recovered
_MOST_VARIANTS = 5_000  # snapshots of one path that are looked at for one with other tracking parameters


def spelling_of(url: str) -> str:
    """Return the path and query of a URL as written, a slash at the path's end aside."""
    path, mark, query = url.partition("#")[0].partition("://")[2].partition("?")
    return path.partition("/")[2].rstrip("/") + mark + query


def _exact_first(url: str, found: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """Yield the snapshots that show the page at this very path and query first, then the rest, each in its order."""
    exact, others = spelling_of(url if "://" in url else f"http://{url}"), []
    for snapshot in found:
        if not snapshot.is_behind_wall and not snapshot.withheld and spelling_of(snapshot.url) == exact:
            yield snapshot
        else:
            others.append(snapshot)
    yield from others


class SnapshotFinder(Gate):
    """Finds the snapshots of one archive; those that its rules withhold are marked so, as `Gate` says."""

    keeps_tracking = False  # whether addresses that differ by tracking parameters alone are several pages

    def __init__(self, index: Index, notices: Notices, present: Callable[[], datetime]) -> None:
        """`present` returns the present moment by the store's clock."""
        super().__init__(notices)
        self._index = index
        self.present = present

    def require(self) -> None:
        """Tell an empty archive from no archive; raises StoreMissing."""
        raise NotImplementedError

    def snapshots(
        self, url: str, *, match: str = "exact", start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[Snapshot]:
        """Every snapshot of a URL in a span of time, both ends included, by key, then time.

        `match` is "exact", "prefix", "host" or "domain". Raises IntegrityError, StoreError.
        """
        return self._marked(self._index.snapshots(url, match, start, end))

    def every(self) -> Iterator[Snapshot]:
        """Every snapshot there is, by key, then time; raises IntegrityError, StoreError."""
        return self._marked(self._index.every())

    def snapshots_after(self, url: str, match: str, key: str, timestamp: str) -> Iterator[Snapshot]:
        """Return what `snapshots` returns, from a key and 14 digits on; raises as `snapshots`."""
        return self._marked(self._index.after(url, match, key, timestamp))

    def back(self, url: str, before: datetime | None = None) -> Iterator[Snapshot]:
        """Return the snapshots of one URL, newest first, or from a time backwards; raises as `snapshots`."""
        return self._marked(self._index.back(url, before))

    def around(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """Return the snapshots of one URL, the nearest to a time first; raises as `snapshots`."""
        return self._nearest(url, at)

    @staticmethod
    def matches(snapshot: Snapshot, url: str, match: str) -> bool:
        """Whether a snapshot is one that `snapshots` would find for a URL."""
        start, end = key_range(url, match)
        return start <= f"{urlkey(snapshot.url)} " < end

    def closest(self, url: str, at: datetime | None = None) -> Snapshot:
        """Return the snapshot of a URL nearest to a time, redirects followed within the archive.

        Without a time, the newest one that is no tombstone (status 400 or more, or a page that says it is gone), and
        shows the page rather than a wall before it, if there is such a one; what is withheld is passed over. Raises
        NoSuchSnapshot, Withheld where the nearest is withheld or, without a time, all are.
        """
        try:
            return self._closest(url, at, set())
        except NoSuchSnapshot:
            other = self.kept_address(url)
            if other == url:
                raise
            return self._closest(other, at, set())

    def kept_address(self, url: str) -> str:
        """Return the address under which a page is kept: the one that is named, if there is a snapshot of it.

        Else one that differs from it by tracking parameters alone, the newest; else the one that is named.
        """
        if self.keeps_tracking or "://" not in url or next(self._index.back(url), None) is not None:
            return url
        plain = untracked(url)
        wanted, key = urlkey(plain), urlkey(plain.partition("?")[0])
        found = [] if plain == url else list(islice(self._index.back(plain), 1))
        if not found:
            beside = self._index.after(plain.partition("?")[0], "prefix", f"{key}?", "")
            looked_at = takewhile(lambda each: urlkey(each.url).startswith(f"{key}?"), islice(beside, _MOST_VARIANTS))
            found = [each for each in looked_at if urlkey(untracked(each.url)) == wanted]
        return max(found, key=lambda each: each.timestamp).url if found else url

    def _closest(self, url: str, at: datetime | None, followed: set[str]) -> Snapshot:
        """Return the closest snapshot; a redirect is followed once, for from http to https it leads to its own key."""
        first = None
        for snapshot in _exact_first(url, self._standing(url)) if at is None else self._ours_first(url, at):
            if snapshot.place in followed:
                continue
            if first is None:
                self.checked(snapshot)
            elif snapshot.withheld:
                continue
            first = first or snapshot
            if not snapshot.is_redirect or len(followed) == _MAX_REDIRECTS:
                return snapshot
            followed.add(snapshot.place)
            try:
                assert snapshot.location is not None, "is_redirect says so"
                return self._closest(snapshot.location, at and snapshot.timestamp, followed)
            except Withheld:
                raise
            except NoSuchSnapshot:
                continue
        if first is None:
            self.require()
            raise NoSuchSnapshot(
                f"nothing is kept of {url}; capture it: onrecord capture {shlex.quote(url)}; or, if it is gone, get "
                f"back what other archives have: onrecord recover {shlex.quote(url)}"
            )
        return first

    def _standing(self, url: str) -> Iterator[Snapshot]:
        """Those that show a page, newest first, then those of other requests than GET, walls, and one that is withheld.

        Raises NoSuchSnapshot where there are only tombstones.
        """
        tombstone = withheld = None
        walls = []
        posted = []
        shown = False
        for snapshot in filter(self._is_wanted, newest_first(self.back(url), self.present)):
            if snapshot.withheld:
                withheld = withheld or snapshot
            elif snapshot.is_tombstone:
                tombstone = tombstone or snapshot
            elif snapshot.is_behind_wall:
                walls.append(snapshot)
            elif snapshot.method is not None:
                posted.append(snapshot)
            else:
                shown = True
                yield snapshot
        walls = posted + walls
        yield from walls
        if withheld and not shown and not walls:
            yield withheld
        elif tombstone and not shown and not walls:
            raise NoSuchSnapshot(
                f"only tombstones are kept of {url}, the newest {tombstone.availability or tombstone.status} of "
                f"{iso(tombstone.timestamp)}; name a time with --at to get one, or get back what other archives have: "
                f"onrecord recover {shlex.quote(url)}"
            )

    def near(self, url: str, at: datetime, *, shown: bool = False) -> Snapshot | None:
        """Return the snapshot of a URL nearest to a time, whatever it shows, or None.

        Raises Withheld if that snapshot is withheld; with `shown`, only if every one is, and otherwise the nearest that
        may be shown is returned. Among snapshots of one second, one of this very URL comes first, and a redirect to
        this URL from another with the same key comes last.
        """
        first = withheld = None
        for _, entries in groupby(self._ours_first(url, at), key=lambda snapshot: abs(snapshot.timestamp - at)):
            every = list(entries)
            as_near = [each for each in every if not each.withheld]
            if len(as_near) < len(every):
                withheld = withheld or next(each for each in every if each.withheld)
                if not shown:
                    self.checked(withheld)
            first = first or next(iter(as_near), None)
            pages = [each for each in as_near if each.url == url or each.location != url]
            if pages:
                return min(pages, key=lambda each: each.url != url)
        if first is None and withheld is not None:
            self.checked(withheld)
        return first

    def _ours_first(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """Return all, the nearest first, without recovered ones that a capture of our own goes before."""
        return filter(self._is_wanted, self._nearest(url, at))

    def _is_wanted(self, snapshot: Snapshot) -> bool:
        """Return whether no capture of our own that shows the page lies within a day of a recovered one."""
        if snapshot.recovered is None:
            return True
        start, end = snapshot.timestamp - _NEAR_TIME, snapshot.timestamp + _NEAR_TIME
        beside = self.snapshots(snapshot.url, start=start, end=end)
        return not any(
            each.recovered is None
            and not (each.withheld or each.is_tombstone or each.is_behind_wall or each.is_redirect)
            for each in beside
        )

    def newest_first(self, found: Sequence[Snapshot]) -> Iterator[Snapshot]:
        """Order snapshots that are in the order of their own times by when they were made, the newest first."""
        return newest_first(reversed(found), self.present)

    def _nearest(self, url: str, at: datetime) -> Iterator[Snapshot]:
        """All, the nearest first; of two that are as near, the earlier one.

        Answers to other requests than GET come last, unless they are of that very second.
        """
        at = at.replace(microsecond=0)
        later_on = []
        for snapshot in self._by_distance(url, at):
            if snapshot.method is None or snapshot.timestamp == at:
                yield snapshot
            else:
                later_on.append(snapshot)
        yield from later_on

    def _by_distance(self, url: str, at: datetime) -> Iterator[Snapshot]:
        earlier = ((at - snapshot.timestamp, snapshot) for snapshot in self.back(url, at))
        later = ((snapshot.timestamp - at, snapshot) for snapshot in self.snapshots(url, start=at))
        return (snapshot for _, snapshot in heapq.merge(earlier, later, key=lambda pair: pair[0]))
