"""Feeds over HTTP: /feed.atom and /feed.json, of a site, a tag, a search, a collection, or all."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from archive.archive import Reader
from pipeline.watch.feeds.entries import DEFAULT, Choice, Entry, entries, in_archive
from pipeline.watch.feeds.feed_files import page_at, title_of
from pipeline.watch.feeds.formats import ATOM, JSON, Channel, atom, iri, json_feed
from pipeline.watch.history import Ledger
from pipeline.watch.watch_list import Watch
from pipeline.web.common.archive_reader import Question, Reading
from pipeline.web.common.responses import PLAIN

_FRESH = 5.0  # seconds that what is known of the pages is taken for the newest
_HITS = 1_000  # texts of a search
_LONGEST = 500  # characters of a parameter
_WRITERS: dict[str, Callable[[Channel, Sequence[Entry]], bytes]] = {ATOM: atom, JSON: json_feed}


class Feeds:
    """Answers with feeds; one request at a time brings the ledger up to date and reads it."""

    def __init__(
        self, reading: Reading, ledger: Ledger, watches: Callable[[], Sequence[Watch]], origin: str | None = None
    ) -> None:
        """`origin` is what the archive is reached at, where that is not what is asked."""
        self._reading = reading
        self._ledger = ledger
        self._watches = watches
        self._origin = origin
        self._lock = threading.Lock()
        self._synced = float("-inf")

    def atom(self, request: Request, archive: Reader, base: str) -> Response:
        """Answer with an Atom feed; raises ValueError for what cannot be asked so, StoreError, IntegrityError."""
        return self._answer(request, archive, base, ATOM)

    def json(self, request: Request, archive: Reader, base: str) -> Response:
        """Answer with a JSON feed; raises as `atom`."""
        return self._answer(request, archive, base, JSON)

    def _answer(self, request: Request, archive: Reader, base: str, kind: str) -> Response:
        choice, base = choice_of(request), self._origin or base
        with self._lock:
            if time.monotonic() - self._synced > _FRESH:
                self._ledger.sync(archive)
                self._synced = time.monotonic()
            found = entries(archive, self._ledger, self._watches(), choice, in_archive(archive, self._texts))
        address = iri(f"{base}{request.url.path}" + (f"?{request.url.query}" if request.url.query else ""))
        name = f"onrecord feed {archive.url} {choice.words}"
        channel = Channel(title_of(choice), name, address, f"{base}/", page_at(base))
        body = _WRITERS[kind](channel, found)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = PLAIN | {"ETag": tag, "Cache-Control": "private, no-cache"}
        if tag in (each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=f"{kind}; charset=utf-8")

    def _texts(self, words: str, collection: str | None) -> Iterator[str]:
        hits, _ = self._reading.search(Question(words, collection=collection), _HITS)
        return (hit.url for hit in hits)


def choice_of(request: Request) -> Choice:
    """Return what a request asks for; raises ValueError."""
    asked = request.query_params
    given = {name: asked.get(key) for name, key in (("site", "site"), ("tag", "tag"), ("search", "q"))}
    given["collection"] = asked.get("collection")
    if any(len(value) > _LONGEST for value in given.values() if value):
        raise ValueError(f"a parameter is longer than {_LONGEST} characters")
    kinds = [kind for part in asked.getlist("kind") for kind in part.split(",") if kind]
    return Choice.checked(given, list(dict.fromkeys(kinds)), asked.get("limit") or DEFAULT)
