"""One line on stderr where a lookup gives something else than the page that was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.output import plain

if TYPE_CHECKING:
    from archive.model import Snapshot


def note_lookup(url: str, snapshot: Snapshot) -> None:
    """Name the snapshot's address where it is another spelling, a wall in the page's place, and an incomplete text."""
    from archive.formats import urlkey
    from archive.times import iso

    if urlkey(url) == urlkey(snapshot.url) and _spelling(url) != _spelling(snapshot.url):
        click.echo(f"onrecord: the snapshot is of another spelling of the address: {plain(snapshot.url)}", err=True)

    if snapshot.availability is not None and not snapshot.withheld:
        shown = plain(snapshot.availability)
        what = "does not show the page" if snapshot.is_behind_wall else "has little of the page's words in its text"
        click.echo(f"onrecord: the snapshot of {iso(snapshot.timestamp)} {what}: {shown}", err=True)


def _spelling(url: str) -> str:
    """Return the path and query of a URL as written, a slash at the path's end aside."""
    path, mark, query = url.partition("#")[0].rpartition("://")[2].partition("?")
    return path.partition("/")[2].rstrip("/") + mark + query
