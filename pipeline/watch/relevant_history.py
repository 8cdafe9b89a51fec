"""A page's history under the rules of its watch: what is an alert, and what waits for a second look.

The ledger keeps what every capture showed. Here each text is replaced by what of it matters to the watch, so that a
change which the rules leave out is no change. Where that cannot be had of a text, the whole texts are compared.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace

from archive.archive import Reader
from archive.digests import text_digest
from archive.errors import ArchiveError
from archive.states import Availability, Observation, State, Transition, follow, step
from archive.times import now
from archive.warc import decoded
from pipeline.extract.tasks import MAYBE_PAGES
from pipeline.extract.worker_pool import TaskFailure, WorkerPool
from pipeline.watch.alert_rules import TextRules
from pipeline.watch.history_tables import RECENT, keep_relevant, observations_of, relevant_of
from pipeline.watch.relevant_text import Captured, Relevant, words_changed, work
from pipeline.watch.watch_list import Watch
from storage.errors import StoreError

_log = logging.getLogger("onrecord.watch")

_TIME = 20.0  # seconds that the rules may take for one page
_MEMORY = 2_000_000_000  # bytes
_DECODED = 100_000_000  # bytes of a page after its content codings are undone


class _NotComparable(Exception):
    """What matters of a text cannot be had; the whole text is compared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What of two texts matters to a watch, and which of its keywords appear or vanish between them."""

    before: str
    after: str
    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()


class RelevantHistories:
    """Pages' histories under the rules of their watches, made from the ledger's observations and kept in its file."""

    def __init__(self, archive: Reader, database: sqlite3.Connection) -> None:
        self._archive = archive
        self._database = database
        self._pool: WorkerPool[Relevant] | None = None
        self._warned: set[tuple[str, str]] = set()

    def close(self) -> None:
        """End the process that reads markup, if there is one."""
        if self._pool is not None:
            self._pool.close()

    def of(self, url: str, watch: Watch) -> tuple[Availability, list[Transition]]:
        """Return where a page is under its watch's rules, and the transitions of the last days; raises StoreError."""
        seen = observations_of(self._database, url)
        recent = [each for each in seen if each.at >= now() - RECENT]
        before, _ = follow(seen[: len(seen) - len(recent)])
        before, confirmation = replace(before, pending=()), watch.alert_times.confirmation
        try:
            return self._followed(before, recent, seen, watch)
        except _NotComparable as why:
            _log.info("the whole texts of %s are compared: %s", url, why)
            found, transitions = before, []
            for each in recent:
                found, transition = step(found, each, confirmation)
                transitions += [transition] if transition else []
            return found, transitions

    def is_left_out(self, transition: Transition, watch: Watch) -> bool:
        """Return whether the rules of the watch make an edit no alert; raises StoreError."""
        rules = watch.text_rules
        if transition.earlier.text is None or transition.later.text is None:
            return False
        if rules.least_words > 1:  # small changes add up: only what was compared in its turn is known
            rows = [relevant_of(self._database, _key(each, rules)) for each in (transition.earlier, transition.later)]
            return None not in rows and len({row[1] for row in rows if row}) == 1
        try:
            before = self._text(transition.earlier, None, [], rules)
            return before == self._text(transition.later, before, [transition.earlier], rules)
        except _NotComparable:
            return False

    def difference(self, transition: Transition, watch: Watch) -> Difference | None:
        """Return what an edit did to what matters of a text; None where that cannot be had."""
        try:
            old, new = (self._read(each, watch.text_rules) for each in (transition.earlier, transition.later))
        except (_NotComparable, StoreError):
            return None
        appeared = tuple(word for word in new.keywords if word not in old.keywords)
        vanished = tuple(word for word in old.keywords if word not in new.keywords)
        return Difference(old.shown, new.shown, appeared, vanished)

    def _followed(
        self, before: Availability, recent: list[Observation], seen: list[Observation], watch: Watch
    ) -> tuple[Availability, list[Transition]]:
        rules, confirmation = watch.text_rules, watch.alert_times.confirmation
        found, transitions = before, []
        if before.good is not None:
            found = replace(before, good=replace(before.good, text=self._text(before.good, None, seen, rules)))
        for each in recent:
            base = found.good.text if found.good else None
            found, transition = step(found, replace(each, text=self._text(each, base, seen, rules)), confirmation)
            transitions += [transition] if transition else []
        return found, transitions

    def _text(self, seen: Observation, base: str | None, known: list[Observation], rules: TextRules) -> str | None:
        """Return the digest of what matters of a text; `base` where the change from there is too small to matter."""
        if seen.text is None or seen.state != State.OK:
            return seen.text
        key = _key(seen, rules)
        kept = relevant_of(self._database, key)
        if kept is not None:
            return kept[1]
        found = self._read(seen, rules)
        own = text_digest(found.compared.split())
        text = own
        if base is not None and own != base and rules.least_words > 1:
            earlier = self._source(base, known, rules)
            small = earlier is not None and words_changed(earlier.compared, found.compared) < rules.least_words
            text = base if small else own
        with suppress(sqlite3.OperationalError), self._database:  # what cannot be kept is made again
            keep_relevant(self._database, key, own, text)
        return text

    def _source(self, base: str, known: list[Observation], rules: TextRules) -> Relevant | None:
        """Return the text that small changes are measured from, by its digest."""
        for each in known:
            row = relevant_of(self._database, _key(each, rules)) if each.text else None
            if row is not None and row[0] == base:
                return self._read(each, rules)
        return None

    def _read(self, seen: Observation, rules: TextRules) -> Relevant:
        """Return what matters of a capture's text; raises _NotComparable, StoreError."""
        try:
            captured = self._captured(seen, rules)
        except ArchiveError as error:
            raise _NotComparable(str(error)) from error
        if not (rules.reads_markup or rules.only.regex or rules.ignore.regex):
            found = work(captured)
        else:
            found = self._apart(captured)
        if found.missing is not None and (seen.url, found.missing) not in self._warned:
            self._warned.add((seen.url, found.missing))
            _log.warning("`%s` finds nothing in %s: its whole text is compared", found.missing, seen.url)
        return found

    def _captured(self, seen: Observation, rules: TextRules) -> Captured:
        snapshot = self._archive.near(seen.shown_at, seen.at)
        document = self._archive.document(snapshot) if snapshot else None
        if snapshot is None or document is None or not document.article.text:
            raise _NotComparable(f"no text of {seen.at:%Y-%m-%d %H:%M} is kept")
        body = content_type = None
        if rules.reads_markup and snapshot.mime in MAYBE_PAGES:
            head, _, entity = self._archive.page_body(snapshot, document.rendered)
            body = b"".join(decoded(entity, head.content_encoding, _DECODED))
            content_type = head.header("Content-Type")
        return Captured(rules, snapshot.url, document.article.text, document.article.title, body, content_type)

    def _apart(self, captured: Captured) -> Relevant:
        """Apply the rules in a process of its own: an expression may take for ever."""
        if self._pool is None:
            self._pool = WorkerPool("pipeline.watch.relevant_text:work", 1, time_limit=_TIME, memory_limit=_MEMORY)
        future: Future[Relevant] = self._pool.submit(captured)
        try:
            return future.result()
        except TaskFailure as failure:
            if (captured.url, failure.kind) not in self._warned:
                self._warned.add((captured.url, failure.kind))
                _log.warning("the rules of the watch of %s cannot be applied: %s", captured.url, failure)
            raise _NotComparable(str(failure)) from failure


def _key(seen: Observation, rules: TextRules) -> str:
    """Return what the relevant text of an observation depends on, as one key."""
    parts = [repr(rules), seen.text or ""]
    parts += [seen.title or ""] if "headline" in rules.kinds else []
    parts += [seen.digest or ""] if rules.reads_markup else []
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
