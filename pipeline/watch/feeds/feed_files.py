"""Feeds as files: named in the watch list as [[feed]], written after each run."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from archive.archive import Reader
from archive.times import stamp
from pipeline.watch.feeds.entries import DEFAULT, Choice, Entry, InSearch, entries
from pipeline.watch.feeds.formats import Channel, atom, json_feed
from pipeline.watch.history import Ledger
from pipeline.watch.watch_list import Watch, WatchError

_KEYS = {"file", "title", "site", "tag", "search", "collection", "kinds", "limit", "origin", "address"}
_ENDINGS = {".atom": atom, ".xml": atom, ".json": json_feed}


@dataclass(frozen=True, slots=True)
class FeedFile:
    """A feed that is written as a file.

    `origin` is where `onrecord serve` shows the archive, to which entries then lead; `address` is the feed's own.
    """

    file: Path
    choice: Choice
    title: str
    origin: str | None = None
    address: str | None = None

    def written(self, store: str, found: Sequence[Entry]) -> bytes:
        """Return the feed of entries of a store, in the format of the file's ending."""
        name = f"onrecord feed {store} {self.choice.words}"
        home = f"{self.origin}/" if self.origin else None
        page_of = page_at(self.origin) if self.origin else None
        return _ENDINGS[self.file.suffix](Channel(self.title, name, self.address, home, page_of), found)


def title_of(choice: Choice) -> str:
    """Return a title for a feed."""
    return "What happened to pages on record" + (f" ({choice.words})" if choice.words else "")


def page_at(origin: str) -> Any:
    """Return what gives the address at which an entry is read, in an archive that is served at an origin."""

    def page_of(entry: Entry) -> str:
        query = urlencode({"url": entry.url, "at": stamp(entry.at)}, errors="replace")
        return f"{origin}/read?{query}" if entry.record_id else f"{origin}/url?{urlencode({'url': entry.url})}"

    return page_of


def feeds_of(path: Path) -> list[FeedFile]:
    """Return the feeds that a watch list names; raises WatchError."""
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("feed", [])
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        raise WatchError(f"the watch list {path} cannot be read: {error}") from error
    if not isinstance(tables, list):
        raise WatchError(f"{path}: 'feed' is no list of tables; write one [[feed]] for each file")
    found = []
    for number, table in enumerate(tables, 1):
        try:
            found.append(_feed(table, path.parent))
        except ValueError as error:
            raise WatchError(f"{path}: feed {number}: {error}") from error
    return found


def _feed(table: object, folder: Path) -> FeedFile:
    if not isinstance(table, dict):
        raise ValueError("it is no table; write [[feed]]")  # noqa: TRY004 - one error for whatever is wrong
    for name in table:
        if name not in _KEYS:
            raise ValueError(f"{name!r} is no key; known are {', '.join(sorted(_KEYS))}")
    texts = {name: _text(table, name) for name in sorted(_KEYS - {"kinds", "limit"})}
    kinds = table.get("kinds", [])
    if not isinstance(kinds, list) or not all(isinstance(each, str) for each in kinds):
        raise ValueError('`kinds` is a list of texts: ["changed", "gone"]')
    file = folder / Path(texts["file"] or "").expanduser()
    if not texts["file"] or file.suffix not in _ENDINGS:
        raise ValueError(f"`file` is a path that ends in {', '.join(_ENDINGS)}")
    for name in ("origin", "address"):
        if (text := texts[name]) and (urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname):
            raise ValueError(f"`{name}` is an address: https://archive.example")
    choice = Choice.checked(texts, kinds, table.get("limit", DEFAULT))
    origin = texts["origin"].rstrip("/") if texts["origin"] else None
    return FeedFile(file, choice, texts["title"] or title_of(choice), origin, texts["address"])


def _text(table: Mapping[str, Any], name: str) -> str | None:
    value = table.get(name)
    if value is not None and (not isinstance(value, str) or not value or not value.isprintable()):
        raise ValueError(f"`{name}` is one line of text")
    return value


def feed_bytes(feed: FeedFile, archive: Reader, ledger: Ledger, watches: Sequence[Watch], in_search: InSearch) -> bytes:
    """Return a feed as its file holds it; raises ValueError, StoreError, IntegrityError."""
    return feed.written(archive.url, entries(archive, ledger, watches, feed.choice, in_search))
