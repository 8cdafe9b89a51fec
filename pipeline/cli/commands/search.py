"""`onrecord search`: the texts of the archive, by their words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.lookup_note import when
from pipeline.cli.output import plain, print_json
from pipeline.cli.time_params import Time
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.page_history import Dated
    from archive.search import Hit

_MARKS = str.maketrans({"\x02": "", "\x03": ""})


@click.command("search")
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@click.option("--site", help="Only this host and the hosts below it.")
@click.option("--collection", metavar="NAME", help="Only texts of a collection.")
@click.option("--from", "start", type=Time(), help="The earliest capture: 14 digits, ISO 8601, or '2 days ago'.")
@click.option("--to", "end", type=Time(last=True), help="The latest capture; a day, a month or a year is meant whole.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many are shown.")
@withheld_option
@click.pass_obj
def command(
    context: Context,
    words: tuple[str, ...],
    site: str | None,
    collection: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    withheld: bool,
) -> None:
    """Find texts in the archive, the best first.

    All words must be there. "..." is a phrase, -word must not be there, title: and author: name a field, and word*
    matches every ending. Each text is dated, with what is known of its page since. The index is a local file that is
    made from the archive when it is asked.

    Example: onrecord search '"harbour court"' -- -tax title:open
    """
    from archive.search import search_index

    archive = context.open_reader(withheld=withheld)
    runs = archive.runs()
    if not runs:
        archive.require()
    index = search_index(archive, context.cache_file("search.sqlite"), collection)
    try:
        for fault in index.refresh(runs):
            click.echo(f"onrecord: {plain(fault, 300)}", err=True)
        count = 0
        for hit in index.search(" ".join(words), site=site, start=start, end=end, limit=limit):
            count += 1
            found = _found(archive, hit)
            print_json(_entry(hit, found)) if context.as_json else click.echo(_lines(hit, found))
    finally:
        index.close()
    if not count:
        context.say("nothing is found; fewer words, or word*, find more")


def _found(archive: Reader, hit: Hit) -> Dated | None:
    """Return of when a text that was found is; None where its capture cannot be looked up."""
    from archive.errors import ArchiveError
    from storage.errors import StoreError

    try:
        captures = archive.snapshots(hit.url, start=hit.timestamp, end=hit.timestamp)
        snapshot = next((each for each in captures if each.record_id == hit.record_id), None)
        return when(archive, snapshot, None) if snapshot else None
    except (ArchiveError, StoreError) as error:
        click.echo(f"onrecord: {plain(hit.url)}: {plain(str(error), 300)}", err=True)
        return None


def _lines(hit: Hit, found: Dated | None) -> str:
    from archive.times import iso

    by = f", {plain(hit.author, 100)}" if hit.author else ""
    pieces = hit.snippet.replace("\x03", "\x02").split("\x02")  # every second one was looked for
    shown = "".join(click.style(plain(piece), bold=number % 2 == 1) for number, piece in enumerate(pieces))
    by += " (the text that a browser took from the page)" if hit.url.startswith("urn:text:") else ""
    notes = found.notes() if found else []
    if found and found.state and not found.state.shows_page:
        notes = [found.state.words, *notes]
    since = f"  ({plain('; '.join(notes), 300)})" if notes else ""
    title = plain(hit.title or "without a title", 200)
    return f"{iso(hit.timestamp)} {plain(hit.url)}{since}\n    {title}{by}\n    {shown}"


def _entry(hit: Hit, found: Dated | None) -> dict[str, Any]:
    from archive.times import iso

    entry = {
        "url": hit.url,
        "timestamp": iso(hit.timestamp),
        "record_id": hit.record_id,
        "title": hit.title,
        "author": hit.author,
        "date": hit.date,
        "snippet": hit.snippet.translate(_MARKS),
        **(found.fields() if found else {}),
    }
    return {name: value for name, value in entry.items() if value is not None}
