"""`onrecord capture`: pages into the archive, as a new run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_line

if TYPE_CHECKING:
    from archive.archive import Archive
    from archive.model import Outcome, Target
    from pipeline.run import CaptureOptions, RunResult

_SIZES = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


class Size(click.ParamType[int]):
    """A number of bytes: 500000, 10M, 1G."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size as users write it; fails with a usage error."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower().removesuffix("b")
        factor = _SIZES.get(text[-1:], 1)
        try:
            size = int(float(text.rstrip("kmgt")) * factor)
        except (ValueError, OverflowError):
            size = 0
        if size <= 0:
            self.fail(f"{value!r} is no size; write bytes, or a number with K, M, G or T", param, ctx)
        return size


@click.command("capture")
@click.argument("urls", nargs=-1, metavar="URL...")
@click.option(
    "-i",
    "--input",
    "source",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="Read URLs from a file, one a line; - for stdin.",
)
@click.option("--force", is_flag=True, help="Store and extract pages again even when they have not changed.")
@click.option("--allow-private", is_flag=True, help="Capture private, loopback and link-local addresses too.")
@click.option("--insecure", is_flag=True, help="Record a bad certificate and go on, instead of failing the target.")
@click.option(
    "--delay",
    type=click.FloatRange(0, 3600),
    default=0.5,
    show_default=True,
    help="Seconds between requests to a host.",
)
@click.option(
    "--connections", type=click.IntRange(1, 64), default=2, show_default=True, help="Connections to a host at once."
)
@click.option("--concurrency", type=click.IntRange(1, 1000), default=64, show_default=True, help="Connections in all.")
@click.option("--max-size", type=Size(), default="1G", show_default=True, help="Bytes of a response that are kept.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 3600), default=60.0, show_default=True, help="Seconds without a byte."
)
@click.option(
    "--deadline",
    type=click.FloatRange(0.1, 86400),
    default=1800.0,
    show_default=True,
    help="Seconds for a whole response.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=None, help="Extraction processes.  [default: one a core]"
)
@click.option("--user-agent", default=None, help="How the captures introduce themselves.")
@click.option("--operator", default=None, help="Who captures; written into every WARC file.")
@click.pass_obj
def command(context: Context, /, urls: tuple[str, ...], source: Iterable[str] | None, **options: Any) -> None:
    """Capture pages into the archive, as a new run.

    Each URL is fetched once, its redirects with it, and kept byte for byte; its text and metadata are extracted unless
    the page is the same as last time. A run that was killed or could not be published is finished first.

    Example: onrecord capture https://example.org/post https://example.org/reply
    """
    from pipeline.cli.progress import Progress
    from pipeline.run import capture_all, recover

    if not urls and source is None:
        raise click.UsageError("name a URL, or a file of URLs with -i", click.get_current_context())
    archive = context.open_archive()
    capturing = _options(options)
    out_of_reach = _prepare(archive)
    waiting = []
    if not out_of_reach:
        for result in recover(archive, capturing):
            _say_recovered(context, result)
            waiting += [result.waiting] if result.waiting else []
    failed = 0
    with Progress(
        enabled=not context.quiet and not context.as_json, total=len(urls) if source is None else None
    ) as progress:

        def report(outcome: Outcome, line: bytes) -> None:
            nonlocal failed
            failed += not outcome.ok
            if context.as_json:
                print_line(line)
            elif not context.quiet or not outcome.ok:
                progress.print(_line(outcome), error=not outcome.ok)
            progress.advance()

        result = capture_all(archive, _targets(urls, source), capturing, report)
    if result.waiting:
        waiting.append(result.waiting)
    else:
        _say_committed(context, result.run, result.counts, archive.store.url)
    if waiting:
        click.echo(
            f"onrecord: {waiting[-1]}; the run waits in the spool and is published by the next invocation", err=True
        )
        sys.exit(10)
    if failed:
        sys.exit(3)


def _options(options: dict[str, Any]) -> CaptureOptions:
    import os

    from archive.session import RunSettings
    from pipeline.capture.settings import FetchSettings
    from pipeline.extract import extractor_version
    from pipeline.run import CaptureOptions
    from pipeline.version import software

    settings = FetchSettings(
        user_agent=options["user_agent"] or software(),
        delay=options["delay"],
        connections_per_host=options["connections"],
        concurrency=options["concurrency"],
        max_size=options["max_size"],
        timeout=options["timeout"],
        deadline=options["deadline"],
        allow_private=options["allow_private"],
        insecure=options["insecure"],
    )
    told = {
        "user-agent": settings.user_agent,
        "delay": settings.delay,
        "max-size": settings.max_size,
        "timeout": settings.timeout,
        "deadline": settings.deadline,
        "allow-private": settings.allow_private,
        "insecure": settings.insecure,
        "force": options["force"],
        "extractor": extractor_version(),
    }
    run = RunSettings(software(), options["operator"], told, force=options["force"])
    return CaptureOptions(settings, run, workers=options["workers"] or os.cpu_count() or 1)


def _targets(urls: tuple[str, ...], source: Iterable[str] | None) -> Iterator[Target]:
    """URLs named by hand, then those of the file; empty lines and lines that begin with # are passed over."""
    from archive.model import Target

    for url in urls:
        yield Target(url)
    for line in source or ():
        url = line.strip()
        if url and not url.startswith("#"):
            yield Target(url)


def _prepare(archive: Archive) -> bool:
    """Whether the store is out of reach; then pages are captured into the spool all the same. Raises StoreError."""
    from storage.errors import StoreUnavailable

    try:
        archive.prepare()
    except StoreUnavailable as error:
        click.echo(f"onrecord: {error}; capturing into the local spool meanwhile", err=True)
        return True
    return False


def _say_recovered(context: Context, result: RunResult) -> None:
    if result.manifest:
        context.say(f"published run {result.run}, which an earlier invocation left: {_counted(result.counts)}")
    elif not result.waiting:
        context.say(f"cleared away run {result.run}, which an earlier invocation left without a capture")


def _say_committed(context: Context, run: str, counts: dict[str, int], url: str) -> None:
    context.say(f"run {run}: {_counted(counts)}, in {url}")


def _counted(counts: dict[str, int]) -> str:
    parts = [f"{counts['targets']:,} targets", f"{counts['captures']:,} captures ({counts['revisits']:,} unchanged)"]
    parts.append(f"{counts['documents']:,} new texts")
    if counts["failed"]:
        parts.append(f"{counts['failed']:,} failed")
    return ", ".join(parts)


def _line(outcome: Outcome) -> str:
    """A target's line: what became of it, and its title or the reason."""
    status = str(outcome.status or "---")
    what = ("unchanged" if outcome.revisit else "new") if outcome.ok else outcome.outcome
    text = outcome.title if outcome.ok else outcome.error
    return f"{status} {what:<12} {plain(outcome.url)}" + (f"  {plain(text, 200)}" if text else "")
