"""`onrecord diff`: what changed in the text of a page between two snapshots."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.context import Context
from pipeline.cli.lookup_note import note_lookup, same_text, when
from pipeline.cli.output import harmless, json_line, plain
from pipeline.cli.output_file import to_file
from pipeline.cli.time_params import Time
from pipeline.cli.withheld_option import withheld_option

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.model import Snapshot
    from archive.page_history import Dated
    from archive.text_diff import Piece

_STYLE = (
    "body{max-width:42em;margin:2em auto;padding:0 1em;font:1.05em/1.5 serif;color:#1b1b1b;background:#fdfdfb}"
    "header{font:.85em/1.5 sans-serif;border-bottom:1px solid;margin-bottom:1.5em}code{overflow-wrap:anywhere}"
    "ins{background:#d3f2d3;text-decoration:none}del{background:#f8d3d3}main{white-space:pre-wrap}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e3;background:#17181a}ins{background:#1f4d24}del{background:#5b2326}}"
)


@click.command("diff")
@click.argument("url")
@click.option("--from", "start", type=Time(), help="The earlier time.  [default: the last text that was another]")
@click.option("--to", "end", type=Time(), help="The later time.  [default: newest]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["words", "unified", "html"]),
    default="words",
    show_default=True,
    help="Changes within their sentences; lines as patch reads them; a page of its own.",
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.  [default: stdout]"
)
@withheld_option
@click.pass_obj
def command(
    context: Context,
    url: str,
    start: datetime | None,
    end: datetime | None,
    form: str,
    output: Path | None,
    withheld: bool,
) -> None:
    """Show what changed in the text of a page, between two snapshots.

    Without times, the newest snapshot is compared with the last one before it whose text was another. Both records are
    named. The exit code is 0 whether the texts differ or not.

    Example: onrecord diff https://example.org/post --from 20260101
    """
    from archive.digests import text_digest
    from archive.page_history import to_compare
    from archive.text_diff import compare

    archive = context.open_reader(withheld=withheld)
    old, new = to_compare(archive, url, start, end, same_text)
    found = when(archive, new, end)
    before, after = _text(archive, old), _text(archive, new)
    note_lookup(context, url, found)
    if start is not None:
        note_lookup(context, url, when(archive, old, start))
    if text_digest(before.split()) == text_digest(after.split()):  # how words are spaced is no edit
        after = before
    pieces = compare(before, after)
    head = f"--- {_named(old)}\n+++ {_named(new)}\n"
    if form == "words" and output is None and not context.as_json and sys.stdout.isatty():
        click.echo(head + _words(pieces, coloured=True), nl=False)
        return
    with to_file(output) as stream:
        if context.as_json:
            stream.write(json_line(_entry(old, found, pieces)) + b"\n")
        elif form == "html":
            stream.write(_page(old, new, pieces).encode())
        elif form == "unified":
            stream.write((head + _unified(before, after)).encode())
        else:
            stream.write((head + _words(pieces, coloured=False)).encode())


def _text(archive: Reader, snapshot: Snapshot) -> str:
    from archive.errors import NoSuchSnapshot
    from archive.times import iso

    document = archive.document(snapshot)
    if document is None:
        raise NoSuchSnapshot(f"the snapshot of {iso(snapshot.timestamp)} has no text to compare; name another time")
    return harmless(document.article.text or "").rstrip("\n") + "\n"


def _named(snapshot: Snapshot) -> str:
    from archive.times import iso

    source = f" ({plain(snapshot.source, 300)})" if snapshot.recovered else ""
    return f"{iso(snapshot.timestamp)} {plain(snapshot.url)} {snapshot.record_id}{source}"


_COLOURS = {"deleted": "red", "inserted": "green"}


def _words(pieces: list[Piece], *, coloured: bool) -> str:
    """Return the changes with a little of what stays around them; marked by brackets where colours cannot be seen."""
    from archive.text_diff import bracketed, marked

    return marked(pieces, _coloured if coloured else bracketed)


def _coloured(piece: Piece) -> str:
    return click.style(piece.text, fg=_COLOURS[piece.kind], strikethrough=piece.kind == "deleted")


def _unified(before: str, after: str) -> str:
    from difflib import unified_diff

    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="")
    return "".join(f"{line}\n" for line in list(lines)[2:])


def _page(old: Snapshot, new: Snapshot, pieces: list[Piece]) -> str:
    """Return a page that needs nothing else: no script, no request."""
    tags: dict[str, Callable[[str], str]] = {
        "same": lambda text: text,
        "deleted": lambda text: f"<del>{text}</del>",
        "inserted": lambda text: f"<ins>{text}</ins>",
    }
    body = "".join(tags[piece.kind](html.escape(piece.text)) for piece in pieces)
    heads = "".join(
        f"<p>{word}: <code>{html.escape(_named(it))}</code></p>" for word, it in (("Before", old), ("After", new))
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>What changed: {html.escape(plain(new.title or new.url))}</title><style>{_STYLE}</style></head>"
        f"<body><header><h1>What changed</h1>{heads}</header><main>{body}</main></body></html>\n"
    )


def _entry(old: Snapshot, found: Dated, pieces: list[Piece]) -> dict[str, Any]:
    from archive.times import iso

    new = found.snapshot
    source = {"recovered_from": old.recovered} if old.recovered else {}
    return {
        "url": new.url,
        "from": {"timestamp": iso(old.timestamp), "record_id": old.record_id, "digest": old.digest} | source,
        "to": {"timestamp": iso(new.timestamp), "record_id": new.record_id, "digest": new.digest} | found.fields(),
        "changed": any(piece.kind != "same" for piece in pieces),
        "pieces": [{"kind": piece.kind, "text": piece.text} for piece in pieces],
    }
