"""A ledger with a past, without a capture."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.archive import Archive
from archive.states import Observation, State
from pipeline.watch.history import Ledger
from pipeline.watch.history_tables import insert
from storage.memory import MemoryStore

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
POST, TAX = "https://gazette.example/post", "https://news.gazette.example/tax"
HOSTILE = "<b>&]]>\x00\x0b\u202e\ufffe \U0001f600 title"


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


def seen(url: str, after: float, state: State = State.OK, text: str | None = "sha256:one", **more: str) -> Observation:
    given = {"record_id": f"<urn:uuid:{after}>", "title": f"Title of {url.rpartition('/')[2]}", **more}
    return Observation(url, hours(after), state, text if state == State.OK else None, **given)


PAST = [
    seen(POST, 0),
    seen(TAX, 1, title=HOSTILE),
    seen(POST, 2, text="sha256:two"),
    seen(POST, 3, text="sha256:two"),
    seen(POST, 4, State.GONE, detail="410"),
    seen(POST, 5, State.GONE, detail="410"),
    seen(POST, 6, text="sha256:two"),
    seen(POST, 7, text="sha256:two"),
    seen(TAX, 8, State.GONE, detail="waits for a second look"),
]


def archive_at(folder: Path) -> Archive:
    archive = Archive(MemoryStore(), spool=folder / "spool")
    archive.prepare()
    return archive


def ledger_of(folder: Path, past: Iterable[Observation] = PAST) -> Ledger:
    ledger = Ledger(folder / "state" / "ledger.db")
    with ledger.opened() as database, database:
        for each in past:
            insert(database, each, news=True)
    return ledger
