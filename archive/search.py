"""Full-text search over the documents of an archive: a local SQLite index, brought up to date when it is asked.

The index is a cache: it is made from the runs' documents, and made again when it is lost, damaged or of another layout.
Scripts without spaces are indexed character by character, so that any part of a sentence is found.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from archive.access.rules import subject_of
from archive.archive import Reader
from archive.errors import ArchiveError
from archive.model import Document
from archive.times import from_stamp, stamp
from storage.errors import ObjectMissing, OnrecordError
from storage.private import make_usable, private_file, private_folder

_log = logging.getLogger("onrecord.archive")

_LAYOUT = 2
_BUSY = 60.0  # seconds that another process may hold the index
_MOST_WORDS = 40  # of a question
_SNIPPET = 24  # words
_BEGIN, _END = "\x02", "\x03"  # around what was found, in snippets
_FIELDS = {"title", "author", "text", "comments"}

_UNSPACED = (
    "\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002ffff"
)
_CHARACTER = re.compile(f"([{_UNSPACED}])")
_PARTED = re.compile(f"(?<=[{_UNSPACED}])([{_BEGIN}{_END}]*) (?=[{_BEGIN}{_END}]*[{_UNSPACED}])")
_TERM = re.compile(r"""(-?)(?:(\w+):)?(?:"([^"]*)"|(\S+))""")

_TABLES = f"""
CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
  id INTEGER PRIMARY KEY, place TEXT UNIQUE, record TEXT, url TEXT, host TEXT, stamp TEXT, date TEXT, language TEXT);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
  title, author, text, comments, tokenize = "unicode61 remove_diacritics 2");
PRAGMA user_version = {_LAYOUT};
"""


class SearchUnavailable(OnrecordError):
    """The question cannot be asked here; the message says why."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found; in `snippet`, what was found stands between U+0002 and U+0003."""

    url: str
    timestamp: datetime
    record_id: str
    title: str | None
    author: str | None
    date: str | None
    snippet: str


Documents = Callable[[str], Iterator[Document]]
Shown = Callable[[str, datetime, str, str], bool]  # the URL, time, record id and place of a text's capture


class SearchIndex:
    """The index of one archive. Without a path it lives in memory.

    `documents` gives all those of a run, `shown` says which of them may be shown when they are found: rules come and
    go, and the index stays.
    """

    def __init__(self, path: Path | None, documents: Documents, shown: Shown) -> None:
        self._path = path
        self._documents = documents
        self._shown = shown
        self._database = self._open()

    def refresh(self, runs: list[str]) -> list[str]:
        """Take in the runs that are new, oldest first; returns what is wrong with those that cannot be read.

        Raises SearchUnavailable where the index cannot be written, StoreError.
        """
        known = {run for (run,) in self._ask("SELECT run FROM runs", [])}
        faults = []
        for run in sorted(set(runs) - known):
            try:
                with self._database:  # a run is taken in whole or not at all
                    for document in self._documents(run):
                        self._add(document)
                    self._database.execute("INSERT OR IGNORE INTO runs VALUES (?)", (run,))
            except (ArchiveError, ObjectMissing) as error:
                faults.append(f"run {run} is not searched: {error}")
            except sqlite3.Error as error:
                raise self._unusable(error) from error
        return faults

    def search(
        self,
        question: str,
        *,
        site: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 20,
    ) -> Iterator[Hit]:
        """Documents that match, the best first; one text is given once, as it was first captured.

        Words must all be there; "..." is a phrase, -word must not be there, title: and author: name a field, a * at a
        word's end matches any ending. Raises SearchUnavailable for a question without a word.
        """
        conditions, values = ["words MATCH ?"], [_match(question)]
        if site is not None:
            conditions.append("(host = ? OR host LIKE ? ESCAPE '\\')")
            values += [site.lower(), "%." + re.sub(r"([\\%_])", r"\\\1", site.lower())]
        for moment, comparison in ((start, ">="), (end, "<=")):
            if moment is not None:
                conditions.append(f"stamp {comparison} ?")
                values.append(stamp(moment))
        query = (
            f"SELECT url, stamp, record, place, title, author, date, snippet(words, -1, ?, ?, ' … ', {_SNIPPET}) "  # noqa: S608 - our own conditions
            "FROM words JOIN documents ON documents.id = words.rowid "
            f"WHERE {' AND '.join(conditions)} ORDER BY rank, stamp DESC, url LIMIT ? OFFSET ?"
        )
        begin, left = 0, limit
        while left > 0:
            rows = self._ask(query, [_BEGIN, _END, *values, limit, begin])
            for url, digits, record, place, title, author, date, snippet in rows:
                if left and self._shown(url, from_stamp(digits), record, place):
                    names = (_joined(title) or None, _joined(author) or None)
                    yield Hit(url, from_stamp(digits), record, *names, date, _joined(snippet))
                    left -= 1
            begin += limit
            left = left if len(rows) == limit else 0

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _ask(self, query: str, values: list[str | int]) -> list[tuple[str, ...]]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            raise SearchUnavailable(f"the question cannot be read ({error}); put words in quotes") from error
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: sqlite3.Error) -> SearchUnavailable:
        if self._path is None:
            return SearchUnavailable(f"the search index cannot be used ({error}): run the command again")
        return SearchUnavailable(f"{self._path} cannot be used ({error}): {make_usable(self._path)}; or remove it")

    def _add(self, document: Document) -> None:
        article = document.article
        if document.same_as is not None or not (article.text or article.title):
            return
        host = urlsplit(subject_of(document.url)).hostname or ""
        row = (document.place, document.record_id, document.url, host, stamp(document.timestamp))
        self._database.execute(
            "DELETE FROM words WHERE rowid IN (SELECT id FROM documents WHERE place = ?)", (document.place,)
        )
        cursor = self._database.execute(
            "INSERT OR REPLACE INTO documents (place, record, url, host, stamp, date, language) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, article.date, article.language),
        )
        words = [_spaced(value or "") for value in (article.title, article.author, article.text, article.comments)]
        self._database.execute(
            "INSERT INTO words (rowid, title, author, text, comments) VALUES (?, ?, ?, ?, ?)",
            (cursor.lastrowid, *words),
        )

    def _open(self) -> sqlite3.Connection:
        """Return the index, made anew when it is of another layout or damaged."""
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            if "fts5" in str(error):
                raise SearchUnavailable("this Python's SQLite has no full-text search (FTS5)") from error
            if self._path is None or isinstance(error, sqlite3.OperationalError):
                raise SearchUnavailable(f"the search index cannot be opened: {error}") from error
        for name in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + name).unlink(missing_ok=True)
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        if self._path is not None:
            with contextlib.suppress(OSError):
                private_folder(self._path.parent)
                private_file(self._path)  # SQLite gives its journals the rights of the database
        database = sqlite3.connect(self._path or ":memory:", timeout=_BUSY)
        try:
            (layout,) = database.execute("PRAGMA user_version").fetchone()
            if layout not in {0, _LAYOUT}:
                raise sqlite3.DatabaseError("of another layout")
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(_TABLES)
        except BaseException:
            database.close()
            raise
        return database


def within(name: str, words: str) -> str:
    """Return the words and phrases of a question, each to be looked for in one field: "title" or "author"."""
    terms = ((sign, f"{field}:{word}" if field else word, phrase) for sign, field, phrase, word in _TERM.findall(words))
    return " ".join(f'{sign}{name}:"{phrase}"' if phrase else f"{sign}{name}:{text}" for sign, text, phrase in terms)


def _spaced(text: str) -> str:
    return _CHARACTER.sub(r" \1 ", text)


def _joined(text: str | None) -> str:
    return _PARTED.sub(r"\1", " ".join((text or "").split()))


def _match(question: str) -> str:
    """Return a question in the words of FTS5, every word quoted, so that none of them is an operator."""
    wanted: list[str] = []
    unwanted: list[str] = []
    for sign, name, phrase, word in _TERM.findall(question)[:_MOST_WORDS]:
        known = name.lower() in _FIELDS
        text = phrase or (word if known or not name else f"{name}:{word}")
        ending = "*" if text.endswith("*") else ""
        plain = " ".join(_spaced(text.rstrip("*").replace('"', " ").replace("\x00", " ")).split())
        if not any(character.isalnum() for character in plain):
            continue
        term = f'"{plain}"{ending}'
        (unwanted if sign else wanted).append(f"{name.lower()} : {term}" if known else term)
    if not wanted:
        raise SearchUnavailable("the question holds no word to look for")
    return " AND ".join(wanted) + "".join(f" NOT {term}" for term in unwanted)


def search_index(archive: Reader, path: Path | None, collection: str | None = None) -> SearchIndex:
    """Return the full-text index of an archive, in a file or in memory, that finds what the archive may show.

    With `collection`, it finds what is in that collection. Raises SearchUnavailable, and IntegrityError where it cannot
    be known what may be shown.
    """
    archive.shown_mark()
    said = archive.annotations.said() if collection is not None else None
    if said is not None and collection not in said.collections:
        raise SearchUnavailable(f"there is no collection {collection!r}; `onrecord annotate` lists what there is")

    def shown(url: str, moment: datetime, record_id: str, place: str) -> bool:
        if said is not None and collection not in said.at(url, moment, record_id, place.rpartition(" ")[0]).collections:
            return False
        return archive.withholding_at(url, moment, record_id, place) is None

    documents = archive.unguarded().documents_of
    try:
        return SearchIndex(path, documents, shown)
    except (SearchUnavailable, OSError) as error:
        if path is None:
            raise
        _log.warning("%s cannot be used (%s), so the texts are read anew for this search", path, error)
        return SearchIndex(None, documents, shown)
