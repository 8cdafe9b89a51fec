"""`onrecord replicate`: a copy of the archive in another store."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.copy_report import told


@click.command("replicate")
@click.argument("target", metavar="[STORE]", required=False)
@click.pass_obj
def command(context: Context, target: str | None) -> None:
    """Bring every run to another store that does not hold it yet, and read back what was put.

    A run that is damaged here is named and not passed on. The copy is an archive like this one. The members of a mirror
    get what they lack from one another when no STORE is named.

    Example: onrecord --store s3://archive replicate /mnt/disk/archive
    """
    from storage.location import open_stores

    archive = context.open_archive()
    archive.require()
    if target is None and not archive.has_replicas:
        raise click.UsageError("name the STORE to copy to", click.get_current_context())
    known = context.known_keys()
    copies = archive.replicate(known) if target is None else archive.replicate_to(open_stores(target), known)
    told(context, copies, "copied")
