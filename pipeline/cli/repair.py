"""`onrecord repair`: what is damaged or missing, from a copy of the archive."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.copies import told


@click.command("repair")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--from", "source", metavar="STORE", required=True, help="A copy of this archive.")
@click.pass_obj
def command(context: Context, runs: tuple[str, ...], source: str) -> None:
    """Read the whole archive, or the runs that are named, and put what is damaged or missing from a copy of it.

    A file is only put when it is the one that its run's manifest names. Where two manifests differ, the one that a
    later run names is the true one.

    Example: onrecord repair --from /mnt/disk/archive
    """
    from archive.replica import Replica
    from storage.location import open_store

    archive = context.open_archive()
    replica = Replica(open_store(source), archive.store, archive.spool.scratch)
    told(context, replica.mend(runs), "mended")
