"""What commands that capture have in common: the store made ready, left runs finished, and what is said of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context

if TYPE_CHECKING:
    from archive.archive import Archive
    from pipeline.ingest.capture_run import CaptureOptions, RunResult


def _begin_anew(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        ctx.obj.new_store = True


new_store = click.option(
    "--new-store",
    is_flag=True,
    expose_value=False,
    callback=_begin_anew,
    help="Start a new archive where this machine knew another one.",
)


def prepare(archive: Archive) -> bool:
    """Whether the store is out of reach; then pages are captured into the spool all the same. Raises StoreError."""
    from storage.errors import StoreUnavailable

    try:
        archive.prepare()
    except StoreUnavailable as error:
        click.echo(f"onrecord: {error}; capturing into the local spool meanwhile", err=True)
        return True
    return False


def recover(context: Context, archive: Archive, capturing: CaptureOptions) -> list[str]:
    """Finish the runs, and redactions, that earlier invocations left; returns why some runs still wait."""
    from pipeline.cli.unfinished_redactions import finish
    from pipeline.ingest import capture_run
    from storage.errors import OnrecordError

    try:
        finish(context, archive)
    except OnrecordError as error:  # it must not keep new captures from their store
        click.echo(f"onrecord: a redaction is not finished: {error}", err=True)
    waiting = []
    for result in capture_run.recover(archive, capturing):
        say_recovered(context, result)
        waiting += [result.waiting] if result.waiting else []
    return waiting


def say_recovered(context: Context, result: RunResult) -> None:
    """Say what happened to a run that an earlier command left."""
    if result.manifest:
        context.say(f"published run {result.run}, which an earlier invocation left: {counted(result.counts)}")
    elif not result.waiting:
        context.say(f"cleared away run {result.run}, which an earlier invocation left without a capture")


def ready_to_sign(context: Context) -> None:
    """Look at the settings by which a run will be signed; raises click.UsageError."""
    if context.defaults.get("evidence"):
        context.evidence()


def sign(context: Context, archive: Archive) -> None:
    """Sign what was committed, where that is set; what goes wrong is a line each, and harms nothing."""
    if not context.defaults.get("evidence"):
        return
    from pipeline.cli.output import plain
    from pipeline.ingest.timestamping import sign_after_commit

    for line in sign_after_commit(archive, context.evidence()):
        click.echo(f"onrecord: {plain(line, 400)}", err=True)


def undecided_way(context: Context) -> str | None:
    """Return the variable that names a proxy, where the settings do not say whether captures go by it."""
    from pipeline.capture.http.proxies import ways_of

    chosen = context.defaults.get("capture", {}).get("proxy")
    return ways_of(str(chosen) if chosen else None).undecided


def note_other_store(context: Context, path: Path) -> None:
    """Say where a watch list was made for other stores than the one that is named; raises WatchError."""
    from pipeline.cli.output import plain
    from pipeline.watch.watch_list import stores_of

    stores = stores_of(path)
    if stores and context.address() not in stores:
        context.say(
            f"the watch list {path} was made for {plain(', '.join(stores))}, and what it names is captured into "
            f"{plain(context.address())}: if both are meant, add that to `stores` in it, or name another list "
            "with --watches"
        )


def counted(counts: dict[str, int]) -> str:
    """Return how much a run holds, in words."""
    from pipeline.cli.output import many

    parts = [many(counts["targets"], "target")]
    parts += [many(counts["requisites"], "requisite")] if counts["requisites"] else []
    parts.append(f"{many(counts['captures'], 'capture')} ({many(counts['revisits'], 'revisit')})")
    parts.append(many(counts["documents"], "new text"))
    parts += [f"{counts['failed']:,} failed"] if counts["failed"] else []
    little = counts.get("text-incomplete", 0)
    parts += [f"{little:,} of them with little of their page's words in the text"] if little else []
    parts += [f"{counts['skipped']:,} found and left out"] if counts["skipped"] else []
    return ", ".join(parts)
