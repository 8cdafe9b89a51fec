"""One line on stderr that says of when an answer is, and lines where a lookup gives something else than was named."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.model import Snapshot
    from archive.page_history import Dated

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def same_text(archive: Reader, earlier: Snapshot, later: Snapshot) -> bool | None:
    """Return whether one extractor reads one text in two captures; see `pipeline.extract.rereading`."""
    from pipeline.extract.rereading import same_text as reread

    return reread(archive, earlier, later)


def when(archive: Reader, snapshot: Snapshot, asked: datetime | None) -> Dated:
    """Return of when a snapshot is, and what is known of the page since; raises IntegrityError, StoreError."""
    from archive.page_history import dated

    return dated(archive, snapshot, asked, same_text)


def note_lookup(context: Context, url: str, found: Dated) -> None:
    """Say of when an answer is; name its address where it is another spelling, and what stands in the page's place."""
    from archive.model import TEXT_INCOMPLETE
    from archive.times import iso

    snapshot = found.snapshot
    note_spelling(url, snapshot.url)
    if found.state is not None and not found.state.shows_page and not snapshot.withheld and not snapshot.is_redirect:
        shown = plain(found.state.words, 300)
        partly = snapshot.availability == TEXT_INCOMPLETE
        what = "has little of the page's words in its text" if partly else "does not show the page"
        click.echo(f"onrecord: the snapshot of {iso(snapshot.timestamp)} {what}: {shown}", err=True)
    source = f", {plain(snapshot.source, 300)}" if snapshot.recovered else ""
    source += f", {plain(snapshot.session_words, 300)}" if snapshot.session else ""
    parts = [f"snapshot of {iso(snapshot.timestamp)}{source}"]
    if found.distance is not None:
        parts[0] += f", {distance(found.distance)} the time asked for"
    parts += [plain(each, 300) for each in found.since()] or ["no later change is known"]
    context.say("; ".join(parts))


def note_spelling(url: str, found: str) -> None:
    """Name the snapshot's address where it is another spelling of the one that was named."""
    from archive.page_history import is_other_spelling

    if is_other_spelling(url, found):
        click.echo(f"onrecord: the snapshot is of another spelling of the address: {plain(found)}", err=True)


def distance(span: timedelta) -> str:
    """Return a span in its largest unit: "3 days after", "1 hour before", "at"."""
    seconds = abs(round(span.total_seconds()))
    for size, name in _UNITS:
        if seconds >= size:
            count = round(seconds / size)
            return f"{count:,} {name}{'' if count == 1 else 's'} {'after' if span > timedelta() else 'before'}"
    return "at"
