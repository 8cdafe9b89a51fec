"""The edits of pages: what was changed, whether a second look has confirmed it, and whether it is an alert."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archive.archive import Reader
from archive.states import Certainty, Change, Name, State, Transition, awaited
from archive.times import iso, now
from pipeline.watch.history import Ledger
from pipeline.watch.watched_pages import News
from pipeline.watch.withheld import shown_history


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit, and whether a second look has confirmed it.

    `no_alert` says by which rule of its watch it is no alert. With `selected`, parts of the page that its watch selects
    were changed, and the text was not.
    """

    transition: Transition
    confirmed: bool
    no_alert: str | None = None
    selected: bool = False

    @property
    def words(self) -> str:
        """Return the change in the words of states: "edited", "back", or "to be confirmed: edited"."""
        word = "selected parts changed" if self.selected else in_words(self.transition.change)
        return word if self.confirmed else f"{Certainty.PENDING}: {word}"


def in_words(change: str) -> str:
    """Return the word that a snapshot's state has for a transition: the event "changed" is an edit."""
    return Name.EDITED.value if change == Change.CHANGED else change


def edits_of(
    archive: Reader,
    ledger: Ledger,
    database: sqlite3.Connection,
    start: datetime | None,
    end: datetime | None,
    news: News | None = None,
) -> list[Edit]:
    """Return the edits in a span of time, newest first: changes of a text, and returns with another one.

    Those that wait for a second look are among them. `news` says which of them are no alerts, by the watch list; the
    changes of parts that a watch selects are among them, too.
    """
    found = []
    unconfirmed: set[Transition] = set()
    for url in ledger.changed_since(database, start or datetime.fromtimestamp(0, now().tzinfo)):
        where, transitions = shown_history(archive, ledger, database, url)
        waiting = awaited(where)
        found += [each for each in (*transitions, *filter(None, [waiting])) if is_edit(each)]
        unconfirmed |= {waiting} if waiting else set()
    parts = news.selected(ledger.urls(database), found) if news else []
    kept = [each for each in (*found, *parts) if (not start or each.at >= start) and (not end or each.at <= end)]
    ordered = sorted(kept, key=lambda each: (each.at, each.url), reverse=True)
    return [
        Edit(
            each,
            confirmed=each not in unconfirmed,
            no_alert=news.no_alert(each) if news and each not in (*parts, *unconfirmed) else None,
            selected=each in parts,
        )
        for each in ordered
    ]


def is_edit(transition: Transition) -> bool:
    """Whether the text is another one than before."""
    return transition.after == State.OK and transition.later.text not in {None, transition.earlier.text}


def edit_of(edit: Edit, diff: str | None) -> dict[str, Any]:
    """Return an edit as plain values."""
    transition = edit.transition
    return {
        "url": transition.url,
        "title": transition.later.title or transition.earlier.title,
        "final_url": transition.later.final,
        "change": transition.change,
        "confirmed": edit.confirmed,
        "at": iso(transition.at),
        "from": {"timestamp": iso(transition.earlier.at), "record_id": transition.earlier.record_id},
        "to": {"timestamp": iso(transition.later.at), "record_id": transition.later.record_id},
        "diff": diff,
        **({"no_alert": edit.no_alert} if edit.no_alert else {}),
        **({"selected": True} if edit.selected else {}),
    }
