"""The command `onrecord`: options, commands by name, and the one border where errors become lines and codes."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path
from typing import NoReturn

import click

from pipeline.cli.common_options import take_common_options
from pipeline.cli.context import Context
from pipeline.cli.exit_codes import EXIT_CODES
from pipeline.cli.logs import to_log_file
from pipeline.cli.paths import settle_home
from pipeline.cli.streams import FREE, READERS, Streams, lost
from storage.errors import OnrecordError

# name -> (module, one line for --help): a command's module is imported only when the command is named
COMMANDS = {
    "alerts": ("pipeline.cli.commands.alerts", "Send a test alert to every channel."),
    "annotate": ("pipeline.cli.commands.annotate", "Add collections, labels and notes to captures."),
    "capture": ("pipeline.cli.commands.capture", "Capture pages into the archive, as a new run."),
    "compact": ("pipeline.cli.commands.compact", "Merge the indexes of the runs, for quick lookups."),
    "diff": ("pipeline.cli.commands.diff", "Show what changed in the text of a page."),
    "doctor": ("pipeline.cli.commands.doctor", "List what would keep captures from working here."),
    "embargo": ("pipeline.cli.commands.embargo", "Hide captures of a URL until a date."),
    "evidence": ("pipeline.cli.commands.evidence", "Sign the archive, and prove a snapshot to others."),
    "export": ("pipeline.cli.commands.export", "Write captures to a WACZ, WARC, Parquet, CSV or HTML file."),
    "extract": ("pipeline.cli.commands.extract", "Extract the texts again, from the WARC files."),
    "gc": ("pipeline.cli.commands.gc", "Delete files that no committed run needs."),
    "get": ("pipeline.cli.commands.get", "Print a past snapshot: its text, its page, or its record."),
    "help": ("pipeline.cli.commands.help", "Explain terms, outcomes, exit codes and settings."),
    "import": ("pipeline.cli.commands.import_", "Import WACZ, WARC, ARC and HAR files of other programs."),
    "list": ("pipeline.cli.commands.list_", "List the pages of the archive, with their states."),
    "mcp": ("pipeline.cli.commands.mcp", "Let an assistant read the archive (Model Context Protocol)."),
    "recover": ("pipeline.cli.commands.recover", "Get what another archive has of a page."),
    "redact": ("pipeline.cli.commands.redact", "Delete the content of captures for good."),
    "repair": ("pipeline.cli.commands.repair", "Repair the archive from a copy of it."),
    "replicate": ("pipeline.cli.commands.replicate", "Copy the archive to another store, and verify it."),
    "restore": ("pipeline.cli.commands.restore", "Copy the archive into an empty store, and verify it."),
    "run": ("pipeline.cli.commands.run", "Capture the watched pages that are due, and report changes."),
    "schedule": ("pipeline.cli.commands.schedule", "Let cron or systemd start `onrecord run`."),
    "search": ("pipeline.cli.commands.search", "Find texts in the archive by their words."),
    "serve": ("pipeline.cli.commands.serve", "Serve the archive to browsers, pywb and Memento clients."),
    "snapshots": ("pipeline.cli.commands.snapshots", "List the snapshots of a page."),
    "status": ("pipeline.cli.commands.status", "Count what the archive holds; list what is gone."),
    "tokens": ("pipeline.cli.commands.tokens", "Edit who may save pages through `serve --write`."),
    "watch": ("pipeline.cli.commands.watch", "Edit the list of pages to capture again and again."),
    "verify": ("pipeline.cli.commands.verify", "Check every run; with --deep, read every byte."),
    "withhold": ("pipeline.cli.commands.withhold", "Hide captures of a URL from readers."),
}

# The sections of --help, each with its commands in the order in which a user meets them.
GROUPS = {
    "Capture": ("capture", "import", "recover", "extract"),
    "Read": ("list", "snapshots", "get", "diff", "search", "annotate", "status"),
    "Watch": ("watch", "run", "schedule", "alerts", "doctor"),
    "Keep": ("verify", "replicate", "repair", "restore", "compact", "gc", "withhold", "embargo", "redact"),
    "Prove": ("evidence",),
    "Share": ("serve", "tokens", "mcp", "export"),
    "Help": ("help",),
}

_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."


class LazyGroup(click.Group):
    """A group whose commands are modules that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, for the help text and for completion."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module behind a name."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command), "each module names its command so"
        return take_common_options(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named, or say which may have been meant."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from pipeline.cli.suggestions import command_meant

            raise click.UsageError(command_meant(args[0], args[1:], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.group(
    cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--store",
    metavar="URL|DIR",
    help="The archive: a directory, s3://bucket/prefix[?endpoint=URL], or mirror:A,B.  [env: ONRECORD_STORE]",
)
@click.option("--store-id", metavar="ID", help="The archive that the store must hold; else nothing is done.")
@click.option("--new-store", is_flag=True, help="Start a new archive where this machine knew another one.")
@click.option("--config", type=click.Path(path_type=Path), help="Settings in TOML.  [env: ONRECORD_CONFIG]")
@click.option("-v", "--verbose", count=True, help="Print more on stderr; twice for everything.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout, and nothing else.")
@click.option("--log-json", is_flag=True, help="What is said on stderr as one JSON object a line.")
@click.version_option(package_name="onrecord", message="%(prog)s %(version)s")
@click.pass_context
def cli(
    ctx: click.Context,
    store: str | None,
    store_id: str | None,
    new_store: bool,
    config: Path | None,
    verbose: int,
    quiet: bool,
    as_json: bool,
    log_json: bool,
) -> None:
    """Put web pages on record: capture them byte for byte, keep their clean text, find any past snapshot again.

    --store, --config, --json, --log-json, -v and -q can also follow the command.
    """
    streams = ctx.obj
    context = Context.load(
        store=store, config=config, verbosity=-1 if quiet else verbose, as_json=as_json, log_json=log_json
    )
    context.store_id, context.new_store = store_id, new_store
    ctx.obj = context
    if isinstance(streams, Streams) and streams.out is not None:
        streams.out.goes_on = ctx.invoked_subcommand not in READERS
    ctx.default_map = context.defaults


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit; the only place that turns errors into lines and codes."""
    streams = Streams()
    try:
        settle_home()
        cli.main(arguments, prog_name="onrecord", standalone_mode=False, obj=streams)
        code = 0
    except click.exceptions.Exit as ending:
        code = ending.exit_code
    except click.exceptions.NoArgsIsHelpError as error:  # its text is the help, laid out
        click.echo(error.format_message(), err=True)
        code = 2
    except click.ClickException as error:
        code = _usage(error)
    except OnrecordError as error:
        code = _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _fail("interrupted; what was captured is kept and is published by the next invocation", 130)
    except SystemExit as ending:
        if ending.code != 1:  # no command ends so: with 1 Click answers a pipe that nobody reads any more
            _end(streams, ending.code if isinstance(ending.code, int) else 0)
        code = 0  # the reader has had enough: no fault of ours
    except OSError as error:  # of the store and the network none comes this far: it is the output, or a file named
        code = _fail(f"{error.filename}: {error.strerror}; {FREE}" if error.filename else lost(error), 2)
    _end(streams, code)


def _end(streams: Streams, code: int) -> NoReturn:
    """Exit, with 2 where all went well and the output could not be written."""
    if (failure := streams.end()) and not code:
        code = _fail(lost(failure), 2)
    sys.exit(code)


def _in_json() -> bool:
    """Whether stderr takes JSON lines now, which have the word of an error for their level."""
    log = sys.modules.get("pipeline.monitoring.json_log")
    return log is not None and isinstance(sys.stderr, log.Lines)


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.NoSuchOption):
        from pipeline.cli.suggestions import option_meant

        return _fail(option_meant(error, ((name, module) for name, (module, _) in sorted(COMMANDS.items()))), 2)
    context = getattr(error, "ctx", None)
    hint = f"; see: {context.command_path} --help" if context else ""
    return _fail(error.format_message().rstrip(".") + hint, 2)


def _fail(message: str, code: int) -> int:
    from pipeline.cli.output import plain, unheard

    told = plain(" ".join(message.split()))  # what an error quotes may come from a hostile store
    to_log_file(told, logging.ERROR)
    with unheard(sys.stderr):
        click.echo(f"{'onrecord: error: ' if _in_json() else 'onrecord: '}{told}", err=True)
    return code
