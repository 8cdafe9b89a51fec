"""`onrecord extract`: the archive's texts made again, from its WARC files."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import many, plain, print_line
from pipeline.cli.progress import Progress

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.model import Outcome
    from pipeline.ingest.capture_run import RunResult
    from pipeline.ingest.reextract import AgainOptions


@click.command("extract")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "--executor",
    default="local",
    show_default=True,
    metavar="local|dask://HOST:PORT",
    help="Where pages are read: processes of this machine, or a Dask cluster.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="Local processes.  [default: one a core]")
@click.option("--force", is_flag=True, help="Make texts again that this very extractor made.")
@click.pass_obj
def command(context: Context, /, runs: tuple[str, ...], executor: str, workers: int | None, force: bool) -> None:
    """Make the texts of the archive again, or of some runs, with the extractor of today.

    Pages are read from the WARC files; nothing is fetched. The texts become a run of their own, which supersedes the
    old ones without touching them. Texts that are of this version already are left alone, so that what was killed goes
    on where it was. With RUN, pages of an imported file that have no text get one too.

    Example: onrecord extract --executor dask://scheduler.example:8786
    """
    from archive.model import TEXT_INCOMPLETE
    from pipeline.cli.withheld_option import told_outcome
    from pipeline.extract.executors import get_executor
    from pipeline.ingest.capture_run import EXTRACT_MEMORY, EXTRACT_TIME
    from pipeline.ingest.reextract import extract_again

    archive = context.open_archive()
    archive.require()
    _check(archive, runs)
    count = workers or os.cpu_count() or 1
    readers = get_executor(executor, count, EXTRACT_TIME, EXTRACT_MEMORY)
    failed = made = incomplete = 0
    try:
        _recover(context, archive, count)
        with closing(Progress(enabled=context.draws, total=None, what="extracting texts", unit="page")) as progress:

            def told(made_again: Outcome, json: bytes) -> None:
                nonlocal failed, made, incomplete
                outcome, line = told_outcome(archive, made_again, json)
                little = outcome.outcome == TEXT_INCOMPLETE
                incomplete += little
                failed += not outcome.ok and not little
                made += outcome.ok or little
                if context.as_json:
                    print_line(line)
                elif not outcome.ok or context.verbosity > 0:
                    progress.print(
                        f"{outcome.outcome:<12} {plain(outcome.url)}  {plain(outcome.error or '', 200)}",
                        error=not outcome.ok,
                    )
                progress.advance(failed=not outcome.ok and not little)

            result = extract_again(archive, readers, _options(runs, force=force), told)
    finally:
        readers.close()
    _end(context, result, made, failed, incomplete)


def _end(context: Context, result: RunResult, made: int, failed: int, incomplete: int) -> None:
    """Say what was done, and end as it went."""
    if result.waiting:
        click.echo(
            f"onrecord: {result.waiting}; the run waits in the spool and is published by the next invocation", err=True
        )
        sys.exit(10)
    where = f", in run {result.run}" if result.manifest else ""
    context.say(
        f"{many(made, 'text')} made again{where}"
        + (f", {incomplete:,} have little of their page's words (text-incomplete)" if incomplete else "")
        + (f", {failed:,} failed and keep the one they had" if failed else "")
    )
    if failed or incomplete:
        sys.exit(3)


def _recover(context: Context, archive: Archive, workers: int) -> None:
    """Finish what an earlier invocation left, so that no text of it is made twice."""
    from archive.runs import RunSettings
    from pipeline.capture.http.settings import FetchSettings
    from pipeline.ingest.capture_run import CaptureOptions, recover
    from pipeline.version import software

    options = CaptureOptions(FetchSettings(software()), RunSettings(software()), workers=workers)
    for result in recover(archive, options):
        if result.manifest:
            context.say(f"published run {result.run}, which an earlier invocation left")
    archive.refresh()


def _check(archive: Archive, runs: tuple[str, ...]) -> None:
    for run in sorted(set(runs) - set(archive.runs())):
        raise click.UsageError(f"there is no run {run!r}; `onrecord --json verify` lists them")


def _options(runs: tuple[str, ...], *, force: bool) -> AgainOptions:
    from archive.runs import RunSettings
    from pipeline.extract.extractor_version import extractor_version
    from pipeline.ingest.reextract import AgainOptions
    from pipeline.version import software

    extractor = extractor_version()
    told: dict[str, object] = {"extractor": extractor, "made-again": list(runs) or "all", "force": force}
    return AgainOptions(RunSettings(software(), options=told), extractor, everything=force, only=frozenset(runs))
