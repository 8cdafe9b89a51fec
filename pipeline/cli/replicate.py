"""`onrecord replicate`: a copy of the archive in another store."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.copies import told


@click.command("replicate")
@click.argument("target", metavar="STORE")
@click.pass_obj
def command(context: Context, target: str) -> None:
    """Bring every run to another store that does not hold it yet, and read back what was put.

    A run that is damaged here is named and not passed on. The copy is an archive like this one.

    Example: onrecord --store s3://archive replicate /mnt/disk/archive
    """
    from archive.replica import Replica
    from storage.location import open_store

    archive = context.open_archive()
    archive.require()
    replica = Replica(archive.store, open_store(target), archive.spool.scratch)
    told(context, replica.replicate(), "copied")
