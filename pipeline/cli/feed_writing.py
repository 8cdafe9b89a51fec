"""The feeds of a watch list, written as files after a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain
from pipeline.cli.output_file import to_file

if TYPE_CHECKING:
    from archive.archive import Reader
    from pipeline.watch.feeds.feed_files import FeedFile
    from pipeline.watch.history import Ledger
    from pipeline.watch.watch_list import Watch

_HITS = 1_000  # texts of a search


def write_feeds(context: Context, feeds: Sequence[FeedFile], watches: Sequence[Watch], ledger: Ledger) -> int:
    """Write each feed whose entries are others than before; returns how many cannot be written: a line names each."""
    from pipeline.watch.feeds.entries import in_archive
    from pipeline.watch.feeds.feed_files import feed_bytes
    from storage.errors import OnrecordError

    if not feeds:
        return 0
    archive = context.open_archive()
    failed = 0
    for feed in feeds:
        try:
            data = feed_bytes(feed, archive, ledger, watches, in_archive(archive, _Texts(context, archive)))
            if not _holds(feed.file, data):
                feed.file.parent.mkdir(parents=True, exist_ok=True)
                with to_file(feed.file) as stream:
                    stream.write(data)
        except (OnrecordError, OSError, ValueError, click.UsageError) as error:
            failed += 1
            why = error.format_message() if isinstance(error, click.ClickException) else str(error)
            click.echo(f"onrecord: the feed {feed.file} is not written: {plain(why, 300)}", err=True)
    return failed


def _holds(file: Path, data: bytes) -> bool:
    return file.is_file() and file.read_bytes() == data


class _Texts:
    """Finds the pages of a search in the local index."""

    def __init__(self, context: Context, archive: Reader) -> None:
        self._context = context
        self._archive = archive

    def __call__(self, words: str, collection: str | None) -> Iterator[str]:
        """Yield the URLs of texts; raises SearchUnavailable, StoreError."""
        from archive.search import search_index

        index = search_index(self._archive, self._context.cache_file("search.sqlite"), collection)
        try:
            index.refresh(self._archive.runs())
            yield from [hit.url for hit in index.search(words, limit=_HITS)]
        finally:
            index.close()
