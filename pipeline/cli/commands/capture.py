"""`onrecord capture`: pages into the archive, as a new run."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.capture_flags import takes_capture_options
from pipeline.cli.capture_options import capture_options
from pipeline.cli.context import Context
from pipeline.cli.interrupted import Interrupted, interrupted, keep, resume_command
from pipeline.cli.lookup_note import same_text
from pipeline.cli.output import many, plain, print_line
from pipeline.cli.progress import Progress, amount, span
from pipeline.cli.second_copies import ARCHIVES, send, service_of, want
from pipeline.cli.session_options import with_secrets, without_secrets
from pipeline.cli.target_lists import checked_ways, targets
from pipeline.cli.unfinished_runs import counted, new_store, prepare, ready_to_sign, recover, sign
from pipeline.outbound import ways

if TYPE_CHECKING:
    from archive.archive import Archive, Reader
    from archive.model import Outcome, Target
    from archive.states import SnapshotState
    from pipeline.ingest.capture_run import RunResult


_LONG = 50  # pages: after so many, a line says how they ended


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
@click.option(
    "--also", multiple=True, type=click.Choice(ARCHIVES), help="Ask another archive for a second copy of each page."
)
@click.option("--resume", is_flag=True, help="Fetch what a capture that you interrupted had not reached.")
@new_store
@click.pass_obj
def command(
    context: Context,
    /,
    urls: tuple[str, ...],
    source: Iterable[str] | None,
    resume: bool,
    also: tuple[str, ...],
    **options: Any,
) -> None:
    """Capture pages into the archive, as a new run.

    URLs are named, read from a file, or found: in feeds, in sitemaps, by links up to --depth. Each is fetched once, its
    redirects and what it needs to be shown with it, and kept byte for byte; text and metadata are extracted unless the
    page is the same as last time. A run that was killed or could not be published is finished first.

    Example: onrecord capture https://example.org/post --feed https://example.net/ --depth 1
    """
    found = {name: options.pop(name) for name in ("feeds", "sitemaps")}
    ways.chosen = options["proxy"]
    _check_named(urls, source, found, resume)
    ready_to_sign(context)  # what is wrong with the settings is said before anything is captured
    service = service_of(context) if also else None
    archive = context.open_archive(look=False)  # `prepare` looks
    capturing = capture_options(options)
    if capturing.run.said:
        context.signer()  # a key that is damaged is named before anything is captured
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
    results = [_capture(context, archive, task, None if out_of_reach else archive, also) for task in tasks]
    if service is not None:
        archive.refresh()
        send(context, archive, service, patient=True)
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
    given = with_secrets(left.options, options)
    known = checked_ways(left.targets, capture_options(given).fetch.ways)
    return _Task(given, known, len(left.targets), left.path)


def _capture(
    context: Context, archive: Archive, task: _Task, earlier: Reader | None, also: tuple[str, ...]
) -> tuple[RunResult, int]:
    """Make one run; returns how it ended, and the number of targets that failed. `earlier` has the captures before."""
    from pipeline.ingest.capture_run import capture_all

    def left(run: str, targets: Iterator[Target]) -> None:
        _keep(context, run, task, targets)

    capturing = capture_options(task.options)
    with closing(Progress(enabled=not (context.quiet or context.as_json), total=task.total)) as progress:
        told = _Told(context, progress, earlier, also, capturing.rules.browser)
        result = capture_all(archive, task.targets, capturing, told, short_texts=told.short_texts, interrupted=left)
    if task.kept_in is not None:
        task.kept_in.unlink(missing_ok=True)
    if result.manifest is None and not result.waiting:
        context.say("nothing was asked for, so no run is published")
    elif result.manifest is not None:
        if sum(told.ended.values()) >= _LONG:
            context.say(told.summary())
        context.say(f"run {result.run}: {counted(result.counts)}, in {archive.url}")
        sign(context, archive)
    return result, told.failed


def _keep(context: Context, run: str, task: _Task, left: Iterator[Target]) -> None:
    """Keep what was not reached for --resume; where that fails, the capture is interrupted all the same."""
    try:
        count = keep(context, run, without_secrets(task.options), left)
    except OSError as error:
        click.echo(f"onrecord: what was not reached cannot be kept: {error.strerror or error}", err=True)
        return
    if task.kept_in is not None:
        task.kept_in.unlink(missing_ok=True)
    if count:
        context.say(f"{many(count, 'target')} not reached; to fetch them: {resume_command(context)}")


@dataclass(slots=True)
class _Told:
    """Tells each outcome as it comes, and counts the failures."""

    _context: Context
    _progress: Progress
    _archive: Reader | None
    _also: tuple[str, ...]
    _rendered: bool
    short_texts: dict[str, frozenset[str]] = field(default_factory=dict)
    failed: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    _began: float = field(default_factory=time.monotonic)
    _bytes: int = 0

    def __call__(self, outcome: Outcome, line: bytes) -> None:
        from pipeline.discover.outlinks import MORE

        self.failed += outcome.failed
        if self._also:
            want(self._context, outcome, self._also)
        is_page = outcome.role not in {"requisite", "robots"} and not outcome.skipped
        words = self.short_texts.pop(outcome.record_id or "", None)
        is_said = self._context.as_json or outcome.failed or not self._context.quiet
        state = self._state(outcome, words) if is_page and is_said and outcome.role is None else None
        if self._context.as_json:
            print_line(_with_state(line, state))
        elif outcome.failed or self._context.verbosity > 0 or (is_page and not self._context.quiet):
            self._progress.print(_line(outcome, state), error=outcome.failed)
            for note in outcome.notes if not self._context.quiet else ():
                if note.endswith(MORE):
                    self._progress.print(f"onrecord: {plain(outcome.url)}: {note}", error=True)
        size = outcome.length or 0
        self._bytes += size
        if is_page:
            self.ended[outcome.outcome] += 1
            self._progress.advance(failed=outcome.failed, size=size)
        elif outcome.role != "robots":
            self._progress.add(size)

    def summary(self) -> str:
        """Return how the pages of a long capture ended, most frequent first."""
        ended = ", ".join(f"{number:,} {name}" for name, number in self.ended.most_common())
        took = span(time.monotonic() - self._began)
        return f"{many(self.ended.total(), 'page')} in {took}, {amount(self._bytes)} stored: {ended}"

    def _state(self, outcome: Outcome, words: frozenset[str] | None) -> SnapshotState | None:
        """Return what a page's capture is beside earlier ones; None where the archive cannot be asked."""
        from archive.errors import ArchiveError
        from archive.page_history import state_of_outcome
        from pipeline.extract.extractor_version import extractor_version
        from storage.errors import StoreError

        if self._archive is None:
            return None
        try:
            return state_of_outcome(
                self._archive, outcome, extractor_version(), words, same_text, rendered=self._rendered
            )
        except ArchiveError:  # what was captured is safe: nobody can say now what it is beside the rest
            return None
        except StoreError:
            self._archive = None  # out of reach: the pages that follow do not wait for it
            return None


def _with_state(line: bytes, state: SnapshotState | None) -> bytes:
    """Return an outcome's line with the state of its capture."""
    if state is None:
        return line
    fields = json.dumps(state.fields(), ensure_ascii=False).encode("utf-8", "replace")
    return line.rstrip()[:-1] + b", " + fields[1:]


def _line(outcome: Outcome, state: SnapshotState | None) -> str:
    """Return a target's line: what its capture is, and its title or the reason."""
    status = str(outcome.status or "---")
    what = replace(state, detail="").words if state else "captured" if outcome.ok else outcome.outcome
    if state is not None and not outcome.ok and outcome.outcome not in {"http-error", state.name}:
        what = f"{what} ({outcome.outcome})"
    text = outcome.title if outcome.ok else outcome.error
    led = f" -> {plain(outcome.final_url)}" if outcome.final_url and outcome.final_url != outcome.url else ""
    return f"{status} {what:<12} {plain(outcome.url)}{led}" + (f"  {plain(text, 200)}" if text else "")
