"""What is withheld, on the command line: the option that shows it all the same, and outcomes of its captures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from archive.archive import Reader
    from archive.model import Outcome

withheld_option = click.option(
    "--withheld", is_flag=True, help="Show what is withheld or under embargo too: for who keeps the archive."
)

include_sessions_option = click.option(
    "--include-sessions", is_flag=True, help="Give out captures made with cookies, passwords or headers too."
)


def told_outcome(archive: Reader, outcome: Outcome, line: bytes) -> tuple[Outcome, bytes]:
    """Return an outcome and its JSON line as they are printed: of a page that is withheld, without title and reason."""
    from archive.formats import encode_outcome
    from archive.times import from_iso

    urls = [url for url in (outcome.url, outcome.final_url) if url]
    moment = from_iso(outcome.timestamp)
    if not any(archive.withholding_at(url, moment, outcome.record_id or "", outcome.place) for url in urls):
        return outcome, line
    silent = replace(outcome, title=None, error=None, notes=())
    return silent, encode_outcome(silent)
