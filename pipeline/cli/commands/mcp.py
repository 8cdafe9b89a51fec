"""`onrecord mcp`: the archive for assistants that speak the Model Context Protocol."""

from __future__ import annotations

import click

from pipeline.cli.context import Context


@click.command("mcp")
@click.pass_obj
def command(context: Context) -> None:
    """Let an assistant read the archive: a Model Context Protocol server on standard input and output.

    Its tools search texts, read snapshots, list them, compare them, list pages and say what is gone. Access rules hold.
    Nothing is captured, changed or sent. Needs the extra onrecord[mcp]. The assistant starts the command.

    Example: onrecord --store s3://commentary mcp
    """
    try:
        from pipeline.mcp.server import serve
    except ImportError as error:
        from storage.extras import install_command

        raise click.UsageError(f"{error.name} is missing; install it: {install_command('mcp')}") from error
    from pipeline.web.common.archive_reader import Reading

    archive = context.open_archive()
    archive.require()
    serve(Reading(archive, context.cache_file("search.sqlite")), context.state_folder() / "ledger.db")
