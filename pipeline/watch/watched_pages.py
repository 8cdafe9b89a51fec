"""Which watch a page belongs to, and why a change of it is no alert."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from archive.archive import Reader
from archive.model import Snapshot
from archive.states import Change, Observation, State, Transition
from archive.text_diff import bracketed, compare, marked
from pipeline.watch.due import target_of
from pipeline.watch.history import Ledger
from pipeline.watch.line_kinds import DEFAULT_KINDS
from pipeline.watch.relevant_history import RelevantHistories
from pipeline.watch.watch_list import Watch
from pipeline.watch.withheld import shown_of
from storage.errors import StoreError


class WatchedPages:
    """The pages of a watch list, by address: those that it names, and those that its sources led to."""

    def __init__(self, watches: Iterable[Watch], ledger: Ledger, database: sqlite3.Connection) -> None:
        self.by_source = {target_of(watch).url: watch for watch in watches}
        self._ledger = ledger
        self._database = database

    def watch_of(self, url: str) -> Watch | None:
        """Return the watch of a page, the first of several; None for a page that is not watched."""
        sources = (url, *self._ledger.sources_of(self._database, url))
        return next((self.by_source[source] for source in sources if source in self.by_source), None)


class News:
    """What of the changes of pages is news to their watches."""

    def __init__(self, archive: Reader, pages: WatchedPages, histories: RelevantHistories) -> None:
        self._archive = archive
        self._pages = pages
        self._histories = histories

    def no_alert(self, edit: Transition) -> str | None:
        """Return by which rule of its watch an edit is no alert; None where no rule says so."""
        watch = self._pages.watch_of(edit.url)
        try:
            if watch is None or not self._histories.is_left_out(edit, watch):
                return None
        except StoreError:  # then nothing can be said
            return None
        rules = watch.text_rules
        if rules.keywords:
            return "no keyword of its watch appeared or vanished"
        if rules.least_words > 1:
            return f"fewer than {rules.least_words} words of what its watch compares changed"
        if rules.only == rules.ignore and rules.kinds == DEFAULT_KINDS:
            return "only counters, or times as a distance, changed"
        return "its watch leaves out what changed"

    def no_alert_between(self, earlier: Snapshot, later: Snapshot) -> str | None:
        """Return by which rule of its watch the edit from one snapshot to another is no alert."""
        old, new = (
            Observation(
                later.url, each.true_time, State.OK, each.text.digest if each.text else None, each.record_id,
                title=each.title, digest=each.digest,
            )
            for each in (earlier, later)
        )  # fmt: skip
        edit = Transition(later.url, Change.CHANGED, new.at, new.at, State.OK, State.OK, old, new, new)
        return self.no_alert(edit)

    def difference(self, change: Transition) -> str | None:
        """Return what a change did to the parts that its watch selects, in words; None where that cannot be had."""
        watch = self._pages.watch_of(change.url)
        found = self._histories.difference(change, watch) if watch else None
        return marked(compare(f"{found.before}\n", f"{found.after}\n"), bracketed) if found else None

    def selected(self, urls: Iterable[str], edits: Iterable[Transition]) -> list[Transition]:
        """Return the last days' changes of parts that watches select, where the pages' texts stayed as they were."""
        known = {(each.url, each.later.record_id) for each in edits}
        found = []
        for url in urls:
            watch = self._pages.watch_of(url)
            if watch is None or not watch.text_rules.reads_markup:
                continue
            _, transitions = shown_of(self._archive, *self._histories.of(url, watch))
            found += [
                each
                for each in transitions
                if each.later.text not in {None, each.earlier.text} and (url, each.later.record_id) not in known
            ]
        return found
