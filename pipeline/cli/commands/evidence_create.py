"""`onrecord evidence create`: one snapshot, and what proves it, in a file for others."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.lookup_note import note_lookup, same_text, when
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.output_file import to_file
from pipeline.cli.time_params import Time
from pipeline.cli.withheld_option import include_sessions_option, withheld_option

if TYPE_CHECKING:
    from archive.evidence import Created


@click.command("create")
@click.argument("url")
@click.option("--at", type=Time(), help="The snapshot nearest to this time.  [default: the newest]")
@click.option(
    "-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The bundle: a zip."
)
@click.option(
    "--with",
    "other",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A checkpoint that the reader has: that it is of the same log is proved too.",
)
@withheld_option
@include_sessions_option
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.pass_obj
def command(
    context: Context,
    url: str,
    at: datetime | None,
    file: Path,
    overwrite: bool,
    withheld: bool,
    include_sessions: bool,
    other: Path | None,
) -> None:
    """Write a bundle that proves a snapshot without the archive: its records, their manifest, proofs, time stamps.

    What the page needs, what a browser made of it, and redirects that led to it are proved with it, as far as the same
    run captured them. Open index.html in the bundle to read the page. The run's WARC files are read whole, to find the
    proof. The bundle is made by the earliest checkpoint with a time stamp that covers the snapshot; where there is no
    key or no checkpoint, they are made.

    Example: onrecord evidence create https://example.org/post --at 2026-11-23 -o post.evidence.zip
    """
    from archive.errors import NothingSigned
    from archive.evidence import Checkpoint
    from archive.page_history import newest_shown
    from pipeline.export.evidence_parts import beside

    if file.exists() and not overwrite:
        raise click.UsageError(f"{file} is there already; name another file, or add --overwrite")
    archive = context.open_reader(withheld=withheld, sessions=include_sessions)
    archive.require()
    snapshot = archive.checked(archive.closest(url, at) if at else newest_shown(archive, url, same_text))
    theirs = Checkpoint.parse(other.read_bytes()) if other else None
    parts = beside(archive, url, snapshot)
    with to_file(file) as stream:
        try:
            made = archive.create_bundle(snapshot, stream, theirs, parts)
        except NothingSigned:
            _sign(context)
            archive.refresh()
            made = archive.create_bundle(snapshot, stream, theirs, parts)
    note_lookup(context, url, when(archive, snapshot, at))
    if context.as_json:
        entry = {"file": str(file), "bytes": made.bytes, "url": snapshot.url, "record_id": snapshot.record_id}
        print_json(entry | {"records": made.records, "tokens": made.tokens, "whole": list(made.whole)})
        return
    _say(context, file, snapshot.url, made)


def _say(context: Context, file: Path, url: str, made: Created) -> None:
    for key in made.whole:
        context.say(f"{key} is in it whole, with all other captures in it: its run has no root over its records")
    context.say(
        f"{file}: {many(made.records, 'record')}, {made.tokens:,} time stamps, {many(made.bytes, 'byte')}; "
        f"it proves {plain(url)}"
    )
    if made.left:
        context.say(
            f"{many(made.left, 'capture')} that the page needs are left out: no checkpoint as early covers them"
        )
    if not made.tokens:
        context.say("it proves no time: name authorities in [evidence], then run onrecord evidence checkpoint")


def _sign(context: Context) -> None:
    """Make a checkpoint that covers what is to be proved, and a key where there is none, and say so."""
    import platform
    import re

    from archive.crypto import Signer
    from pipeline.ingest.timestamping import sign_now

    path = context.signing_key()
    if not path.exists():
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", platform.node()).strip("-.") or "onrecord"
        key = Signer.create(path, name).public
        context.say(f"there was no signing key: made one, {plain(str(key))}, in {path}; keep a copy in a safe place")
    signed = sign_now(context.open_archive(), context.evidence())
    if signed is None:
        return
    context.say(f"no checkpoint covered the snapshot: signed one of {many(signed.made.checkpoint.size, 'run')}")
    for token in signed.tokens:
        if token.error:
            context.say(f"no time stamp of {plain(token.host)}: {plain(token.error, 300)}")
