"""`onrecord gc`: what nobody needs any more."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.time_params import Span

if TYPE_CHECKING:
    from archive.runs import Orphan


@click.command("gc")
@click.option("--dry-run", "dry", is_flag=True, help="Print what would be removed, and remove nothing.")
@click.option(
    "--older-than",
    "age",
    type=Span(least=timedelta(days=2)),
    default="7d",
    show_default=True,
    help="Touch nothing younger; 2d at least.",
)
@click.pass_obj
def command(context: Context, dry: bool, age: timedelta) -> None:
    """Remove what nobody needs any more.

    That are files of runs that were never committed, indexes that were replaced, and what broken puts left. A committed
    run is never touched. A run that still waits in a machine's spool is put again whole by that machine.

    Example: onrecord gc --dry-run
    """
    archive = context.open_archive()
    archive.require()
    objects = size = damaged = 0
    for store, orphan in archive.collect_garbage(age, dry=dry):
        _tell(context, orphan, store.url if archive.has_replicas else None, dry=dry)
        damaged += orphan.damaged
        if orphan.stays is None:
            objects, size = objects + orphan.objects, size + orphan.bytes
    done = "would be removed" if dry else "removed"
    context.say(f"{many(objects, 'object')} {done}, {many(size, 'byte')}, none younger than {age.days} days")
    if damaged:
        sys.exit(5)


def _tell(context: Context, orphan: Orphan, store: str | None, *, dry: bool) -> None:
    if context.as_json:
        print_json(asdict(orphan) | {"removed": not dry and orphan.stays is None} | ({"store": store} if store else {}))
        return
    where = f"{plain(store)}: " if store else ""
    if orphan.stays:
        click.echo(f"{where}{orphan.kind} {plain(orphan.name)} stays: {orphan.stays}", err=True)
    elif not context.quiet:
        what = "would go" if dry else "removed"
        click.echo(
            f"{where}{orphan.kind} {plain(orphan.name)} {what}, {many(orphan.objects, 'object')}, "
            f"{many(orphan.bytes, 'byte')}"
        )
