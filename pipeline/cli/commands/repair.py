"""`onrecord repair`: what is damaged or missing, from a copy of the archive."""

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


@click.command("repair")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--from", "source", metavar="STORE", help="A copy of this archive; of a mirror, its other members.")
@click.pass_obj
def command(context: Context, runs: tuple[str, ...], source: str | None) -> None:
    """Read the whole archive, or the runs that are named, and put what is damaged or missing from a copy of it.

    A file is only put when it is the one that its run's manifest names. Where two manifests differ, the one that a
    later run names is the true one.

    Example: onrecord repair --from /mnt/disk/archive
    """
    from storage.location import open_store
    from storage.mirror import members

    archive = context.open_archive()
    stores = members(archive.store)
    if source is None and len(stores) == 1:
        raise click.UsageError("name a copy of the archive with --from", click.get_current_context())
    pairs = (
        ((other, store) for store in stores for other in stores if other is not store)
        if source is None
        else ((open_store(source), store) for store in stores)
    )
    told(context, _mended(context, archive.spool.scratch, pairs, runs), "mended")


def _mended(
    context: Context, scratch: Path, pairs: Iterable[tuple[ObjectStore, ObjectStore]], runs: tuple[str, ...]
) -> Iterator[Copied]:
    from archive.copies.replicate import Replica

    for source, target in pairs:
        yield from Replica(source, target, scratch, context.known_keys()).mend(runs)
        context.known_stores().remember(target)
