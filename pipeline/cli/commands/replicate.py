"""`onrecord replicate`: a copy of the archive in another store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.copy_report import told

if TYPE_CHECKING:
    from archive.access.replicate_rules import Copied
    from storage.base import ObjectStore


@click.command("replicate")
@click.argument("target", metavar="[STORE]", required=False)
@click.pass_obj
def command(context: Context, target: str | None) -> None:
    """Bring every run to another store that does not hold it yet, and read back what was put.

    A run that is damaged here is named and not passed on. The copy is an archive like this one. The members of a mirror
    get what they lack from one another when no STORE is named.

    Example: onrecord --store s3://archive replicate /mnt/disk/archive
    """
    from storage.location import open_store
    from storage.mirror import members

    archive = context.open_archive()
    archive.require()
    stores = members(archive.store)
    if target is None and len(stores) == 1:
        raise click.UsageError("name the STORE to copy to", click.get_current_context())
    pairs = (
        ((source, store) for store in stores for source in stores if source is not store)
        if target is None
        else ((archive.store, store) for store in members(open_store(target)))
    )
    told(context, _copies(context, archive.spool.scratch, pairs), "copied")


def _copies(context: Context, scratch: Path, pairs: Iterable[tuple[ObjectStore, ObjectStore]]) -> Iterator[Copied]:
    from archive.copies.replicate import Replica

    known = context.known_stores()
    for source, target in pairs:
        known.check(target)
        yield from Replica(source, target, scratch, context.known_keys()).replicate()
        known.remember(target)
