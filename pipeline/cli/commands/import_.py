"""`onrecord import`: archives of other programs brought in."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_json, print_line
from pipeline.cli.progress import Progress
from pipeline.cli.unfinished_runs import new_store, ready_to_sign, sign

if TYPE_CHECKING:
    from archive.model import Outcome
    from pipeline.extract.extractor_pool import ExtractorPool
    from pipeline.ingest.import_flaws import Left
    from pipeline.ingest.import_result import Imported


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--extract/--no-extract", default=True, show_default=True, help="Make texts of the pages.")
@click.option("--listed-pages", is_flag=True, help="Of a WACZ with a list of pages, make texts of these alone.")
@click.option(
    "--workers", type=click.IntRange(1, 256), default=None, help="Extraction processes.  [default: one a core]"
)
@new_store
@click.pass_obj
def command(context: Context, files: tuple[str, ...], extract: bool, listed_pages: bool, workers: int | None) -> None:
    """Bring in WACZ, WARC and ARC files, compressed or not: their records as they are, each file as a run.

    Of HAR and MHTML files, and of pages saved by SingleFile, records are made, with their addresses and dates.

    What cannot be taken is named, with the byte of the file where it begins, and the rest comes in. Records that the
    archive holds already, byte for byte, are passed over, so that a file can be imported twice. A record that has the
    id of another one and other bytes is kept beside that one, and named: the exit code is then 3,
    as it is where the text of a page is incomplete.

    Example: onrecord import old-crawl.warc.gz collection.wacz
    """
    from archive.errors import FormatError
    from pipeline.ingest.import_files import import_file

    ready_to_sign(context)  # what is wrong with the settings is said before anything is brought in
    archive = context.open_archive(look=False)  # `prepare` looks
    archive.prepare()
    failed = waiting = committed = False
    bar = Progress(enabled=context.draws, total=len(files), what="importing", unit="file")
    with closing(bar), _pool(workers) if extract else nullcontext() as pool:
        for file in files:
            try:
                tell, say = partial(_tell, context), partial(_say_text, context)
                done = import_file(archive, Path(file), tell, pool, listed_only=listed_pages, report=say)
            except FormatError as error:
                if len(files) == 1:
                    raise click.UsageError(str(error)) from error
                click.echo(f"onrecord: {plain(str(error))}", err=True)
                failed = True
                bar.advance(failed=True)
                continue
            archive.refresh()
            bar.advance(size=Path(file).stat().st_size)
            _say(context, done)
            failed = failed or bool(done.left or done.clashes or done.incomplete or done.failed)
            committed = committed or done.run is not None
            if done.result and done.result.waiting:
                waiting = True
                click.echo(f"onrecord: {done.result.waiting}; the run waits in the spool", err=True)
    if committed:
        sign(context, archive)
    if waiting or failed:
        sys.exit(10 if waiting else 3)


def _pool(workers: int | None) -> ExtractorPool:
    import os

    from pipeline.extract.extractor_pool import ExtractorPool
    from pipeline.ingest.capture_run import EXTRACT_MEMORY, EXTRACT_TIME

    return ExtractorPool(workers or os.cpu_count() or 1, time_limit=EXTRACT_TIME, memory_limit=EXTRACT_MEMORY)


def _tell(context: Context, left: Left) -> None:
    if context.as_json:
        print_json(
            {"file": left.file, "part": left.part, "offset": left.offset, "fault": left.reason, "taken": left.taken}
        )
    elif not left.taken or left.clashes or context.verbosity > 0:
        click.echo(f"onrecord: {plain(left.place)}: {plain(left.reason, 300)}", err=True)


def _say_text(context: Context, outcome: Outcome, line: bytes) -> None:
    """Print the outcome of a page whose text is incomplete, or could not be made."""
    if context.as_json:
        print_line(line)
    else:
        said = f"{outcome.outcome:<12} {plain(outcome.url)}  {plain(outcome.error or '', 200)}"
        click.echo(said, err=True)


def _say(context: Context, done: Imported) -> None:
    if context.as_json:
        entry = {"file": done.file, "run": done.run, "records": done.records, "captures": done.captures}
        entry |= {
            "pages": done.pages,
            "already": done.already,
            "left": done.left,
            "notes": done.notes,
            "unlisted": done.unlisted,
            "text_incomplete": done.incomplete,
            "text_failed": done.failed,
        }
        print_json(entry | ({"checked": done.checked} if done.checked else {}))
        return
    parts = [f"{many(done.records, 'record')}, {many(done.captures, 'capture')}"]
    parts += [f"{done.already:,} were in already"] if done.already else []
    parts += [f"{done.clashes:,} with the ids of others"] if done.clashes else []
    parts += [f"{done.left:,} left out"] if done.left else []
    parts += [f"{done.unlisted:,} that no list of pages names have no text"] if done.unlisted else []
    parts += [f"{done.incomplete:,} with little of their page's words in the text"] if done.incomplete else []
    parts += [f"{done.failed:,} whose text could not be made"] if done.failed else []
    odd = done.notes - done.clashes
    parts += [f"{odd:,} odd ones (-v names them)"] if odd and not context.verbosity else []
    click.echo(f"{plain(done.file)}: {', '.join(parts)}" + (f", run {done.run}" if done.run else ""))
    for what, result in done.checked.items():
        context.say(f"{plain(done.file)}: {plain(what, 200)}: {plain(result, 400)}")
