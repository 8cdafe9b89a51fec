"""`onrecord verify`: every byte of the archive."""

from __future__ import annotations

from dataclasses import asdict

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json


@click.command("verify")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.pass_obj
def command(context: Context, runs: tuple[str, ...]) -> None:
    """Check every byte of the archive, or of the runs that are named.

    Every file is held against its run's manifest, every gzip member and record read to its last byte, every digest made
    again, every index line compared with its record, every earlier run that a manifest names looked for.

    Example: onrecord verify
    """
    from archive.errors import IntegrityError

    archive = context.open_archive()
    checked = records = size = faults = 0
    for finding in archive.verify(list(runs) or None):
        checked += finding.committed
        records += finding.records
        size += finding.bytes
        faults += len(finding.faults)
        if context.as_json:
            print_json(asdict(finding))
            continue
        for fault in finding.faults:
            click.echo(f"{plain(finding.run)}: {plain(fault)}", err=True)
        if finding.run.startswith(("index/", "notices/")):
            continue
        if not finding.committed:
            context.say(f"{finding.run} was never committed: it is no part of the archive")
        elif not finding.faults and not context.quiet:
            click.echo(f"{finding.run}: whole, {finding.records:,} records, {finding.bytes:,} bytes")
    context.say(f"{checked:,} runs, {records:,} records, {size:,} bytes, {faults:,} faults")
    if faults:
        raise IntegrityError(f"{faults:,} faults found: restore the files that are named from a copy of the store")
