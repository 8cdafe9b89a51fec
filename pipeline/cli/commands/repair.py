"""`onrecord repair`: what is damaged or missing, from a copy of the archive."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.copy_report import told


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
    from storage.location import open_stores

    archive = context.open_archive()
    if source is None and not archive.has_replicas:
        raise click.UsageError("name a copy of the archive with --from", click.get_current_context())
    known = context.known_keys()
    copies = archive.repair(known, runs) if source is None else archive.repair_from(open_stores(source), known, runs)
    told(context, copies, "mended")
