"""The entries of a feed: what was captured for the first time, changed, went and came back, the newest first.

They come from the ledger of the store, row by row, so that a feed of N entries takes the memory of N, however many
captures there are. What is withheld has no entry.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from urllib.parse import urlsplit

from archive.archive import Reader
from archive.errors import NoSuchAnnotation
from archive.states import Change, Observation, State, Transition
from archive.times import iso
from pipeline.outbound.plain_text import lines_of, one_line
from pipeline.watch.due import target_of
from pipeline.watch.edits import in_words
from pipeline.watch.events import event_of
from pipeline.watch.history import Ledger
from pipeline.watch.history_tables import observations_of, time_of
from pipeline.watch.watch_list import Watch
from pipeline.watch.withheld import shown_history

CAPTURED = "captured"  # the kind of a page's first capture
KINDS = (CAPTURED, *(str(each) for each in Change), *(str(each) for each in State if each != State.OK))
MOST = 500  # entries of a feed
DEFAULT = 50
_AHEAD = 4  # times as many are looked for as are given: what is confirmed late is seen early
_LONGEST = 8_000  # characters of an entry's text
_KEPT = 256  # pages whose history is held

InSearch = Callable[[str, str | None], set[str]]  # words, or "", and a collection: the URLs of the pages


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries a feed has: of a host and those below it, of watches with a tag, of a search, of a collection."""

    site: str | None = None
    tag: str | None = None
    search: str | None = None
    collection: str | None = None
    kinds: tuple[str, ...] = ()
    limit: int = DEFAULT

    @classmethod
    def checked(cls, given: dict[str, str | None], kinds: Sequence[str], limit: object) -> Choice:
        """Return what a user asks for; raises ValueError, which says how to ask."""
        for kind in kinds:
            if kind not in KINDS:
                raise ValueError(f"{kind!r} is no kind of entry; known are {', '.join(KINDS)}")
        digits = str(limit)
        if not (digits.isascii() and digits.isdigit() and len(digits) < 6 and 1 <= int(digits) <= MOST):
            raise ValueError(f"limit is a number from 1 to {MOST}")
        site = (given.get("site") or "").strip().lower() or None
        others = {name: given.get(name) or None for name in ("tag", "search", "collection")}
        return cls(site, others["tag"], others["search"], others["collection"], tuple(kinds), int(digits))

    @property
    def words(self) -> str:
        """Return in words what a feed is of."""
        said = [f"site {self.site}"] if self.site else []
        said += [f"tag {self.tag}"] if self.tag else []
        said += [f"search {self.search}"] if self.search else []
        said += [f"collection {self.collection}"] if self.collection else []
        said += [", ".join(self.kinds)] if self.kinds else []
        return "; ".join(said)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a page: `at` is when it was first seen, `updated` when it was confirmed."""

    kind: str
    url: str
    at: datetime
    updated: datetime
    title: str
    text: str
    record_id: str | None
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return a permanent id: the same for the same thing in every feed, whichever machine makes it."""
        said = "\n".join(("onrecord", self.kind, self.url, iso(self.at)))
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, said.encode('utf-8', 'replace').decode())}"


def entries(
    archive: Reader, ledger: Ledger, watches: Sequence[Watch], choice: Choice, in_search: InSearch
) -> list[Entry]:
    """Return the newest entries that are asked for; raises StoreError, IntegrityError.

    What waits for a second look has no entry yet, as it has no alert.
    """
    wanted = None
    if choice.search or choice.collection:
        wanted = in_search(choice.search or "", choice.collection)
    with ledger.opened() as database:
        rows = _Rows(archive, ledger, database, watches, choice, wanted)
        found = list(islice(rows, choice.limit * _AHEAD))
        newest = sorted(found, key=lambda each: (each.updated, each.url, each.kind), reverse=True)[: choice.limit]
        return [each.entry(archive) for each in newest]


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry to be: its text is read when it is given."""

    kind: str
    url: str
    at: datetime
    updated: datetime
    seen: Observation
    transition: Transition | None
    watch: Watch | None

    def entry(self, archive: Reader) -> Entry:
        tags = self.watch.tags if self.watch else ()
        if self.transition is None:
            title, text = self.seen.title, f"First captured {iso(self.at)}."
        else:
            event = event_of(archive, self.transition, self.watch)
            title, text = event.title, "\n\n".join(filter(None, (event.summary, event.diff)))
        named = f"{in_words(self.kind)}: {title or self.url}"
        return Entry(
            self.kind, self.url, self.at, self.updated, one_line(named, 400), lines_of(text, _LONGEST),
            self.seen.record_id, tags,
        )  # fmt: skip


class _Rows:
    """The ledger's news, newest first, as far as it is asked for."""

    def __init__(
        self,
        archive: Reader,
        ledger: Ledger,
        database: sqlite3.Connection,
        watches: Sequence[Watch],
        choice: Choice,
        wanted: set[str] | None,
    ) -> None:
        self._archive = archive
        self._ledger = ledger
        self._database = database
        self._sources = {target_of(watch).url: watch for watch in watches}
        self._choice = choice
        self._wanted = wanted
        self._of_page = lru_cache(_KEPT)(self._read)

    def __iter__(self) -> Iterator[_Found]:
        with closing(self._database.execute(self._query())) as rows:
            for url, seconds in rows:
                if not self._is_asked(url):
                    continue
                at = time_of(seconds)
                yield from (each for each in self._of_page(url) if each.at == at)

    def _query(self) -> str:
        """Return the query for the news that may be asked for, newest first; it reads an index from its end."""
        query = "SELECT url, at FROM observations AS it WHERE news = 1"
        if self._choice.kinds and CAPTURED not in self._choice.kinds:  # then not what is the first of its page
            query += " AND EXISTS (SELECT 1 FROM observations WHERE url = it.url AND at < it.at AND news = 1)"
        if self._wanted is not None:
            with self._database:
                self._database.execute("CREATE TEMP TABLE wanted(url TEXT PRIMARY KEY) WITHOUT ROWID")
                rows = ((url.encode("utf-8", "replace").decode(),) for url in self._wanted)
                self._database.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", rows)
            query += " AND (url IN (SELECT url FROM wanted) OR final IN (SELECT url FROM wanted))"
        return f"{query} ORDER BY at DESC, url"

    def _is_asked(self, url: str) -> bool:
        site, tag = self._choice.site, self._choice.tag
        if site and not _is_of(url, site):
            return False
        watch = self._watch(url) if tag else None
        return tag is None or (watch is not None and tag in watch.tags)

    def _watch(self, url: str) -> Watch | None:
        own = self._sources.get(url)
        if own is not None or not self._sources:
            return own
        found = self._ledger.sources_of(self._database, url)
        return next((self._sources[source] for source in found if source in self._sources), None)

    def _read(self, url: str) -> tuple[_Found, ...]:
        """Return all that happened to a page, as far as it is asked for and may be shown."""
        watch = self._watch(url)
        _, transitions = shown_history(self._archive, self._ledger, self._database, url)
        first = next((each for each in observations_of(self._database, url) if each.state == State.OK), None)
        found = [_Found(each.change, url, each.at, each.decided, each.later, each, watch) for each in transitions]
        if first is not None:
            found.append(_Found(CAPTURED, url, first.at, first.at, first, None, watch))
        kinds, wanted = self._choice.kinds, self._wanted
        return tuple(
            each
            for each in found
            if (not kinds or each.kind in kinds)
            and (wanted is None or not wanted.isdisjoint({url, each.seen.shown_at}))
            and self._may_be_shown(each)
        )

    def _may_be_shown(self, found: _Found) -> bool:
        transition = found.transition
        seen = (found.seen,) if transition is None else (transition.earlier, transition.later, transition.last)
        return not any(
            self._archive.withholding_at(url, each.at, each.record_id or "")
            for each in seen
            for url in filter(None, (each.url, each.final))
        )


def _is_of(url: str, site: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:  # a target that was no URL
        return False
    return host == site or host.endswith(f".{site}")


def in_archive(archive: Reader, texts: Callable[[str, str | None], Iterator[str]]) -> InSearch:
    """Return what finds the pages of a search, of a collection, or of both; `texts` gives the URLs of texts found.

    It raises ValueError for a collection that is not there.
    """

    def found(words: str, collection: str | None) -> set[str]:
        if words:
            return set(texts(words, collection))
        try:
            return {each.url for each in archive.collection(collection or "") if each.document}
        except NoSuchAnnotation as error:
            raise ValueError(str(error)) from error

    return found
