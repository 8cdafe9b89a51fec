"""`onrecord snapshots`: what is kept of a URL."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.lookup_note import note_spelling, same_text
from pipeline.cli.output import plain, print_json
from pipeline.cli.time_params import Time
from pipeline.cli.watch_news import known_news
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    from archive.states import Judged
    from pipeline.watch.watched_pages import News


@click.command("snapshots")
@click.argument("url")
@click.option("--from", "start", type=Time(), help="The earliest time: 14 digits, ISO 8601, or '2 days ago'.")
@click.option("--to", "end", type=Time(last=True), help="The latest time; a day, a month or a year is meant whole.")
@click.option(
    "--match",
    type=click.Choice(["exact", "prefix", "host", "domain"]),
    default="exact",
    show_default=True,
    help="Which URLs: this one, all that begin so, all of its host, all of its domain.",
)
@withheld_option
@click.pass_obj
def command(
    context: Context, url: str, start: datetime | None, end: datetime | None, match: str, withheld: bool
) -> None:
    """List what is kept of a URL, oldest first, each snapshot with what it is beside those before it.

    Example: onrecord snapshots https://example.org/post --from '30 days ago'
    """
    from archive.errors import NoSuchSnapshot
    from archive.page_history import judged
    from archive.stored_texts import StoredTexts

    archive = context.open_reader(withheld=withheld)
    count = 0
    asked, url = url, archive.kept_address(url) if match == "exact" else url
    if url != asked:
        note_spelling(asked, url)
    begin = None if match == "exact" else start  # a snapshot is judged by those before it
    found = archive.snapshots(url, match=match, start=begin, end=end)
    with known_news(context, archive) as news:
        for entry in judged(StoredTexts(archive, same_text), found):
            if start is not None and entry.snapshot.timestamp < start:
                continue
            count += 1
            no_alert = _no_alert(entry, news)
            print_json(_entry(entry, no_alert)) if context.as_json else click.echo(_line(entry, no_alert))
    if not count:
        archive.require()
        span = " in that span" if start or end else ""
        raise NoSuchSnapshot(
            f"nothing is kept of {plain(url)}{span}; capture it: onrecord capture {shlex.quote(plain(url))}"
        )


def _no_alert(entry: Judged, news: News | None) -> str | None:
    """Return by which rule of its watch an edit is no alert; None where no rule says so, or it waits for more looks."""
    from archive.states import Certainty, Name

    state = entry.state
    if news is None or entry.earlier is None or state.name != Name.EDITED or state.certainty == Certainty.PENDING:
        return None
    return news.no_alert_between(entry.earlier, entry.snapshot)


def _line(entry: Judged, no_alert: str | None) -> str:
    from dataclasses import replace

    from archive.times import iso

    snapshot = entry.snapshot
    if snapshot.withheld:
        return f"{iso(snapshot.timestamp)} --- {plain(str(snapshot.withheld))}  {plain(snapshot.url)}"
    state = entry.state
    what = replace(state, detail="").words
    why = state.detail if state.detail not in {str(snapshot.status), snapshot.location} else ""
    notes = f" ({plain(why, 200)})" if why else ""
    notes += f" (no alert: {no_alert})" if no_alert else ""
    notes += f" (truncated: {plain(snapshot.truncated)})" if snapshot.truncated else ""
    notes += f" ({plain(snapshot.source, 300)})" if snapshot.recovered else ""
    notes += f" ({plain(snapshot.session_words, 300)})" if snapshot.session else ""
    arrow = f" -> {plain(snapshot.location)}" if snapshot.location else ""
    title = f"  {plain(snapshot.title)}" if snapshot.title else ""
    return f"{iso(snapshot.timestamp)} {snapshot.status} {what:<9} {plain(snapshot.url)}{arrow}{notes}{title}"


def _entry(judged: Judged, no_alert: str | None) -> dict[str, Any]:
    from archive.times import iso

    snapshot = judged.snapshot
    if snapshot.withheld:
        told = {"kind": snapshot.withheld.kind, "reason": snapshot.withheld.reason}
        until = {"until": iso(snapshot.withheld.until)} if snapshot.withheld.until else {}
        return {"url": snapshot.url, "timestamp": iso(snapshot.timestamp), "withheld": told | until}
    entry = {
        "url": snapshot.url,
        "timestamp": iso(snapshot.timestamp),
        "status": snapshot.status,
        "mime": snapshot.mime,
        "digest": snapshot.digest,
        "revisit": snapshot.revisit,
        "record_id": snapshot.record_id,
        "run": snapshot.run,
        "key": snapshot.record.key,
        "offset": snapshot.record.offset,
        "length": snapshot.record.length,
        "title": snapshot.title,
        "location": snapshot.location,
        "truncated": snapshot.truncated,
        "availability": snapshot.availability,
        "recovered_from": snapshot.recovered,
        "session": snapshot.session,
        **judged.state.fields(),
        "no_alert": no_alert,
    }
    return {name: value for name, value in entry.items() if value is not None}
