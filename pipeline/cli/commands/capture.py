"""`onrecord capture`: pages into the archive, as a new run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.capture_options import capture_options, takes_capture_options, targets
from pipeline.cli.context import Context
from pipeline.cli.lookup_note import same_text
from pipeline.cli.output import plain, print_line
from pipeline.cli.unfinished_runs import new_store, prepare, ready_to_sign, recover, say_committed, sign

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.model import Outcome
    from archive.snapshot_state import SnapshotState
    from pipeline.cli.progress import Progress


@click.command("capture")
@click.argument("urls", nargs=-1, metavar="URL...")
@takes_capture_options
@new_store
@click.pass_obj
def command(context: Context, /, urls: tuple[str, ...], source: Iterable[str] | None, **options: Any) -> None:
    """Capture pages into the archive, as a new run.

    URLs are named, read from a file, or found: in feeds, in sitemaps, by links up to --depth. Each is fetched once, its
    redirects and what it needs to be shown with it, and kept byte for byte; text and metadata are extracted unless the
    page is the same as last time. A run that was killed or could not be published is finished first.

    Example: onrecord capture https://example.org/post --feed https://example.net/ --depth 1
    """
    from pipeline.cli.progress import Progress
    from pipeline.ingest.capture_run import capture_all

    feeds, sitemaps = options.pop("feeds"), options.pop("sitemaps")
    if not (urls or feeds or sitemaps) and source is None:
        raise click.UsageError(
            "name a URL, a --feed, a --sitemap, or a file of URLs with -i", click.get_current_context()
        )
    ready_to_sign(context)  # what is wrong with the settings is said before anything is captured
    archive = context.open_archive(look=False)  # `prepare` looks
    capturing = capture_options(options)
    out_of_reach = prepare(archive)
    waiting = [] if out_of_reach else recover(context, archive, capturing)
    countable = source is None and not (feeds or sitemaps or options["depth"])
    with Progress(
        enabled=not context.quiet and not context.as_json, total=len(urls) if countable else None
    ) as progress:
        told = _Told(context, progress, None if out_of_reach else archive, rendered=capturing.rules.browser)
        result = capture_all(
            archive, targets(urls, source, feeds, sitemaps), capturing, told, short_texts=told.short_texts
        )
    if result.waiting:
        waiting.append(result.waiting)
    else:
        say_committed(context, result.run, result.counts, archive.url)
        sign(context, archive)
    if waiting:
        click.echo(
            f"onrecord: {waiting[-1]}; the run waits in the spool and is published by the next invocation", err=True
        )
        sys.exit(10)
    if told.failed:
        sys.exit(3)


class _Told:
    """Tells each outcome as it comes, and counts the failures."""

    def __init__(self, context: Context, progress: Progress, archive: Reader | None, *, rendered: bool) -> None:
        self._context = context
        self._archive = archive
        self._rendered = rendered
        self.short_texts: dict[str, frozenset[str]] = {}
        self._progress = progress
        self.failed = 0

    def __call__(self, outcome: Outcome, line: bytes) -> None:
        from pipeline.discover.outlinks import MORE

        self.failed += outcome.failed
        is_page = outcome.role not in {"requisite", "robots"} and not outcome.skipped
        state = self._state(outcome) if is_page else None
        if self._context.as_json:
            print_line(_with_state(line, state))
        elif outcome.failed or self._context.verbosity > 0 or (is_page and not self._context.quiet):
            self._progress.print(_line(outcome, state), error=outcome.failed)
            for note in outcome.notes if not self._context.quiet else ():
                if note.endswith(MORE):
                    self._progress.print(f"onrecord: {plain(outcome.url)}: {note}", error=True)
        if is_page:
            self._progress.advance()

    def _state(self, outcome: Outcome) -> SnapshotState | None:
        """Return what a page's capture is beside earlier ones; None of a feed, or where the archive cannot be asked."""
        from archive.errors import ArchiveError
        from archive.page_history import state_of_outcome
        from pipeline.extract.extractor_version import extractor_version
        from storage.errors import StoreError

        words = self.short_texts.pop(outcome.record_id or "", None)
        if (
            self._archive is None
            or outcome.role is not None
            or (self._context.quiet and not self._context.as_json and not outcome.failed)
        ):
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
    return f"{status} {what:<12} {plain(outcome.url)}" + (f"  {plain(text, 200)}" if text else "")
