"""What the watch list calls news, for the commands that list the edits of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain

if TYPE_CHECKING:
    import sqlite3

    from archive.archive import Reader
    from pipeline.watch.history import Ledger
    from pipeline.watch.watched_pages import News


@contextmanager
def news_of(context: Context, archive: Reader, ledger: Ledger, database: sqlite3.Connection) -> Iterator[News | None]:
    """Yield what the watch list calls news; None where there is no list that can be read."""
    from pipeline.watch.relevant_history import RelevantHistories
    from pipeline.watch.watch_list import WatchError, load
    from pipeline.watch.watched_pages import News, WatchedPages

    try:
        watches = load(context.watch_list())
    except WatchError as error:
        click.echo(f"onrecord: which edits are no alerts is not said: {plain(str(error), 300)}", err=True)
        watches = []
    with closing(RelevantHistories(archive, database)) as histories:
        yield News(archive, WatchedPages(watches, ledger, database), histories) if watches else None


@contextmanager
def known_news(context: Context, archive: Reader) -> Iterator[News | None]:
    """Yield the same by what this machine knows of the pages, without a look at the store; None where it knows none."""
    from pipeline.watch.history import Ledger
    from storage.errors import OnrecordError

    path = context.state_folder() / "ledger.db"
    if not path.exists() or not context.watch_list().exists():
        yield None
        return
    with ExitStack() as stack:
        try:
            database = stack.enter_context(Ledger(path).opened())
        except OnrecordError:
            yield None
            return
        yield stack.enter_context(news_of(context, archive, Ledger(path), database))
