"""`onrecord run`: what is due is captured once; made for cron."""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.feed_writing import write_feeds
from pipeline.cli.output import plain, print_json, print_line
from pipeline.cli.progress import Progress
from pipeline.cli.second_copies import send, service_of, want
from pipeline.cli.unfinished_runs import (
    counted,
    new_store,
    note_other_store,
    prepare,
    ready_to_sign,
    recover,
    sign,
)
from pipeline.outbound import ways

if TYPE_CHECKING:
    from archive.model import Outcome
    from pipeline.alerts.channel import Channel
    from pipeline.alerts.event import Event
    from pipeline.monitoring.healthchecks import Healthcheck
    from pipeline.watch.feeds.feed_files import FeedFile
    from pipeline.watch.history import Ledger
    from pipeline.watch.run_due import Ran
    from pipeline.watch.watch_list import Watch


@click.command("run")
@click.option(
    "--time-limit", default="1h", show_default=True, metavar="SPAN", help="After which the rest waits for the next run."
)
@click.option("--watches", type=click.Path(path_type=Path), help="The watch list.  [env: ONRECORD_WATCHES]")
@click.option("--proxy", metavar="URL|env|none", help="Fetch by a proxy, by those of the environment, or by none.")
@new_store
@click.pass_obj
def command(context: Context, time_limit: str, watches: Path | None, proxy: str | None) -> None:
    """Capture what is due of the watch list, once, and report what happened to the pages.

    It says nothing when all is well; a page that disappeared, came back or was edited is one line, and an alert. Where
    another run of this store has not ended it does nothing.

    How pages are captured is said by the table [capture] of the settings, and by the options of each watch: onrecord
    watch add URL --option depth=2.

    Example: onrecord --store s3://commentary run
    """
    from pipeline.alerts.settings import load_channels
    from pipeline.monitoring.healthchecks import healthcheck
    from pipeline.watch.feeds.feed_files import feeds_of
    from pipeline.watch.history import Ledger
    from pipeline.watch.lease import alone
    from pipeline.watch.watch_list import WatchError, load

    if proxy is not None:
        context.defaults.setdefault("capture", {})["proxy"] = proxy
        ways.chosen = proxy
    path = watches or context.watch_list()
    limit = _seconds(time_limit)
    channels, monitor = load_channels(context.alerts), healthcheck(context.alerts.get("healthcheck"))
    try:
        listed = load(path)
        if not listed:
            raise WatchError(f"nothing is watched in {path}; add something: onrecord watch add URL")
    except WatchError as error:
        _failed(context, error, channels, monitor)
        raise
    feeds = feeds_of(path)
    note_other_store(context, path)
    folder = context.state_folder()
    with alone(folder):
        ledger = Ledger(folder / "ledger.db")
        _watched(context, listed, ledger, feeds, channels, monitor, limit)


def _watched(
    context: Context,
    listed: list[Watch],
    ledger: Ledger,
    feeds: list[FeedFile],
    channels: list[Channel],
    monitor: Healthcheck,
    limit: float,
) -> None:
    """Run, and report the run to the monitor, the metrics, and by alert when it fails."""
    from pipeline.alerts.notify import notify
    from storage.errors import OnrecordError

    began = time.monotonic()
    monitor.start()
    try:
        ran = _run(context, listed, ledger, limit)
    except (OnrecordError, click.ClickException) as error:  # the latter for options of a watch that cannot be
        _measure(context, None, began, error.exit_code)
        _failed(context, error, channels, monitor)
        raise
    except BaseException:  # a bug, or an interruption
        monitor.fail()
        raise
    if ran is None:  # another machine does what is due
        notify([], channels, context.outbox_folder())
        monitor.success()
        return
    _tell(context, ran, ledger, channels)
    unwritten = write_feeds(context, feeds, listed, ledger)
    code = 10 if ran.waiting else 3 if ran.unreached else 2 if unwritten else 0
    _measure(context, ran, began, code)
    (monitor.fail if code else monitor.success)()
    if code:
        sys.exit(code)


def _failed(context: Context, error: Exception, channels: list[Channel], monitor: Healthcheck) -> None:
    """Tell that there was no run, or no whole one."""
    from pipeline.alerts.notify import notify

    notify([_failure(context, error)] if channels else [], channels, context.outbox_folder())
    monitor.fail()


def _run(context: Context, listed: list[Watch], ledger: Ledger, limit: float) -> Ran | None:
    from pipeline.capture.http.urls import checked_url
    from pipeline.cli.capture_options import options_of
    from pipeline.watch.lease import Elsewhere, turn
    from pipeline.watch.run_due import Settings, run_due

    ready_to_sign(context)
    making = partial(options_of, context.defaults.get("capture", {}))
    for watch in listed:  # what is wrong with one is said before anything is captured
        making(watch.options).fetch.ways.check(checked_url(watch.url))
    archive = context.open_archive(look=False)  # `prepare` looks
    if not prepare(archive):
        for why in recover(context, archive, making({})):
            click.echo(f"onrecord: {why}; it waits in the spool for the next run", err=True)
    service = service_of(context) if any(watch.also for watch in listed) else None
    settings = Settings(making, ledger.path.parent, limit, want=partial(want, context))
    try:
        with turn(archive.marks) as mine:
            bar = Progress(enabled=context.draws, total=None, lines=False)
            with closing(bar):
                ran = run_due(archive, listed, ledger, settings, partial(_report, context, bar), mine)
    except Elsewhere as holder:
        if context.verbosity > 0:
            context.say(f"another machine captures what is due: {plain(str(holder))}")
        return None
    if any(result.manifest for result in ran.results):
        sign(context, archive)
    send(context, archive, service)
    return ran


def _report(context: Context, bar: Progress, outcome: Outcome, line: bytes) -> None:
    from pipeline.discover.outlinks import MORE

    if outcome.role is None and not outcome.skipped:
        bar.advance(failed=outcome.failed, size=outcome.length or 0)
    if context.as_json:
        print_line(line)
    elif context.verbosity > 0:
        click.echo(f"{outcome.status or '---'} {outcome.outcome:<12} {plain(outcome.url)}", err=True)
    for note in outcome.notes if not (context.as_json or context.quiet) else ():
        if note.endswith(MORE):
            click.echo(f"onrecord: {plain(outcome.url)}: {note}", err=True)


def _tell(context: Context, ran: Ran, ledger: Ledger, channels: list[Channel]) -> None:
    """One line for each thing that became of a page, and one for what was not reached; and the alerts."""
    from pipeline.alerts.notify import notify
    from pipeline.watch.run_due import told

    for event in ran.events:
        if context.as_json:
            print_json({"event": event.as_json()})
        elif not context.quiet:
            click.echo(f"{event.kind:<12} {plain(event.url)}  {plain(event.summary, 400)}")
    for outcome in ran.unreached if not context.quiet else ():
        click.echo(f"onrecord: {outcome.outcome}: {plain(outcome.url)}: {plain(outcome.error or '', 200)}", err=True)
    if context.verbosity > 0 or (sys.stderr.isatty() and not context.quiet):  # somebody watches
        captured = f"captured what was due: {ran.due:,}" if ran.due else "nothing is due"
        context.say(f"{captured}; what comes next: onrecord watch list")
    for result in ran.results if context.verbosity > 0 else ():
        if result.manifest:
            context.say(f"run {result.run}: {counted(result.counts)}, in {plain(context.store)}")
    if ran.waiting:
        click.echo(
            f"onrecord: {ran.waiting}; the run waits in the spool and is published by the next invocation", err=True
        )
    if not channels or notify(ran.events, channels, context.outbox_folder()).kept:
        told(ledger, ran.tellings)


def _measure(context: Context, ran: Ran | None, began: float, code: int) -> None:
    path = context.metrics_file()
    if path is None:
        return
    from archive.times import now
    from pipeline.alerts.outbox import Outbox, OutboxError
    from pipeline.monitoring.prometheus import RunReport, write_metrics

    try:
        waiting = Outbox(context.outbox_folder()).waiting()
    except OutboxError:
        waiting = 0
    manifests = [result.manifest for result in ran.results if result.manifest] if ran else []
    captured = sum(it.bytes for manifest in manifests for it in manifest.resources if it.path.startswith("archive/"))
    report = RunReport(
        ended=now(),
        seconds=time.monotonic() - began,
        exit_code=code,
        outcomes=ran.outcomes if ran else {},
        due=ran.due if ran else 0,
        late=ran.late if ran else 0,
        captured=captured,
        outbox=waiting,
    )
    write_metrics(path, report)


def _failure(context: Context, error: Exception) -> Event:
    """Told once a day."""
    from archive.times import now
    from pipeline.alerts.event import Event

    day = now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Event("run-failed", context.store, day, "A run failed", summary=str(error), store=context.store)


def _seconds(written: str) -> float:
    from pipeline.watch.watch_list import span

    try:
        return span(str(written), least=timedelta(seconds=1)).total_seconds()
    except ValueError as error:
        raise click.UsageError(f"--time-limit: {error}", click.get_current_context()) from error
