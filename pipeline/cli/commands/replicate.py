"""`onrecord replicate`: a copy of the archive in another store."""

from __future__ import annotations

import click

from pipeline.cli.context import Context
from pipeline.cli.copy_report import told
from pipeline.cli.output import many
from pipeline.cli.withheld_option import include_sessions_option


@click.command("replicate")
@click.argument("target", metavar="[STORE]", required=False)
@include_sessions_option
@click.pass_obj
def command(context: Context, target: str | None, include_sessions: bool) -> None:
    """Bring every run to another store that does not hold it yet, and read back what was put.

    A run that is damaged here is named and not passed on. The copy is an archive like this one. The members of a mirror
    get what they lack from one another when no STORE is named. Runs that were made with a session (cookies, passwords,
    headers) are copied to another STORE only with --include-sessions.

    Example: onrecord --store s3://archive replicate /mnt/disk/archive
    """
    from storage.location import open_stores

    archive = context.open_archive()
    archive.require()
    if target is None and not archive.has_replicas:
        raise click.UsageError("name the STORE to copy to", click.get_current_context())
    if target is not None and not include_sessions and (runs := archive.session_runs()):
        raise click.UsageError(
            f"{many(len(runs), 'run')} made with a session: the copy would show what one reader may see, and the "
            "recorded credentials; --include-sessions copies them all the same"
        )
    known = context.known_keys()
    copies = archive.replicate(known) if target is None else archive.replicate_to(open_stores(target), known)
    told(context, copies, "copied")
