"""`onrecord export`: captures as files that other programs read."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from pipeline.cli.context import Context
from pipeline.cli.html_export import export_html
from pipeline.cli.output import many, print_json
from pipeline.cli.output_file import to_file
from pipeline.cli.progress import Progress
from pipeline.cli.time_params import Time
from pipeline.cli.withheld_option import include_sessions_option, withheld_option

if TYPE_CHECKING:
    from archive.archive import Reader
    from pipeline.export.export import Exported
    from pipeline.export.selection import Wanted

_FORMS = (".wacz", ".warc.gz", ".parquet", ".csv")
_PAGE = ".html"


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", help="Only captures of this URL, with what its pages need to be shown.")
@click.option(
    "--match",
    type=click.Choice(["exact", "prefix", "host", "domain"]),
    default="exact",
    show_default=True,
    help="Which URLs: this one, all that begin so, all of its host, all of its domain.",
)
@click.option("--at", type=Time(), help="For FILE.html: the time to be nearest to.  [default: newest]")
@click.option("--run", "runs", multiple=True, metavar="RUN", help="Only captures of this run; may be repeated.")
@click.option("--collection", metavar="NAME", help="Only captures of this collection, with what its pages need.")
@click.option("--from", "start", type=Time(), help="The earliest time: 14 digits, ISO 8601, or '2 days ago'.")
@click.option("--to", "end", type=Time(last=True), help="The latest time; a day, a month or a year is meant whole.")
@withheld_option
@include_sessions_option
@click.option("--sign", is_flag=True, help="Sign a WACZ, as ReplayWeb.page shows it.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.pass_obj
def command(
    context: Context,
    file: Path,
    url: str | None,
    match: str,
    at: datetime | None,
    runs: tuple[str, ...],
    collection: str | None,
    start: datetime | None,
    end: datetime | None,
    sign: bool,
    overwrite: bool,
    withheld: bool,
    include_sessions: bool,
) -> None:
    """Write captures to FILE.wacz, FILE.warc.gz, FILE.parquet or FILE.csv: all, or those of a URL, a run, a time.

    FILE.html is one snapshot of --url, with what it needs to be shown and without scripts: it opens offline.

    A WACZ replays by itself, in ReplayWeb.page for one: what its pages need and what its revisits refer to is put in,
    whichever run holds it. A WARC file holds the records byte for byte. Parquet has a row a capture, in the columns of
    Common Crawl's index and then the text. CSV has the same columns but for the texts, and no cell is a formula.

    Example: onrecord export case.wacz --url https://example.org/post
    """
    from pipeline.export.export import export_wacz
    from pipeline.export.selection import Wanted

    name = file.name.lower()
    others = bool(runs or start or end or collection or sign or match != "exact")
    _check_page(file, url, at, others=others)
    _check(file, url, match, sign=sign, overwrite=overwrite)
    archive = context.open_reader(withheld=withheld, sessions=include_sessions)
    archive.require()
    if name.endswith(_PAGE) and url is not None:
        export_html(context, archive, file, url, at)
        _say_hidden(context, archive)
        return
    write = _writer(name)
    if sign:
        from archive.export import WaczSigner

        write = partial(export_wacz, signer=WaczSigner.beside(context.signing_key()))
    with to_file(file) as stream, closing(_bar(context, stream)):
        done = write(archive, Wanted(url, match, start, end, runs, collection), stream)
    _say_hidden(context, archive)
    _say(context, file, done)


def _say(context: Context, file: Path, done: Exported) -> None:
    """Say what an export holds."""
    size = file.stat().st_size
    if context.as_json:
        entry = {"file": str(file), "bytes": size, "captures": done.captures, "added": done.added, "pages": done.pages}
        print_json(entry | {"withheld": done.withheld})
    else:
        added = f" and {done.added:,} that they need" if done.added else ""
        out = f"; {done.withheld:,} that are withheld are left out" if done.withheld else ""
        context.say(f"{file}: {many(done.captures, 'capture')}{added}, {many(size, 'byte')}{out}")


def _check_page(file: Path, url: str | None, at: datetime | None, *, others: bool) -> None:
    """Raise click.UsageError for a file of no kind, and for options that do not go with a file of one page."""
    forms = (*_FORMS, _PAGE)
    if not file.name.lower().endswith(forms):
        raise click.UsageError(f"{file.name} has none of the endings {', '.join(forms)}: name the file by its kind")
    is_page = file.name.lower().endswith(_PAGE)
    if is_page and (url is None or others):
        raise click.UsageError("FILE.html holds one snapshot: name it with --url, and --at if not the newest is meant")
    if at is not None and not is_page:
        raise click.UsageError("--at is for FILE.html: for the other forms name a span with --from and --to")


def _check(file: Path, url: str | None, match: str, *, sign: bool, overwrite: bool) -> None:
    """Raise click.UsageError for a call that does not fit together, or would replace a file."""
    if url is None and match != "exact":
        raise click.UsageError("--match says which URLs: name one with --url")
    if sign and not file.name.lower().endswith(".wacz"):
        raise click.UsageError("--sign is for FILE.wacz: the other forms have no place for a signature")
    if file.exists() and not overwrite:
        raise click.UsageError(f"{file} is there already; name another file, or add --overwrite")


def _say_hidden(context: Context, archive: Reader) -> None:
    if count := len(archive.sessions_hidden):
        context.say(
            f"{many(count, 'capture')} made with a session left out: they show what one reader may see; to export them "
            "too: --include-sessions"
        )


def _bar(context: Context, stream: BinaryIO) -> Progress:
    """Return a bar that says how many bytes were written."""
    return Progress(enabled=context.draws, total=None, what="writing", unit="", measured=partial(_size, stream))


def _size(stream: BinaryIO) -> int:
    """Return how many bytes of a file are written; 0 of what is no file."""
    try:
        return os.fstat(stream.fileno()).st_size
    except (OSError, ValueError, AttributeError):
        return 0


def _writer(name: str) -> Callable[[Reader, Wanted, BinaryIO], Exported]:
    """Return what writes the form that a file's ending names."""
    from pipeline.export.export import export_csv, export_parquet, export_wacz, export_warc

    forms = dict(zip(_FORMS, (export_wacz, export_warc, export_parquet, export_csv), strict=True))
    return next(write for ending, write in forms.items() if name.endswith(ending))
