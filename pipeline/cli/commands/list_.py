"""`onrecord list`: the pages of the archive, each with how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.lookup_note import same_text
from pipeline.cli.output import plain, print_json
from pipeline.cli.output_file import to_file
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    from archive.annotations import Said
    from archive.archive import Reader
    from archive.model import Snapshot
    from archive.page_history import PageHistory

COLUMNS = (
    "url", "title", "state", "since", "confirmed", "first", "last", "snapshots", "recovered", "withheld",
    "collections", "labels", "note",
)  # fmt: skip
_MADE_OF = "urn:"  # what a browser or another program made of a page


@click.command("list")
@click.argument("url", required=False)
@click.option(
    "--match",
    type=click.Choice(["exact", "prefix", "host", "domain"]),
    default="host",
    show_default=True,
    help="Of a URL: this page, all that begin so, all of its host, all of its domain.",
)
@click.option("--collection", metavar="NAME", help="Only pages of a collection.")
@click.option("--everything", is_flag=True, help="List what has no text too: pictures, style sheets, redirects.")
@click.option("--csv", "as_csv", is_flag=True, help="Write CSV, for a spreadsheet.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.  [default: stdout]"
)
@withheld_option
@click.pass_obj
def command(
    context: Context,
    url: str | None,
    match: str,
    collection: str | None,
    everything: bool,
    as_csv: bool,
    output: Path | None,
    withheld: bool,
) -> None:
    """List the pages of the archive, by address: first and last snapshot, state, title.

    Of each page it says where it stands by its snapshots, and how many there are; `recovered` counts those that another
    archive gave back.

    Example: onrecord list https://example.org/ --csv -o pages.csv
    """
    archive = context.open_reader(withheld=withheld)
    rows = _rows(archive, url, match, collection, everything=everything)
    first = next(rows, None)
    if first is None:
        archive.require()
        context.say(f"no page is kept of {plain(url)}" if url else "the archive holds no page")
    found = iter(()) if first is None else _with(first, rows)
    if context.as_json and output is None:
        for row in found:
            print_json({name: value for name, value in row.items() if value is not None})
        return
    with to_file(output) as stream:
        for line in _csv(found) if as_csv else (_line(row).encode("utf-8", "replace") for row in found):
            stream.write(line)


def _with(first: dict[str, Any], rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rows


def _rows(
    archive: Reader, url: str | None, match: str, collection: str | None, *, everything: bool
) -> Iterator[dict[str, Any]]:
    from archive.page_history import histories
    from archive.stored_texts import StoredTexts

    wanted: set[str] = set()
    if collection is not None:
        chosen = [each for each in archive.collection(collection) if everything or each.document or each.withheld]
        wanted = {each.place for each in chosen if url is None or archive.matches(each, url, match)}
        snapshots = _of_pages(archive, (each for each in chosen if each.place in wanted))
    else:
        snapshots = archive.every() if url is None else archive.snapshots(url, match=match)
    said = archive.annotations.said()
    for page in histories(StoredTexts(archive, same_text), snapshots):
        is_wanted = collection is None or any(each.snapshot.place in wanted for each in page.judged)
        if is_wanted and (everything or _is_page(page)):
            yield _row(page, said)


def _of_pages(archive: Reader, chosen: Iterable[Snapshot]) -> Iterator[Snapshot]:
    """Yield every snapshot of the pages of which some are chosen, by key, then time."""
    from archive.formats import urlkey

    pages = {urlkey(each.url): each.url for each in chosen}
    for key in sorted(pages):
        yield from archive.snapshots(pages[key])


def _is_page(page: PageHistory) -> bool:
    """Return whether there ever was a text of a page, or nobody may know."""
    if page.judged[0].snapshot.url.lower().startswith(_MADE_OF):
        return False
    return any(each.snapshot.document is not None or each.snapshot.withheld for each in page.judged)


def _row(page: PageHistory, said: Said) -> dict[str, Any]:
    from archive.annotations import Words
    from archive.times import iso

    snapshots = [each.snapshot for each in page.judged]
    state = page.state
    hidden = sum(each.withheld is not None for each in snapshots)
    shown = [each for each in snapshots if not each.withheld]
    words = (said.of_page(snapshots[-1].url, shown) if shown else Words()).entry()
    return {
        "url": snapshots[-1].url,
        "title": next((each.title for each in reversed(snapshots) if each.title), None),
        "state": state and str(state.name),
        "since": state and iso(state.since),
        "confirmed": None if state is None else bool(state.fields()["confirmed"]),
        "first": iso(snapshots[0].timestamp),
        "last": iso(snapshots[-1].timestamp),
        "snapshots": len(snapshots),
        "recovered": sum(each.recovered is not None for each in snapshots),
        "withheld": hidden,
        **words,
    }


def _line(row: dict[str, Any]) -> str:
    state = row["state"] or ("withheld" if row["withheld"] else "unknown")
    pending = "to be confirmed: " if row["confirmed"] is False else ""
    recovered = f", {row['recovered']:,} recovered" if row["recovered"] else ""
    title = f"  {plain(row['title'], 200)}" if row["title"] else ""
    title += "".join(f"  [{plain(name)}]" for name in (*row.get("collections", ()), *row.get("labels", ())))
    span = f"{row['first']} {row['last']}"
    return f"{span} {pending}{state:<9} {row['snapshots']:>5,}{recovered} {plain(row['url'])}{title}\n"


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield a table with a header."""
    from archive.export import csv_line

    yield csv_line(COLUMNS)
    for row in rows:
        yield csv_line(_cell(row.get(name)) for name in COLUMNS)


def _cell(value: Any) -> Any:
    return "; ".join(value) if isinstance(value, list) else value
