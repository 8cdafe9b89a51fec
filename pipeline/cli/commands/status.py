"""`onrecord status`: what the archive holds, and what happened to its pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.interrupted import note_waiting
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.output_file import to_file
from pipeline.cli.second_copies import list_copies, say_counts
from pipeline.cli.time_params import Time
from pipeline.cli.watch_news import news_of
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    import sqlite3

    from archive.archive import Reader
    from archive.statistics import HostStock
    from pipeline.watch.edits import Edit
    from pipeline.watch.history import Ledger
    from pipeline.watch.watched_pages import News


@click.command("status")
@click.option("--hosts", type=click.IntRange(0), default=10, show_default=True, help="How many hosts to list.")
@click.option(
    "--gone", is_flag=True, help="List the pages that are gone, blocked, paywalled, incomplete or out of reach."
)
@click.option("--changed", is_flag=True, help="List the edits, with what they did and both records.")
@click.option("--copies", is_flag=True, help="List the second copies in other archives, and how far each is.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML file with a timeline per page.")
@click.option("--from", "start", type=Time(), help="Edits from this time on.")
@click.option("--to", "end", type=Time(), help="Edits up to this time.")
@withheld_option
@click.pass_obj
def command(
    context: Context,
    hosts: int,
    gone: bool,
    changed: bool,
    copies: bool,
    report: Path | None,
    start: datetime | None,
    end: datetime | None,
    withheld: bool,
) -> None:
    """Say what the archive holds: runs, captures, sizes, the oldest and the newest, and which hosts have most.

    A change of a page is confirmed by at least two captures, some time apart, by `onrecord run` or by hand; until then
    it is listed as "to be confirmed".

    Example: onrecord status --changed --from '7 days ago'
    """
    if copies:
        list_copies(context)
        return
    archive = context.open_reader(withheld=withheld)
    note_waiting(context)
    archive.require()
    if gone or changed or report is not None:
        from pipeline.watch.edits import edits_of

        with _ledger(context, archive) as (ledger, database), news_of(context, archive, ledger, database) as news:
            if gone:
                _gone(context, archive, ledger, database)
            if changed:
                _changed(context, archive, edits_of(archive, ledger, database, start, end, news), news)
            if report is not None:
                _report(archive, ledger, database, report, news)
        return
    _stock(context, archive, hosts)


@contextmanager
def _ledger(context: Context, archive: Reader) -> Iterator[tuple[Ledger, sqlite3.Connection]]:
    from pipeline.watch.history import Ledger

    ledger = Ledger(context.state_folder() / "ledger.db")
    ledger.sync(archive)
    with ledger.opened() as database:
        yield ledger, database


def _gone(context: Context, archive: Reader, ledger: Ledger, database: sqlite3.Connection) -> None:
    from archive.times import iso
    from pipeline.watch.report import away, entry_of

    none = True
    for page in away(archive, ledger, database):
        none = False
        if context.as_json:
            print_json(entry_of(page))
            continue
        good = f"last good {iso(page.now.good.at)}" if page.now.good else "never seen"
        detail = plain(page.now.last.detail, 200) if page.now.last else ""
        assert page.state is not None, "it is away"
        where = f"{page.state.short:<12} since {iso(page.state.since)}"
        click.echo(f"{where}  {good}  {plain(page.url)}  {detail}".rstrip())
    if none:
        context.say("no page is known to be gone, blocked, paywalled or out of reach")


def _changed(context: Context, archive: Reader, edits: list[Edit], news: News | None) -> None:
    from archive.times import iso
    from pipeline.cli.output import harmless
    from pipeline.watch.edits import edit_of
    from pipeline.watch.events import difference

    for edit in edits:
        found = edit.transition
        diff = news.difference(found) if news and edit.selected else difference(archive, found)
        if context.as_json:
            print_json(edit_of(edit, diff))
            continue
        no_alert = f" (no alert: {edit.no_alert})" if edit.no_alert else ""
        click.echo(f"{edit.words} {iso(found.at)} {plain(found.url)}{no_alert}")
        for mark, side in (("---", found.earlier), ("+++", found.later)):
            click.echo(f"{mark} {iso(side.at)} {side.record_id}")
        click.echo(harmless(diff or "the texts cannot be compared\n"))
    if not edits:
        context.say("no edit is known")


def _report(archive: Reader, ledger: Ledger, database: sqlite3.Connection, path: Path, news: News | None) -> None:
    from pipeline.watch.report import report

    with to_file(path) as stream:
        for piece in report(archive, ledger, database, ledger.urls(database), news):
            stream.write(piece.encode("utf-8", "replace"))


def _stock(context: Context, archive: Reader, hosts: int) -> None:
    """Print what the archive holds; reads every manifest and the whole index."""
    from archive.statistics import stock_of

    stock, copies = stock_of(archive), say_counts(context)
    if context.as_json:
        entry = asdict(stock) | _entry(stock.total) | ({"copies": copies} if copies else {})
        entry |= {"store": archive.url, "hosts": [_entry(each) for each in stock.hosts[:hosts]]}
        print_json({name: value for name, value in entry.items() if name not in {"total", "host"}})
        return
    total = stock.total
    click.echo(f"{archive.url}")
    click.echo(f"runs       {stock.runs:,}" + (f", and {stock.uncommitted:,} not committed" * bool(stock.uncommitted)))
    click.echo(
        f"captures   {total.captures:,}: {many(total.revisits, 'revisit')}, {many(total.tombstones, 'tombstone')}"
    )
    click.echo(f"documents  {stock.documents:,}")
    if stock.text_incomplete:
        click.echo(
            f"incomplete {many(stock.text_incomplete, 'page')} without the whole text, or drawn by scripts "
            "(text-incomplete)"
        )
    if copies:
        shown = ", ".join(f"{count:,} {state}" for state, count in copies.items())
        click.echo(f"copies     {shown} in other archives: onrecord status --copies")
    sizes = f"{stock.warc_bytes:,} in WARC files, {stock.index_bytes:,} in indexes, {stock.other_bytes:,} besides"
    click.echo(f"bytes      {sizes}")
    click.echo(f"oldest     {_time(total, 'oldest')}")
    click.echo(f"newest     {_time(total, 'newest')}")
    for each in stock.hosts[:hosts]:
        click.echo(f"  {each.captures:>9,}  {_time(each, 'oldest')} to {_time(each, 'newest')}  {plain(each.host, 80)}")
    if len(stock.hosts) > hosts:
        click.echo(f"  and {many(len(stock.hosts) - hosts, 'host')} more")


def _time(stock: HostStock, name: str) -> str:
    from archive.times import iso

    moment = getattr(stock, name)
    return iso(moment) if moment else "none"


def _entry(stock: HostStock) -> dict[str, Any]:
    from archive.times import iso

    times = {"oldest": stock.oldest and iso(stock.oldest), "newest": stock.newest and iso(stock.newest)}
    return asdict(stock) | times
