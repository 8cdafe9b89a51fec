"""`onrecord restore`: the archive again, in an empty place, checked to its last byte."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.copy_report import told
from pipeline.cli.output import many, plain

if TYPE_CHECKING:
    from archive.archive import Archive
    from storage.base import ObjectStore


@click.command("restore")
@click.argument("target", metavar="STORE")
@click.pass_obj
def command(context: Context, target: str) -> None:
    """Copy the archive into an empty store and verify every byte there: the drill for the day it is needed.

    A restore that was interrupted goes on when the same is asked again.

    The archive is --store, the empty store is named behind the command.

    Example: onrecord --store s3://replica restore /srv/archive
    """
    from storage.errors import StoreMissing
    from storage.location import open_stores

    archive = context.open_archive()
    try:
        archive.require()
    except StoreMissing as error:
        if turned := _turned(context, target):
            raise StoreMissing(f"no archive at {archive.url}, and there is one at {target}; {turned}") from error
        raise
    for store in open_stores(target):
        _restore(context, archive, store)


def _restore(context: Context, archive: Archive, store: ObjectStore) -> None:
    going_on = archive.begin_restore(store)
    if going_on is None:
        replicate = shlex.join(["onrecord", "--store", archive.url, "replicate", store.url])
        raise click.UsageError(
            f"restore copies from {archive.url} into {store.url}, which is not empty; name an empty place, or to bring "
            f"what a copy of the same archive lacks: {replicate}"
        )
    if going_on:
        context.say(f"going on with a restore into {store.url} that was interrupted")
    told(context, archive.replicate_to([store], context.known_keys()), "copied")
    _verify(context, archive, store)
    archive.finish_restore(store)


def _turned(context: Context, target: str) -> str | None:
    """Return the command with its stores the other way round, where the target is what holds an archive."""
    from storage.errors import OnrecordError
    from storage.location import open_stores

    try:
        for store in open_stores(target):
            context.archive_at(store).require()
    except OnrecordError:
        return None
    command = shlex.join(["onrecord", "--store", target, "restore", context.store])
    return f"restore copies from --store into the store that is named behind it; did you mean: {command}"


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
            f"{many(faults, 'fault')} in {store.url}; repair them, and restore again: "
            + shlex.join(["onrecord", "--store", store.url, "repair", "--from", archive.url])
        )
    context.say(f"{store.url} is whole: {many(records, 'record')} verified, every byte was read")
