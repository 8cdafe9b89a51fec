"""`onrecord status`: what the archive holds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json

if TYPE_CHECKING:
    from archive.stock import HostStock


@click.command("status")
@click.option("--hosts", type=click.IntRange(0), default=10, show_default=True, help="How many hosts to list.")
@click.pass_obj
def command(context: Context, hosts: int) -> None:
    """Say what the archive holds: runs, captures, sizes, the oldest and the newest, and which hosts have most.

    Reads every manifest and the whole index.

    Example: onrecord status --hosts 20
    """
    from archive.stock import stock_of

    archive = context.open_archive()
    archive.require()
    stock = stock_of(archive)
    if context.as_json:
        entry = asdict(stock) | _entry(stock.total)
        entry |= {"store": archive.store.url, "hosts": [_entry(each) for each in stock.hosts[:hosts]]}
        print_json({name: value for name, value in entry.items() if name not in {"total", "host"}})
        return
    total = stock.total
    click.echo(f"{archive.store.url}")
    click.echo(f"runs       {stock.runs:,}" + (f", and {stock.uncommitted:,} not committed" * bool(stock.uncommitted)))
    click.echo(f"captures   {total.captures:,}: {total.unchanged:,} unchanged, {total.tombstones:,} tombstones")
    click.echo(f"documents  {stock.documents:,}")
    sizes = f"{stock.warc_bytes:,} in WARC files, {stock.index_bytes:,} in indexes, {stock.other_bytes:,} besides"
    click.echo(f"bytes      {sizes}")
    click.echo(f"oldest     {_time(total, 'oldest')}")
    click.echo(f"newest     {_time(total, 'newest')}")
    for each in stock.hosts[:hosts]:
        click.echo(f"  {each.captures:>9,}  {_time(each, 'oldest')} to {_time(each, 'newest')}  {plain(each.host, 80)}")
    if len(stock.hosts) > hosts:
        click.echo(f"  and {len(stock.hosts) - hosts:,} hosts more")


def _time(stock: HostStock, name: str) -> str:
    from archive.times import iso

    moment = getattr(stock, name)
    return iso(moment) if moment else "none"


def _entry(stock: HostStock) -> dict[str, Any]:
    from archive.times import iso

    times = {"oldest": stock.oldest and iso(stock.oldest), "newest": stock.newest and iso(stock.newest)}
    return asdict(stock) | times
