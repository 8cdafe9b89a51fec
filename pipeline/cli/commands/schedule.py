"""`onrecord schedule`: entries in cron or systemd that capture what is due."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json
from pipeline.cli.unfinished_runs import undecided_way

if TYPE_CHECKING:
    from pipeline.schedule.job import Job

_WATCHES = click.option("--watches", type=click.Path(path_type=Path), help="The watch list, rather than the usual one.")


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--cron", "scheduler", flag_value="cron", help="Your crontab.")(command)
    return click.option("--systemd", "scheduler", flag_value="systemd", help="Timers of your own systemd.")(command)


@click.group("schedule")
def command() -> None:
    """Have `onrecord run` started again and again, by cron or by systemd.

    Example: onrecord --store s3://commentary schedule install --every 15m
    """


@command.command("install")
@_which
@click.option("--every", metavar="SPAN", help="Time between two runs: 15m, 2h, 1d.  [default: 15m]")
@click.option("--calendar", metavar="TIME", help="Five fields as in a crontab, or a time as systemd writes it.")
@_WATCHES
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
@click.pass_obj
def install(
    context: Context,
    scheduler: str | None,
    every: str | None,
    calendar: str | None,
    watches: Path | None,
    dry_run: bool,
) -> None:
    """Start `onrecord run` for this store from now on; again, to change its times.

    Example: onrecord schedule install --cron --calendar '20 6 * * mon-fri'
    """
    from pipeline.capture.http.proxies import undecided_line
    from pipeline.schedule.job import span, withheld

    if every is not None and calendar is not None:
        raise click.UsageError("--every and --calendar are two answers to one question", click.get_current_context())
    job = _job(context, watches, install=True)
    pause = span(every) if every is not None else None
    chosen = scheduler or ("cron" if shutil.which("crontab") else "systemd")
    (_install_cron if chosen == "cron" else _install_systemd)(context, job, pause, calendar, dry_run)
    if (variable := undecided_way(context)) is not None:
        context.say(f"at each run: {undecided_line(variable)}")
    for hint in withheld(os.environ):
        click.echo(f"onrecord: {hint}", err=True)


@command.command("show")
@click.pass_obj
def show(context: Context) -> None:
    """List what is scheduled here, for whichever store.

    Example: onrecord schedule show
    """
    from pipeline.schedule import crontab, systemd

    found = [{"scheduler": "systemd", "key": it.key, "store": it.store, "when": it.when} for it in systemd.installed()]
    if shutil.which("crontab"):
        found += [
            {
                "scheduler": "cron",
                "key": it.key,
                "store": it.store,
                "when": " ".join(it.line.split(" ")[:5]),
                "line": it.line,
            }
            for it in crontab.installed(crontab.read())
        ]
    for entry in found:
        if context.as_json:
            print_json(entry)
        else:
            click.echo(f"{entry['scheduler']:<8} {plain(entry['store'])}  {plain(entry['when'])}")
    if not found:
        context.say("nothing is scheduled here; see: onrecord schedule install --help")


@command.command("remove")
@_which
@_WATCHES
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.pass_obj
def remove(context: Context, scheduler: str | None, watches: Path | None, dry_run: bool) -> None:
    """Take this store's schedule out again; everything else in the crontab stays as it is.

    Example: onrecord --store s3://commentary schedule remove
    """
    from pipeline.schedule import crontab, systemd

    key = _job(context, watches).key
    removed = False
    if scheduler == "cron" or (scheduler is None and shutil.which("crontab")):
        table = crontab.read()
        if any(it.key == key for it in crontab.installed(table)):
            removed = True
            if not dry_run:
                crontab.write(crontab.without_block(table, key))
            context.say(f"{'would be taken' if dry_run else 'taken'} out of the crontab: {plain(context.store)}")
    if scheduler != "cron" and any(it.key == key for it in systemd.installed()):
        removed = True
        if not dry_run:
            systemd.remove(key)
        context.say(f"{'would be removed' if dry_run else 'removed'}: the timer of {plain(context.store)}")
    if not removed:
        context.say(f"nothing is scheduled for {plain(context.store)}")


def _job(context: Context, watches: Path | None, *, install: bool = False) -> Job:
    import pwd

    from pipeline.schedule.job import job_of

    arguments = ("run", *(("--watches", str(watches.absolute())) if watches is not None else ()))
    home = pwd.getpwuid(os.getuid()).pw_dir
    return job_of(
        context.address(),
        config=context.config,
        arguments=arguments,
        environment=os.environ,
        home=home,
        store_id=_store_id(context) if install else None,
    )


def _store_id(context: Context) -> str | None:
    """Return the id of the archive that the store holds now, or is remembered to hold; None if there is none yet.

    Raises StoreChanged.
    """
    from storage.errors import StoreUnavailable
    from storage.location import open_stores

    try:
        return context.known_stores().id_of(open_stores(context.store)[0])
    except StoreUnavailable:  # out of reach: what is remembered is compared when the job runs
        return None


def _install_cron(context: Context, job: Job, every: timedelta | None, calendar: str | None, dry_run: bool) -> None:
    from pipeline.schedule import crontab

    when = crontab.fields(every, calendar, job.key)
    if dry_run:
        click.echo(plain_lines(crontab.block(job, when).decode()), nl=False)
        return
    table = crontab.read()
    made = crontab.with_block(table, job, when)
    if made == table:
        context.say("it stands in the crontab already")
        return
    crontab.write(made)
    context.say(f"in the crontab at {when}: onrecord run, for {plain(job.store)}")


def _install_systemd(context: Context, job: Job, every: timedelta | None, calendar: str | None, dry_run: bool) -> None:
    from archive.times import now
    from pipeline.schedule import systemd
    from pipeline.schedule.skipped_hours import skipped

    when = systemd.when(every, calendar, job.key)
    files = systemd.files(job, when, systemd.spread_of(every))
    if dry_run:
        for path, text in files.items():
            click.echo(f"# {plain(str(path))}\n{plain_lines(text)}")
    if missed := skipped(when, now().date()):
        context.say(f"{missed}: nothing is captured then; choose another time with --calendar")
    if dry_run:
        return
    if systemd.install(job, files):
        context.say(f"a timer at {when}: onrecord run, for {plain(job.store)}")
        context.say("it runs while you are logged in; for always: loginctl enable-linger")
    else:
        context.say("its timer is there already")


def plain_lines(text: str) -> str:
    """Lines of text, each made plain."""
    return "".join(f"{plain(each)}\n" for each in text.splitlines())
