"""`onrecord restore`: the archive again, in an empty directory, checked to its last byte."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.copies import told


@click.command("restore")
@click.argument("target", metavar="STORE")
@click.pass_obj
def command(context: Context, target: str) -> None:
    """Copy the archive into an empty store and verify every byte there: the drill for the day it is needed.

    Example: onrecord --store s3://replica restore /srv/archive
    """
    from archive.archive import Archive
    from archive.errors import IntegrityError
    from archive.replica import Replica
    from storage.errors import StoreMissing
    from storage.location import open_store

    archive = context.open_archive()
    archive.require()
    store = open_store(target)
    try:
        taken = next(iter(store.list()), None)
    except StoreMissing:
        taken = None  # a directory that is yet to be made
    if taken is not None:
        raise click.UsageError(f"{target} is not empty; name an empty place, or use `onrecord replicate`")
    told(context, Replica(archive.store, store, archive.spool.scratch).replicate(), "copied")
    restored = Archive(store, spool=archive.spool.scratch)
    findings = list(restored.verify())
    faults = [fault for finding in findings for fault in finding.faults]
    if faults:
        raise IntegrityError(f"{len(faults):,} faults in {target}; see: onrecord --store {target} verify")
    context.say(f"{target} is whole: {sum(finding.records for finding in findings):,} records verified")
