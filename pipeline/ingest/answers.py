"""What an answer says before its body is given to the extractors: small bodies, refusals with a wall's marks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from archive.errors import EntityError
from archive.model import Exchange, Outcome
from archive.warc import decoded, entity_of, mime_of
from pipeline.capture.http.failures import STANDS
from pipeline.extract.empty_pages import EMPTY
from pipeline.extract.tasks import BEGINNING, MAYBE_PAGES, holds_text, may_hold_text
from pipeline.extract.walls import wall_of

_MOST = 400_000  # bytes of a refusal's body that are looked at
_HARDLY_ANY = 64  # bytes of a body that may hold nothing: a last chunk, an empty gzip member
_JUDGED = frozenset({"ok", "http-error", "rate-limited"})

Wall = tuple[str, str]  # the name of an outcome, and whose wall it is


def small_body(exchange: Exchange, limit: int) -> bytes:
    """Return a body with its codings undone, up to a limit in bytes or where it breaks off."""
    body = bytearray()
    with exchange.response.open() as stream, suppress(EntityError):  # what came before is all there is
        head, entity = entity_of(exchange, stream)
        for piece in decoded(entity, head.content_encoding, 1 << 24):
            body += piece
            if len(body) >= limit:
                break
    return bytes(body)


def is_read(exchange: Exchange, mime: str) -> bool:
    """Return whether an answer of a media type is read for its text; generic types are judged by their first bytes."""
    if mime in MAYBE_PAGES or not may_hold_text(mime):
        return mime in MAYBE_PAGES
    return holds_text(mime, small_body(exchange, BEGINNING)[:BEGINNING])


def standing_in(exchange: Exchange, *, page: bool) -> Wall | None:
    """Return the wall that an answer of 400 or more is, or that an answer which is not read as a page is empty.

    Other answers are judged when their bodies are read.
    """
    if not page:
        return None
    if exchange.status >= 400:
        text = small_body(exchange, _MOST).decode("utf-8", "replace")
        rule = wall_of(exchange.url, exchange.status, exchange.headers, text)
        return (rule.kind, rule.name) if rule else None
    if not 200 <= exchange.status < 300 or mime_of(exchange) in MAYBE_PAGES:
        return None
    if exchange.response.size - exchange.head_length > _HARDLY_ANY or small_body(exchange, 1):
        return None
    return EMPTY, "no byte came"


def with_wall(outcome: Outcome, wall: Wall) -> Outcome:
    """Return an outcome that names the wall, unless it says something worse."""
    if outcome.outcome not in _JUDGED:
        return outcome
    name, whose = wall
    before = "" if outcome.status is None or outcome.status < 400 else f"{outcome.status}; "
    return replace(outcome, outcome=name, error=f"{before}{STANDS[name]} ({whose})")
