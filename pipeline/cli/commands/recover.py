"""`onrecord recover`: captures that other archives have of a page, brought back."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_line
from pipeline.cli.paths import state_folder
from pipeline.cli.progress import Progress
from pipeline.cli.time_params import Time
from pipeline.cli.unfinished_runs import new_store, ready_to_sign, recover, sign

if TYPE_CHECKING:
    from archive.model import Outcome
    from pipeline.ingest.capture_run import CaptureOptions
    from pipeline.ingest.recover.other_archive import OtherArchive
    from pipeline.ingest.recover.recover_url import Recovery, Wanted


@click.command("recover")
@click.argument("url")
@click.option(
    "--archive",
    "other",
    default="wayback",
    show_default=True,
    metavar="wayback|URL",
    help="The archive to ask: the Internet Archive's, or the address of a TimeGate, a TimeMap or a CDX server.",
)
@click.option(
    "--kind",
    type=click.Choice(["cdx", "timemap", "timegate"]),
    help="What that address is.  [default: by its path: /cdx and /index, /timemap, else a TimeGate]",
)
@click.option("--replay", metavar="URL", help="Of a CDX server: what the addresses of its captures begin with.")
@click.option("--at", type=Time(), help="Recover the capture nearest to this time.  [default: now]")
@click.option("--all", "every", is_flag=True, help="Recover all captures.")
@click.option("--from", "start", type=Time(), help="Recover all captures from this time on.")
@click.option("--to", "end", type=Time(last=True), help="Recover all captures up to this time.")
@click.option(
    "--searches",
    type=click.FloatRange(0.1, 6000),
    default=24.0,
    show_default=True,
    help="Searches of an archive's index per minute, at most.",
)
@click.option(
    "--delay",
    type=click.FloatRange(0, 3600),
    default=0.5,
    show_default=True,
    help="Seconds between requests to the archive.",
)
@click.option("--allow-private", is_flag=True, help="Ask archives at private, loopback and link-local addresses too.")
@click.option("--proxy", metavar="URL|env|none", help="Ask by a proxy; as in `capture`.")
@new_store
@click.pass_obj
def command(context: Context, /, url: str, other: str, **options: Any) -> None:
    """Bring back what another archive has of a page: the capture nearest to a time, or all of a span of time.

    Each capture keeps its own date, and is labelled everywhere with the archive that gave it back. It is a WARC
    response where the archive gives the bytes as they were received, whole and with their headers, else a resource. In
    `get`, it stands behind a capture of our own within a day of it. To resume, run the same command again: what is
    here is not fetched again.

    Example: onrecord recover https://example.org/post --from 2019 --to 2021
    """
    from pipeline.ingest.recover.other_archive import OtherArchive

    wanted = _wanted(options)
    archive = OtherArchive.named(other, options["kind"], options["replay"])
    ready_to_sign(context)
    done, failed = _recover(context, archive, _checked(url), wanted, options)
    _say(context, archive, url, done, wanted.span)
    if done.result is not None and done.result.waiting:
        click.echo(f"onrecord: {done.result.waiting}; the run waits in the spool", err=True)
        sys.exit(10)
    if done.stopped is not None:
        raise done.stopped
    if failed:
        sys.exit(3)
    if not done.listed:
        sys.exit(4)


def _wanted(options: dict[str, Any]) -> Wanted:
    """Return which captures are wanted; raises click.UsageError for --at beside a span."""
    from archive.times import now
    from pipeline.ingest.recover.recover_url import Wanted

    at: datetime | None = options["at"]
    start, end = options["start"], options["end"]
    if at and (options["every"] or start or end):
        raise click.UsageError("--at names one capture; --all, --from and --to name a span: leave one of them out")
    if start and end and start > end:
        raise click.UsageError("--from is later than --to: no time lies between them")
    span = options["every"] or start or end
    return Wanted(None if span else at or now(), start, end)


def _checked(url: str) -> str:
    """Return a URL as requests write it; raises click.UsageError."""
    from pipeline.capture.http.failures import Failure
    from pipeline.capture.http.urls import checked_url

    try:
        return str(checked_url(url if "://" in url else f"https://{url}"))
    except Failure as failure:
        raise click.UsageError(
            f"{plain(url, 200)}: {plain(failure.verdict.error or failure.verdict.name)}"
        ) from failure


def _recover(
    context: Context, other: OtherArchive, url: str, wanted: Wanted, options: dict[str, Any]
) -> tuple[Recovery, int]:
    from pipeline.extract.extractor_pool import ExtractorPool
    from pipeline.ingest.capture_run import EXTRACT_MEMORY, EXTRACT_TIME
    from pipeline.ingest.recover.polite_requests import Manners
    from pipeline.ingest.recover.recover_url import recover_url

    capturing = _capturing(context, other, options)
    archive = context.open_archive(look=False)  # `prepare` looks
    archive.prepare()
    waiting = recover(context, archive, capturing)
    if waiting:
        click.echo(f"onrecord: {waiting[-1]}; a run waits in the spool", err=True)
        sys.exit(10)
    archive.refresh()
    manners = Manners(capturing.fetch, options["searches"], state_folder() / "searches")
    with (
        closing(Progress(enabled=context.draws, total=None, what="recovering", unit="capture")) as progress,
        closing(ExtractorPool(os.cpu_count() or 1, time_limit=EXTRACT_TIME, memory_limit=EXTRACT_MEMORY)) as pool,
    ):
        told = _Outcomes(context, progress)
        done = recover_url(archive, other, url, wanted, manners, capturing.run, pool, told)
    if done.result is not None and done.result.manifest is not None:
        sign(context, archive)
    return done, told.failed


def _capturing(context: Context, other: OtherArchive, options: dict[str, Any]) -> CaptureOptions:
    """Return the options of a capture, as its settings have them, with those of this command."""
    from dataclasses import replace

    from pipeline.cli.capture_options import options_of

    given = {"delay": options["delay"], "allow_private": options["allow_private"], "proxy": options["proxy"]}
    chosen = {name: value for name, value in given.items() if value not in (None, False)}
    found = options_of(context.defaults.get("capture", {}), chosen)
    return replace(found, run=replace(found.run, options={**found.run.options, "recovered-from": other.host}))


class _Outcomes:
    """Prints each outcome as it comes, and counts the failures."""

    def __init__(self, context: Context, progress: Progress) -> None:
        self._context = context
        self._progress = progress
        self.failed = 0

    def __call__(self, outcome: Outcome, line: bytes) -> None:
        self.failed += not outcome.ok
        if self._context.as_json:
            print_line(line)
        elif not self._context.quiet or not outcome.ok:
            error = f"  {outcome.outcome}: {plain(outcome.error or '', 200)}" if not outcome.ok else ""
            status = outcome.status or "---"
            text = f"{status} {outcome.timestamp} {plain(outcome.url)}  from {plain(outcome.via or '', 300)}{error}"
            self._progress.print(text, error=not outcome.ok)
        self._progress.advance(failed=not outcome.ok, size=outcome.length or 0)


def _say(context: Context, other: OtherArchive, url: str, done: Recovery, span: bool) -> None:
    if not done.listed and done.stopped is None:
        where = "in that span of time" if span else "at all"
        click.echo(f"onrecord: {plain(other.host)} lists no capture of {plain(url)} {where}", err=True)
        return
    parts = [f"{done.recovered:,} captures recovered from {plain(other.host)}"]
    parts += [f"{done.already:,} were here already"] if done.already else []
    parts += [f"{done.failed:,} failed"] if done.failed else []
    run = done.result.run if done.result and done.result.manifest else None
    context.say(", ".join(parts) + (f", run {run}" if run else ""))
