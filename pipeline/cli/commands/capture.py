"""`onrecord capture`: pages into the archive, as a new run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.capture_options import capture_options, takes_capture_options
from pipeline.cli.context import Context
from pipeline.cli.interrupted import Interrupted, interrupted, keep, resume_command
from pipeline.cli.output import plain, print_line
from pipeline.cli.target_lists import checked_ways, targets
from pipeline.cli.unfinished_runs import new_store, prepare, ready_to_sign, recover, say_committed, sign

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.model import Outcome, Target
    from pipeline.cli.progress import Progress
    from pipeline.ingest.capture_run import RunResult


@dataclass(frozen=True, slots=True)
class _Task:
    """One run to be made: its options, its targets, and how many they are where that is known."""

    options: dict[str, Any]
    targets: Iterator[Target]
    total: int | None
    kept_in: Path | None = None  # the file that an interrupted capture left


@click.command("capture")
@click.argument("urls", nargs=-1, metavar="URL...")
@takes_capture_options
@click.option("--resume", is_flag=True, help="Fetch what a capture that you interrupted had not reached.")
@new_store
@click.pass_obj
def command(
    context: Context, /, urls: tuple[str, ...], source: Iterable[str] | None, resume: bool, **options: Any
) -> None:
    """Capture pages into the archive, as a new run.

    URLs are named, read from a file, or found: in feeds, in sitemaps, by links up to --depth. Each is fetched once, its
    redirects and what it needs to be shown with it, and kept byte for byte; text and metadata are extracted unless the
    page is the same as last time. A run that was killed or could not be published is finished first.

    Example: onrecord capture https://example.org/post --feed https://example.net/ --depth 1
    """
    found = {name: options.pop(name) for name in ("feeds", "sitemaps")}
    _check_named(urls, source, found, resume)
    ready_to_sign(context)  # what is wrong with the settings is said before anything is captured
    archive = context.open_archive(look=False)  # `prepare` looks
    capturing = capture_options(options)
    if resume:
        tasks = [_taken_up(left, options) for left in interrupted(context)]
    else:
        named = targets(urls, source, found["feeds"], found["sitemaps"], capturing.fetch.ways)
        countable = source is None and not (any(found.values()) or options["depth"])
        tasks = [_Task(options, named, len(urls) if countable else None)]
    out_of_reach = prepare(archive)
    waiting = [] if out_of_reach else recover(context, archive, capturing)
    if resume and not tasks:
        context.say("no capture was interrupted: nothing is left to fetch")
    results = [_capture(context, archive, task) for task in tasks]
    waiting += [result.waiting for result, _ in results if result.waiting]
    if waiting:
        click.echo(
            f"onrecord: {waiting[-1]}; the run waits in the spool and is published by the next invocation", err=True
        )
        sys.exit(10)
    if any(failed for _, failed in results):
        sys.exit(3)


def _check_named(urls: tuple[str, ...], source: object, found: Mapping[str, Any], resume: bool) -> None:
    """Raise click.UsageError for a call that names nothing, a file for a URL, or targets beside --resume."""
    named = bool(urls) or any(found.values()) or source is not None
    if resume and named:
        raise click.UsageError("--resume knows what is to be fetched: name no URL beside it, or leave it out")
    if not (named or resume):
        raise click.UsageError(
            "name a URL, a --feed, a --sitemap, or a file of URLs with -i", click.get_current_context()
        )
    if files := [url for url in urls if Path(url).is_file()]:
        raise click.UsageError(f"{files[0]} is a file; to capture the URLs that it lists: -i {shlex.quote(files[0])}")


def _taken_up(left: Interrupted, options: Mapping[str, Any]) -> _Task:
    given = {**options, **left.options}
    known = checked_ways(left.targets, capture_options(given).fetch.ways)
    return _Task(given, known, len(left.targets), left.path)


def _capture(context: Context, archive: Archive, task: _Task) -> tuple[RunResult, int]:
    """Make one run; returns how it ended, and the number of targets that failed."""
    from pipeline.cli.progress import Progress
    from pipeline.ingest.capture_run import capture_all

    def left(run: str, targets: Iterator[Target]) -> None:
        _keep(context, run, task, targets)

    with Progress(enabled=not context.quiet and not context.as_json, total=task.total) as progress:
        told = _Told(context, progress)
        result = capture_all(archive, task.targets, capture_options(task.options), told, interrupted=left)
    if task.kept_in is not None:
        task.kept_in.unlink(missing_ok=True)
    if result.manifest is None and not result.waiting:
        context.say("nothing was asked for, so no run is published")
    elif result.manifest is not None:
        say_committed(context, result.run, result.counts, archive.url)
        sign(context, archive)
    return result, told.failed


def _keep(context: Context, run: str, task: _Task, left: Iterator[Target]) -> None:
    """Keep what was not reached for --resume; where that fails, the capture is interrupted all the same."""
    try:
        count = keep(context, run, task.options, left)
    except OSError as error:
        click.echo(f"onrecord: what was not reached cannot be kept: {error.strerror or error}", err=True)
        return
    if task.kept_in is not None:
        task.kept_in.unlink(missing_ok=True)
    if count:
        context.say(f"{count:,} targets were not reached; to fetch them: {resume_command(context)}")


class _Told:
    """Tells each outcome as it comes, and counts the failures."""

    def __init__(self, context: Context, progress: Progress) -> None:
        self._context = context
        self._progress = progress
        self.failed = 0

    def __call__(self, outcome: Outcome, line: bytes) -> None:
        from pipeline.discover.outlinks import MORE

        self.failed += outcome.failed
        is_page = outcome.role not in {"requisite", "robots"} and not outcome.skipped
        if self._context.as_json:
            print_line(line)
        elif outcome.failed or self._context.verbosity > 0 or (is_page and not self._context.quiet):
            self._progress.print(_line(outcome), error=outcome.failed)
            for note in outcome.notes if not self._context.quiet else ():
                if note.endswith(MORE):
                    self._progress.print(f"onrecord: {plain(outcome.url)}: {note}", error=True)
        if is_page:
            self._progress.advance()


def _line(outcome: Outcome) -> str:
    """A target's line: what became of it, and its title or the reason."""
    status = str(outcome.status or "---")
    what = ("unchanged" if outcome.revisit else "new") if outcome.ok else outcome.outcome
    text = outcome.title if outcome.ok else outcome.error
    return f"{status} {what:<12} {plain(outcome.url)}" + (f"  {plain(text, 200)}" if text else "")
