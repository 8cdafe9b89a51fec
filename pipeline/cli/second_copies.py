"""`--also`: second copies of what was captured, in other archives, for the commands that capture and tell of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Context
from pipeline.cli.output import plain, print_json

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.model import Outcome
    from pipeline.ingest.second_copy.outbox import Copies
    from pipeline.ingest.second_copy.save_page_now import SavePageNow

ARCHIVES = ("wayback",)  # as in pipeline.watch.watch_list, which is loaded only where it is needed
_WAIT = 60.0  # seconds that `capture` waits for the other archive


def copies_of(context: Context) -> Copies:
    """Return this machine's list of second copies of the store."""
    from pipeline.ingest.second_copy.outbox import Copies

    return Copies(context.copies_folder())


def service_of(context: Context) -> SavePageNow:
    """Return the service that the settings name; raises click.UsageError."""
    from pipeline.ingest.second_copy.save_page_now import SERVER, SavePageNow
    from pipeline.outbound.http import address

    table = context.defaults.get("also", {})
    server, file = str(table.get("wayback_server", SERVER)).rstrip("/"), table.get("wayback_keys_file")
    try:
        address(server)
    except ValueError as error:
        raise click.UsageError(f"also.wayback_server cannot be used: {error}") from None
    if file is None:
        return SavePageNow(server)
    try:
        keys = Path(str(file)).expanduser().read_text("ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise click.UsageError(f"also.wayback_keys_file: {file} cannot be read: {reason}") from None
    if keys.count(":") != 1 or not keys.isprintable() or " " in keys:
        raise click.UsageError(f"also.wayback_keys_file: {file} holds no keys; write one line, ACCESS:SECRET")
    return SavePageNow(server, keys)


def want(context: Context, outcome: Outcome, archives: Iterable[str]) -> None:
    """Put the second copies of a page on the list; what cannot be listed is one line, and harms no capture."""
    from pipeline.ingest.second_copy.outbox import CopiesError
    from pipeline.ingest.second_copy.send import wanted

    found = [copy for name in archives if (copy := wanted(outcome, name)) is not None]
    if not found:
        return
    try:
        copies_of(context).add(found)
    except CopiesError as error:
        click.echo(f"onrecord: {error}; {plain(outcome.url)} gets no second copy", err=True)
        return
    for copy in found:
        if copy.detail:
            click.echo(f"onrecord: no second copy of {plain(copy.url)}: {copy.detail}", err=True)


def send(context: Context, archive: Reader, service: SavePageNow | None = None, *, patient: bool = False) -> None:
    """Take the steps of second copies that are due, and say which ended; with `patient`, wait a minute for the rest."""
    copies = copies_of(context)
    if not copies.folder.exists():
        return
    from pipeline.ingest.second_copy.outbox import CopiesError, CopyState
    from pipeline.ingest.second_copy.send import Sender

    try:
        ended = Sender(archive, copies, service or service_of(context)).flush(_WAIT if patient else 0.0)
        counts = copies.counts()
    except CopiesError as error:
        click.echo(f"onrecord: second copies wait: {error}", err=True)
        return
    for copy in ended:
        good = copy.state == CopyState.SAVED
        line = f"second copy {copy.state}: {plain(copy.url)}: {plain(copy.detail, 200)}"
        where = f", {plain(copy.found)}" if copy.found else ""
        if good:
            context.say(f"{line}{where}")
        else:
            click.echo(f"onrecord: {line}{where}", err=True)
    open_ = counts.get("waiting", 0) + counts.get("asked", 0)
    if open_ and patient:
        word = "copy is" if open_ == 1 else "copies are"
        context.say(f"{open_:,} second {word} not ready; the next command that captures looks again")


def say_counts(context: Context) -> dict[str, int]:
    """Return how many second copies are in each state, none where there is no list; what is wrong is one line."""
    from pipeline.ingest.second_copy.outbox import CopiesError

    try:
        return copies_of(context).counts()
    except CopiesError as error:
        click.echo(f"onrecord: {error}", err=True)
        return {}


def list_copies(context: Context) -> None:
    """Print each second copy: its state, the page, where it is, and why."""
    from archive.times import iso

    found = copies_of(context).all()
    for copy in found:
        if context.as_json:
            times = {"timestamp": iso(copy.at), "added": iso(copy.added)}
            entry = {"url": copy.url, "archive": copy.archive, "state": str(copy.state), "record_id": copy.record_id}
            print_json(entry | times | {"attempts": copy.attempts, "found": copy.found, "detail": copy.detail})
            continue
        where = f" -> {plain(copy.found)}" if copy.found else ""
        detail = f"  {plain(copy.detail, 200)}" if copy.detail else ""
        click.echo(f"{copy.state:<8} {copy.archive} {iso(copy.at)} {plain(copy.url)}{where}{detail}")
    if not found:
        context.say("no second copy was asked for; see: onrecord capture --help, --also")
