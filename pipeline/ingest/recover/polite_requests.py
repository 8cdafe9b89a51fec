"""Requests to other archives, by the fetcher that captures pages: its proxy, its limits, its checks of addresses."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from archive.errors import EntityError
from archive.model import Exchange, Fetched, Headers, Role, Target
from archive.warc import decoded, entity_of
from pipeline.capture.http.fetch_many import fetch
from pipeline.capture.http.settings import FetchSettings
from pipeline.ingest.recover.other_archive import RecoverError, host_of

PER_MINUTE = 24.0  # searches that an archive is asked to answer
_HOPS = 5  # redirects of a search or a TimeGate
_RETRIES = 5
_LONGEST_WAIT = 300.0  # seconds of a Retry-After that are waited for; after a longer one, the user runs it again
_LIST_LIMIT = 4_000_000_000  # bytes of an answer to a search


class RateLimited(RecoverError):
    """An archive asks to be left alone for longer than is waited for."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How an archive is asked: settings of the fetcher, searches a minute, and a folder in which the last is noted."""

    fetch: FetchSettings
    per_minute: float
    folder: Path

    @property
    def settings(self) -> FetchSettings:
        """Return the fetcher's settings for an archive: redirects are looked at here, and Retry-After is waited for."""
        return replace(self.fetch, max_redirects=0, retries=_RETRIES, max_retry_wait=_LONGEST_WAIT)


class Asking:
    """Asks archives, each search at its time, also where several invocations follow each other or run at once."""

    def __init__(self, manners: Manners, work: Path) -> None:
        """`work` is a folder for large answers."""
        self._manners = manners
        self._work = work

    @contextmanager
    def search(self, url: str, headers: Headers = ()) -> Iterator[Exchange]:
        """Ask for a list of captures, redirects followed; the answer's file goes at the end. Raises RecoverError."""
        for _ in range(_HOPS):
            self._wait(host_of(url))
            (found,) = list(self._fetch([Target(url, headers=headers, role=Role.REQUISITE)]))
            try:
                exchange = checked(found)
                location = exchange.header("Location")
                if exchange.status not in {301, 302, 303, 307, 308} or location is None or is_memento(exchange):
                    yield exchange
                    return
                if exchange.header("Link") and headers:  # of a TimeGate: its links say all there is to know
                    yield exchange
                    return
                from archive.formats import joined_url

                url = joined_url(url, location)
            finally:
                found.discard()
        raise RecoverError(f"{host_of(url)} redirects more than {_HOPS} times")

    def mementos(self, targets: Iterable[Target]) -> Generator[Fetched, None, None]:
        """Fetch mementos, no redirect followed; the caller discards each."""
        return self._fetch(targets)

    def _fetch(self, targets: Iterable[Target]) -> Generator[Fetched, None, None]:
        with closing(fetch(targets, self._manners.settings, self._work)) as results:
            yield from (found for found in results if found is not None)

    def _wait(self, host: str) -> None:
        """Wait until a further search of a host is polite; the time of the last one is kept between invocations."""
        pause = 60.0 / self._manners.per_minute
        folder = self._manners.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = "".join(each if each.isalnum() or each in ".-" else "_" for each in host)[:200]
        with (folder / f"{name}.last-search").open("a+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            last = 0.0
            with suppress(ValueError):
                last = float(file.read() or 0)
            left = last + pause - time.time()
            if 0 < left <= pause:
                time.sleep(left)
            file.truncate(0)
            file.write(f"{time.time():.3f}")


def is_memento(exchange: Exchange) -> bool:
    """Return whether an answer says of itself that it is a memento (RFC 7089 §2.1.1)."""
    return exchange.header("Memento-Datetime") is not None


def checked(found: Fetched) -> Exchange:
    """Return the answer to a question; raises RateLimited, or RecoverError without an answer."""
    host = host_of(found.target.url)
    if not found.exchanges:
        raise RecoverError(f"{host} cannot be asked: {found.verdict.error or found.verdict.name}")
    exchange = found.exchanges[-1]
    if exchange.status in {429, 503} and not is_memento(exchange):
        wait = exchange.header("Retry-After")
        after = f" for {wait[:40]} s" if wait and wait.strip().isdigit() else f" until {wait[:40]}" if wait else ""
        raise RateLimited(
            f"{host} answers {exchange.status} and asks to be left alone{after}; what was recovered is kept: run the "
            "same command again later, and it goes on from there"
        )
    if exchange.truncated:
        raise RecoverError(f"the answer of {host} broke off ({found.verdict.error}); run the same command again")
    return exchange


def pieces_of(exchange: Exchange) -> Iterator[bytes]:
    """Return an answer's body, its codings undone; raises RecoverError where they cannot be."""
    with exchange.response.open() as stream:
        head, entity = entity_of(exchange, stream)
        try:
            yield from decoded(entity, head.content_encoding, _LIST_LIMIT)
        except EntityError as error:
            raise RecoverError(f"the answer of {host_of(exchange.url)} cannot be read: {error}") from error
