"""`onrecord verify`: every byte of the archive."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json

if TYPE_CHECKING:
    from archive.evidence.checkpoint import Checkpoint


@click.command("verify")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that was kept elsewhere: what was taken back since is told.",
)
@click.pass_obj
def command(context: Context, runs: tuple[str, ...], checkpoint: Path | None) -> None:
    """Check every byte of the archive, or of the runs that are named.

    Every file is held against its run's manifest, every gzip member and record read to its last byte, every digest made
    again, every index line compared with its record. Of the whole archive the chain of runs is checked too, the log of
    runs, and what was signed of it, on this machine too.

    Example: onrecord verify
    """
    from archive.errors import IntegrityError

    archive = context.open_archive()
    checked = records = size = faults = 0
    for finding in archive.verify(list(runs) or None, _held(context, checkpoint)):
        checked += finding.committed
        records += finding.records
        size += finding.bytes
        faults += len(finding.faults)
        if context.as_json:
            print_json(asdict(finding))
            continue
        for fault in finding.faults:
            click.echo(f"{plain(finding.run)}: {plain(fault)}", err=True)
        if finding.run.startswith(("index/", "notices/")) or (finding.faults and not finding.committed):
            continue
        if not finding.committed:
            context.say(f"{finding.run} was never committed: it is no part of the archive")
        elif not finding.faults and not context.quiet:
            click.echo(f"{finding.run}: whole, {finding.records:,} records, {finding.bytes:,} bytes")
    context.say(f"{checked:,} runs, {records:,} records, {size:,} bytes, {faults:,} faults")
    if faults:
        raise IntegrityError(f"{faults:,} faults found: restore the files that are named from a copy of the store")


def _held(context: Context, file: Path | None) -> dict[str, Checkpoint]:
    """The checkpoint that is named, and the one that this machine signed last."""
    from archive.evidence.checkpoint import Checkpoint
    from archive.evidence.making import remembered_checkpoint

    own = context.last_checkpoint()
    last = remembered_checkpoint(own)
    held = {f"the checkpoint that this machine signed last, {own}": last} if last else {}
    return held | ({str(file): Checkpoint.parse(file.read_bytes())} if file else {})
