"""`onrecord evidence checkpoint`: the log of runs signed and stamped, now."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.output_file import to_file

if TYPE_CHECKING:
    from pipeline.ingest.timestamping import Signed


@click.command("checkpoint")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the checkpoint here too, to keep elsewhere."
)
@click.pass_obj
def command(context: Context, output: Path | None) -> None:
    """Enter every run into the log of runs, sign it, and have the authorities of [evidence] say when they saw it.

    Authorities that did not answer before are asked again. A checkpoint that is kept where those who can write to the
    store cannot reach shows whatever is taken back later: onrecord verify --checkpoint FILE.

    Example: onrecord evidence checkpoint -o 2026-11.checkpoint
    """
    from archive.errors import NoSuchSnapshot
    from pipeline.ingest.timestamping import sign_now

    signed = sign_now(context.open_archive(), context.evidence())
    if signed is None:
        raise NoSuchSnapshot("there is no run to sign: capture something first")
    if output is not None:
        with to_file(output) as file:
            file.write(signed.made.checkpoint.note.encode())
    _say(context, signed)
    if any(token.error for token in signed.tokens):
        sys.exit(3)


def _say(context: Context, signed: Signed) -> None:
    made = signed.made
    if context.as_json:
        answers = [
            {"authority": it.host, "time": it.stamp.time.isoformat() if it.stamp else None, "error": it.error}
            for it in signed.tokens
        ]
        entry = {"checkpoint": made.key, "runs": made.checkpoint.size, "added": made.added}
        print_json(entry | {"note": made.checkpoint.note, "tokens": answers})
        return
    click.echo(f"{made.key}: {many(made.checkpoint.size, 'run')}, {made.added:,} of them new")
    for token in signed.tokens:
        if token.stamp:
            root = "" if token.stamp.is_trusted else "; its root was not checked: name it in evidence.roots"
            click.echo(f"stamped {token.stamp.time.isoformat()} by {plain(token.stamp.authority, 200)}{root}")
        else:
            click.echo(f"onrecord: no time stamp of {plain(token.host)}: {plain(token.error or '', 300)}", err=True)
