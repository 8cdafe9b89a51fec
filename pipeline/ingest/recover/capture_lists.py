"""What an archive answers to the question for its captures: CDX as JSON or lines, TimeMaps as links or JSON."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from archive.formats import from_http_date, links_in
from archive.times import from_iso, from_stamp
from pipeline.ingest.recover.other_archive import Listed, OtherArchive, RecoverError, original_in

_JSON_LIMIT = 256 << 20  # bytes of a JSON document that is no line of its own
_LINE_LIMIT = 1 << 20  # characters
_PLAIN = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_NAMES = {"url": "original", "status": "statuscode"}  # as pywb writes them


@dataclass(frozen=True, slots=True)
class Next:
    """Where an archive goes on: a resumption key of a CDX server, or the address of a further TimeMap."""

    key: str | None = None
    timemap: str | None = None


def listed_in(pieces: Iterable[bytes], archive: OtherArchive, url: str) -> Iterator[Listed | Next]:
    """Yield the captures that an answer lists, whatever its form; raises RecoverError for what is no list."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = (decoder.decode(piece) for piece in pieces)
    first = ""
    for piece in text:
        first += piece
        if first.lstrip("\ufeff \t\r\n"):
            break
    first = first.lstrip("\ufeff \t\r\n")
    rest = chain([first], text)
    if not first:
        return
    if first.startswith("<"):
        if first[:200].lower().startswith(("<!", "<html", "<?xml", "<head", "<body")):
            raise RecoverError(f"{archive.host} answers with a web page where a list of captures was asked for")
        yield from _links(rest, url)
    elif first.startswith("["):
        yield from _rows(_whole(rest, archive), archive, url)
    elif first.startswith("{"):
        yield from _objects(rest, archive, url)
    else:
        yield from _lines(rest, archive, url)


def _links(text: Iterable[str], url: str) -> Iterator[Listed | Next]:
    """Read a TimeMap in link format (RFC 7089 §5); one may name further ones."""
    original = url
    for link in links_in(text):
        if "original" in link.rel:
            original = link.url or url
        elif "memento" in link.rel and link.moment is not None:
            yield Listed(original_in(link.url) or original, link.moment, None, link.url)
        elif "timemap" in link.rel and "self" not in link.rel:
            yield Next(timemap=link.url)


def _rows(found: Any, archive: OtherArchive, url: str) -> Iterator[Listed | Next]:
    """Read an array of rows, the first of which names the columns; a resumption key is alone in the last one."""
    rows = iter(found if isinstance(found, list) else ())
    names = next(rows, None)
    if isinstance(names, dict):  # an array of objects
        for each in chain([names], rows):
            yield from _entry(each, archive, url)
        return
    if names is None:
        return
    if not isinstance(names, list) or "timestamp" not in names:
        raise RecoverError(f"{archive.host} answers with JSON that is no list of captures")
    for row in rows:
        if isinstance(row, list) and len(row) == 1 and row[0]:
            yield Next(key=str(row[0]))
        elif isinstance(row, list) and len(row) == len(names):
            yield from _entry(dict(zip(map(str, names), row, strict=True)), archive, url)


def _objects(text: Iterable[str], archive: OtherArchive, url: str) -> Iterator[Listed | Next]:
    """Read JSON objects: one a line, each a capture; or one alone, with all mementos in it."""
    lines = _by_line(text)
    first = next(lines, "")
    found = _parsed(first)
    if isinstance(found, dict) and ("timestamp" in found or "message" in found or "error" in found):
        yield from _entry(found, archive, url)
        for line in lines:
            yield from _entry(_parsed(line), archive, url)
        return
    whole = found if isinstance(found, dict) else _whole(chain([first, "\n"], (f"{line}\n" for line in lines)), archive)
    yield from _timemap(whole, archive, url)


def _timemap(found: Any, archive: OtherArchive, url: str) -> Iterator[Listed | Next]:
    mementos = found.get("mementos") if isinstance(found, dict) else None
    entries = mementos.get("list") if isinstance(mementos, dict) else mementos
    further = found.get("timemap_index") or [] if isinstance(found, dict) else []
    if not isinstance(entries, list) and not further:
        raise RecoverError(f"{archive.host} answers with JSON that is no TimeMap")
    original = str(found.get("original_uri") or url)
    for entry in entries or ():
        moment = _moment(str(entry.get("datetime", ""))) if isinstance(entry, dict) else None
        source = entry.get("uri") if isinstance(entry, dict) else None
        source = source[0] if isinstance(source, list) and source else source
        if moment is not None and isinstance(source, str):
            yield Listed(original_in(source) or original, moment, _status(entry.get("status")), source)
    for each in further if isinstance(further, list) else ():
        if isinstance(each, dict) and isinstance(each.get("uri"), str):
            yield Next(timemap=each["uri"])


def _lines(text: Iterable[str], archive: OtherArchive, url: str) -> Iterator[Listed | Next]:
    """Read CDXJ, and plain CDX lines in the order of fields of the Internet Archive; a key follows an empty line."""
    ended = False
    seen = False
    for line in _by_line(text, keep_empty=True):
        if not line.strip():
            ended = True
            continue
        parts = line.split(" ", 2)
        if ended and " " not in line.strip():
            yield Next(key=line.strip())
        elif len(parts) == 3 and parts[2].lstrip().startswith("{"):
            found = _parsed(parts[2])
            if isinstance(found, dict):
                seen = True
                yield from _entry({"urlkey": parts[0], "timestamp": parts[1]} | found, archive, url)
        elif len(line.split()) >= len(_PLAIN):
            seen = True
            yield from _entry(dict(zip(_PLAIN, line.split(), strict=False)), archive, url)
        elif not seen and not line.startswith("!"):
            raise RecoverError(f"{archive.host} answers with what is no list of captures: {line[:80]!r}")


def _entry(found: Any, archive: OtherArchive, url: str) -> Iterator[Listed]:
    if not isinstance(found, dict):
        return
    fields = {_NAMES.get(name, name): str(value) for name, value in found.items()}
    if "timestamp" not in fields:
        if said := fields.get("message") or fields.get("error"):
            raise RecoverError(f"{archive.host} answers: {said[:200]}")
        return
    try:
        at = from_stamp(fields["timestamp"])
    except ValueError:
        return
    original = fields.get("original") or url
    yield Listed(original, at, _status(fields.get("statuscode")), archive.memento(original, at))


def _by_line(text: Iterable[str], *, keep_empty: bool = False) -> Iterator[str]:
    held = ""
    for piece in text:
        *whole, held = (held + piece).split("\n")
        yield from (line.rstrip("\r") for line in whole if line.strip() or keep_empty)
        if len(held) > _LINE_LIMIT:
            raise RecoverError("an archive's list of captures has a line of more than a million characters")
    if held.strip():
        yield held


def _whole(text: Iterable[str], archive: OtherArchive) -> Any:
    parts: list[str] = []
    size = 0
    for piece in text:
        parts.append(piece)
        size += len(piece)
        if size > _JSON_LIMIT:
            raise RecoverError(f"{archive.host} answers with a list larger than {_JSON_LIMIT:,} characters")
    found = _parsed("".join(parts))
    if found is None:
        raise RecoverError(f"{archive.host} answers with a list that breaks off or is no JSON")
    return found


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _status(value: object) -> int | None:
    text = str(value or "")
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() else None


def _moment(text: str) -> datetime | None:
    for read in (from_iso, from_http_date):
        try:
            return read(text)
        except ValueError:
            continue
    return None
