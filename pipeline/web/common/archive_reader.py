"""An archive as several threads read it, and the bounds of what one request may read."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from archive.archive import Reader
from archive.errors import NoSuchSnapshot
from archive.model import Document, Manifest, Snapshot
from archive.page_history import Dated, PageHistory, dated, histories, history, judged
from archive.search import Hit, search_index, within
from archive.states import Judged
from archive.stored_texts import StoredTexts
from archive.warc import Head, decoded
from pipeline.extract.rereading import same_text
from storage.errors import ObjectMissing, OnrecordError, StoreMissing

MOST_SNAPSHOTS = 20_000  # of one URL that a page is made from
_FRESH = 5.0  # seconds that what is known of the archive is taken for the newest
_LISTED = 60.0  # seconds that a list of runs may be old
_PATIENCE = 50  # times what a list took until the next one
_AROUND = 500  # snapshots near a time from which the one that is shown is chosen
_REDIRECTS = 20
_LONGEST_URL = 8192  # characters
_VISIT = timedelta(minutes=10)  # what a browser made of a page is not older than the page by more
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(?!\d)")


class BadQuestion(OnrecordError):
    """What was asked for cannot be understood; the message says how to ask."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Question:
    """What a search asks for: words of the text, of the title, of the author's name; where, and when."""

    words: str
    title: str = ""
    author: str = ""
    site: str | None = None
    collection: str | None = None
    start: datetime | None = None
    end: datetime | None = None


def asked_url(text: str) -> str:
    """Return the URL that someone wrote, with a scheme; raises BadQuestion."""
    url = text.strip()
    if not url:
        raise BadQuestion("name a URL: https://host/path")
    if len(url) > _LONGEST_URL:
        raise BadQuestion(f"the URL is longer than {_LONGEST_URL:,} characters")
    if _CONTROL.search(url):
        raise BadQuestion("the URL holds control characters; percent-encode them if they are meant")
    scheme = _SCHEME.match(url)
    if scheme is None:
        return f"https://{url.lstrip('/')}"
    if scheme[1].lower() not in {"http", "https", "urn"}:
        raise BadQuestion(
            f"{scheme[1].lower()}: is not kept here; name an address that begins with http:// or https://"
        )
    return url


def host_or_prefix(text: str) -> tuple[str, str | None]:
    """Return a URL written with a star, as CDX servers take it, without the star, and the match it means."""
    text = text.strip()
    if text.startswith("*."):
        return text[2:].rstrip("*"), "domain"
    return (text[:-1], "prefix") if text.endswith("*") else (text, None)


class Reading:
    """An archive for many threads: runs committed meanwhile are seen within seconds, in lists within a minute.

    Raises what `Archive` raises. The search index lies in `search_file`.
    """

    def __init__(self, archive: Reader, search_file: Path | None = None) -> None:
        self.archive = archive
        self._search_file = search_file
        self._lock = threading.Lock()
        self._searching = threading.Lock()
        self._looked = time.monotonic()
        self._runs: tuple[str, ...] = ()
        self._listed = float("-inf")
        self._pause = 0.0  # seconds between two lists of the runs: a bucket of many is slow to list

    def fresh(self) -> Reader:
        """Return the archive, with the runs of a few seconds ago at the latest."""
        with self._lock:
            if time.monotonic() - self._looked > _FRESH:
                self.archive.refresh()
                self._looked = time.monotonic()
        return self.archive

    def runs(self) -> tuple[str, ...]:
        """Return the runs that exist, oldest first, as they were a while ago.

        Seconds where they are few, else a minute.
        """
        archive = self.fresh()
        with self._lock:
            begun = time.monotonic()
            if begun - self._listed > self._pause:
                try:
                    self._runs = tuple(archive.runs())
                except StoreMissing:  # nothing was captured yet
                    self._runs = ()
                self._listed = time.monotonic()
                self._pause = min(max((self._listed - begun) * _PATIENCE, _FRESH), _LISTED)
            return self._runs

    def snapshots(self, url: str) -> list[Snapshot]:
        """Return what is kept of a URL, oldest first; of very many, the newest."""
        try:
            archive = self.fresh()
            return list(islice(archive.back(archive.kept_address(url)), MOST_SNAPSHOTS))[::-1]
        except StoreMissing:
            return []

    def judged(self, snapshots: Iterable[Snapshot]) -> Iterator[Judged]:
        """Return snapshots, by key, then time, each with what the judge says of it beside the others."""
        return judged(StoredTexts(self.archive, same_text), snapshots)

    def history(self, snapshots: Iterable[Snapshot]) -> PageHistory:
        """Return the snapshots of one page as the judge has them, and where the page stands."""
        return history(StoredTexts(self.archive, same_text), snapshots)

    def histories(self, snapshots: Iterable[Snapshot]) -> Iterator[PageHistory]:
        """Return the history of each page, of snapshots that come by key, then time."""
        return histories(StoredTexts(self.archive, same_text), snapshots)

    def dated(self, snapshot: Snapshot, asked: datetime | None = None) -> Dated:
        """Return of when a snapshot is, and what is known of its page since."""
        return dated(self.fresh(), snapshot, asked, same_text)

    def walk(self, url: str, match: str, after: str = "") -> Iterator[Snapshot]:
        """Yield what is kept of a prefix, a host or a domain, by key, then time.

        What comes after a key, if one is named.
        """
        archive = self.fresh()
        try:
            yield from archive.snapshots_after(url, match, after, "~") if after else archive.snapshots(url, match=match)
        except StoreMissing:  # nothing was captured yet
            return

    def snapshot(self, url: str, at: datetime) -> Snapshot:
        """Return the snapshot of a URL nearest to a time, the very URL and no redirect first; raises NoSuchSnapshot."""
        found = self.fresh().near(url, at)
        if found is None:
            raise NoSuchSnapshot(f"nothing is kept of {url}")
        return found

    def nearest(self, url: str, at: datetime, *, standing: bool) -> Snapshot:
        """Return the snapshot that shows a URL at a time, redirects followed; raises NoSuchSnapshot.

        With `standing`, for what a page needs to be shown, one that is no tombstone is nearer than any that is.
        """
        followed: set[str] = set()
        while len(followed) <= _REDIRECTS:
            best = self._best(url, at, followed, standing=standing)
            if not best.is_redirect or best.location is None:
                return best
            followed.add(best.place)
            url, at = best.location, best.timestamp
        raise NoSuchSnapshot(f"what is kept of {url} redirects in a circle")

    def _best(self, url: str, at: datetime, followed: set[str], *, standing: bool) -> Snapshot:
        kept = list(islice(self.fresh().around(url, at), _AROUND))
        if not kept:
            raise NoSuchSnapshot(f"nothing is kept of {url}")
        # http and https are one key: a redirect from one to the other leads to its own neighbours
        found = [each for each in kept if each.place not in followed]
        if not found:
            raise NoSuchSnapshot(f"what is kept of {url} redirects in a circle")
        at = at.replace(microsecond=0)
        best = min(
            found,
            key=lambda it: (standing and it.is_tombstone, abs(it.timestamp - at), it.is_redirect, it.url != url),
        )
        return self.archive.checked(best)

    def captures(self, run: str, limit: int) -> list[Snapshot]:
        """Return the first lines of a run's index."""
        return list(islice(self.archive.captures_of(run), limit))

    def made_of(self, snapshot: Snapshot, form: str) -> Snapshot | None:
        """Return what the browser of a capture made of its page, by what stands before the address: "urn:dom:"."""
        found = self.fresh().snapshots(form + snapshot.url, start=snapshot.timestamp, end=snapshot.timestamp + _VISIT)
        return next((each for each in found if each.run == snapshot.run and not each.withheld), None)

    def manifest(self, run: str) -> Manifest | None:
        """Return a run's manifest, or None when it is gone since the runs were listed."""
        try:
            return self.archive.manifest(run)
        except ObjectMissing:
            return None

    def document(self, snapshot: Snapshot) -> Document | None:
        """Return a snapshot's text and metadata."""
        return self.archive.document(snapshot)

    def body(self, snapshot: Snapshot, limit: int) -> tuple[Head, Iterator[bytes]]:
        """Return the head of a capture's response, and its body, codings undone, in pieces."""
        head, _, entity = self.archive.payload(snapshot)
        return head, decoded(entity, head.content_encoding, limit)

    def search(self, question: Question, limit: int) -> tuple[list[Hit], list[str]]:
        """Texts that match, the best first, and what is wrong with runs that are not searched."""
        runs = list(self.runs())
        named = [within("title", question.title), within("author", question.author)]
        words = " ".join([question.words, *filter(None, named)])
        with self._searching:
            index = search_index(self.fresh(), self._search_file, question.collection)
            try:
                faults = index.refresh(runs)
                hits = index.search(words, site=question.site, start=question.start, end=question.end, limit=limit)
                return list(hits), faults
            finally:
                index.close()
