"""One line on stderr where a lookup gives something else than the page that was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.output import plain

if TYPE_CHECKING:
    from archive.model import Snapshot


def note_lookup(snapshot: Snapshot) -> None:
    """Name the wall where a snapshot shows one in the page's place."""
    from archive.times import iso

    if snapshot.availability is not None and not snapshot.withheld:
        shown = plain(snapshot.availability)
        click.echo(f"onrecord: the snapshot of {iso(snapshot.timestamp)} does not show the page: {shown}", err=True)
