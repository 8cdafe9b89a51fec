"""`onrecord export FILE.html`: one snapshot as one file that opens offline."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.lookup_note import note_lookup, same_text, when
from pipeline.cli.output import many, plain, print_json
from pipeline.cli.output_file import to_file

if TYPE_CHECKING:
    from archive.archive import Reader

_MOST_NAMED = 5  # missing files that are named


def export_html(context: Context, archive: Reader, file: Path, url: str, at: datetime | None) -> None:
    """Write the newest snapshot of a URL, or the one nearest to a time, with all that it needs to be shown.

    Raises click.UsageError where it is no page; raises as `get` does.
    """
    from archive.page_history import newest_shown
    from archive.times import iso
    from pipeline.web.common.archive_reader import Reading
    from pipeline.web.replay.one_file import one_file

    snapshot = archive.closest(url, at) if at else newest_shown(archive, url, same_text)
    try:
        page, found = one_file(Reading(archive), snapshot)
    except ValueError as error:
        raise click.UsageError(f"{error}: take its bytes with onrecord get --format raw -o FILE") from error
    note_lookup(context, url, when(archive, snapshot, at))
    with to_file(file) as stream:
        stream.write(page.encode("utf-8", "replace"))
    if context.as_json:
        entry = {"file": str(file), "bytes": file.stat().st_size, "url": snapshot.url}
        entry |= {"timestamp": iso(snapshot.timestamp), "record_id": snapshot.record_id, "files": found.files}
        missing = {"missing": sorted(found.missing), "too_large": sorted(found.too_large)}
        print_json(entry | missing | {"withheld": len(found.withheld)})
        return
    context.say(f"{file}: the page and {many(found.files, 'file')} that it needs, {many(file.stat().st_size, 'byte')}")
    _name(context, found.missing, "not kept")
    _name(context, found.too_large, "too large, or too deep within one another")
    if found.withheld:
        context.say(f"{many(len(found.withheld), 'file')} that the page needs withheld")


def _name(context: Context, urls: Iterable[str], why: str) -> None:
    """Say what is missing in the file."""
    missing = sorted(urls)
    if missing:
        more = f" and {len(missing) - _MOST_NAMED:,} more" if len(missing) > _MOST_NAMED else ""
        named = ", ".join(plain(each, 200) for each in missing[:_MOST_NAMED])
        context.say(f"{many(len(missing), 'file')} that the page needs {why}: {named}{more}")
