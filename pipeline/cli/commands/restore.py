"""`onrecord restore`: the archive again, in an empty place, checked to its last byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.copy_report import told
from pipeline.cli.output import plain

if TYPE_CHECKING:
    from archive.archive import Archive
    from storage.base import ObjectStore


@click.command("restore")
@click.argument("target", metavar="STORE")
@click.pass_obj
def command(context: Context, target: str) -> None:
    """Copy the archive into an empty store and verify every byte there: the drill for the day it is needed.

    A restore that was interrupted goes on when the same is asked again.

    Example: onrecord --store s3://replica restore /srv/archive
    """
    from storage.location import open_store
    from storage.mirror import members

    archive = context.open_archive()
    archive.require()
    for store in members(open_store(target)):
        _restore(context, archive, store)


def _restore(context: Context, archive: Archive, store: ObjectStore) -> None:
    from archive.copies.replicate import Replica, begin_restore, finish_restore

    going_on = begin_restore(archive.store, store)
    if going_on is None:
        raise click.UsageError(f"{store.url} is not empty; name an empty place, or use `onrecord replicate`")
    if going_on:
        context.say(f"going on with a restore into {store.url} that was interrupted")
    told(context, Replica(archive.store, store, archive.spool.scratch, context.known_keys()).replicate(), "copied")
    _verify(context, archive, store)
    finish_restore(store)
    context.known_stores().remember(store)


def _verify(context: Context, archive: Archive, store: ObjectStore) -> None:
    from archive.errors import IntegrityError

    records = faults = 0
    for finding in context.archive_at(store).verify(known=context.known_keys()):
        records += finding.records
        faults += len(finding.faults)
        for fault in finding.faults:
            click.echo(f"{plain(finding.run)}: {plain(fault)}", err=True)
    if faults:
        raise IntegrityError(
            f"{faults:,} faults in {store.url}; mend them with onrecord --store {store.url} repair --from "
            f"{archive.store.url}, and restore again"
        )
    context.say(f"{store.url} is whole: {records:,} records verified, every byte was read")
