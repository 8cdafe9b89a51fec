"""One capture a line: `SURT 14-digit-timestamp {json}`, every value a string, absent when unknown.

Names follow pywb and Common Crawl: url, mime, status, digest, length, offset, filename, redirect, truncated; and
method and requestBody of a request that is no GET (its line stands under the key of its URL alone, so that access
rules and redactions find it, and so that no key holds what a redaction must be able to take out). Our own: recordId;
title; availability; recovered, the host of the archive that it was recovered from; session, the names of the headers
by which a reader's session was shown; clockAhead, the seconds by which the clock that dated it was ahead; etag and
lastModified, the validators of the response; payloadMime, the type of a revisit's payload; document, "key offset
length" of the document's line; text, "digest words extractor" of the document's text, with an r behind the number of
words where it was made from rendered markup; refers, "key offset length timestamp recordId url" of the record that
holds a revisit's payload; run, where the line stands in the index of a later run, which made the text again. In the
merged index `filename` is the whole key, and `by` names that later run.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from archive import object_keys
from archive.checked_json import parsed_object, size_of
from archive.digests import is_digest
from archive.errors import RecordError
from archive.formats.pages_jsonl import LONGEST
from archive.formats.surt import urlkey
from archive.model import DocumentRef, RecordRef, Reference, Snapshot, TextMark
from archive.times import from_stamp, stamp
from storage.base import checked_key

_SECONDS = re.compile(r"-?\d{1,11}\Z", re.ASCII)

REVISIT = "warc/revisit"
LAST_KEY = "\U0010ffff"  # after every key


@dataclass(frozen=True, slots=True)
class CdxLine:
    """A line taken apart: its key, its timestamp, its JSON fields."""

    key: str
    timestamp: str
    fields: dict[str, str]


def parse_line(line: str) -> CdxLine:
    """Take a line apart; raises RecordError."""
    try:
        key, timestamp, text = line.rstrip("\r\n").split(" ", 2)
        fields = {name: str(value) for name, value in parsed_object(text).items()}
        if len(timestamp) != 14:
            raise ValueError("a timestamp has 14 digits")
        from_stamp(timestamp)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"not a CDXJ line: {line[:80]!r}") from error
    return CdxLine(key, timestamp, fields)


def line_of(snapshot: Snapshot, run: str) -> str:
    """Return a snapshot's line, without line end, as the index of a run holds it."""
    fields = {
        "url": snapshot.url,
        "mime": REVISIT if snapshot.refers_to else snapshot.mime,
        "status": str(snapshot.status),
        "digest": snapshot.digest,
        "length": str(snapshot.record.length),
        "offset": str(snapshot.record.offset),
        "filename": snapshot.record.key.rpartition("/")[2],
        "recordId": snapshot.record_id,
    }
    if snapshot.run != run:
        fields["run"] = snapshot.run
    if snapshot.refers_to:
        fields["payloadMime"] = snapshot.mime
        fields["refers"] = _reference(snapshot.refers_to)
    known = {
        "redirect": snapshot.location,
        "truncated": snapshot.truncated,
        "etag": snapshot.etag,
        "lastModified": snapshot.last_modified,
        "title": snapshot.title,
        "availability": snapshot.availability,
        "recovered": snapshot.recovered,
        "session": snapshot.session,
        "method": snapshot.method,
        "requestBody": snapshot.request_body,
        "clockAhead": str(snapshot.ahead) if snapshot.ahead else None,
    }
    fields |= {name: value for name, value in known.items() if value}
    if snapshot.document:
        fields["document"] = f"{snapshot.document.key} {snapshot.document.offset} {snapshot.document.length}"
        if snapshot.text:
            fields["text"] = str(snapshot.text)
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return f"{urlkey(snapshot.url)} {stamp(snapshot.timestamp)} {text}"


def merged_line(line: str, run: str) -> str:
    """Return a line of a run's index as the merged index holds it; raises RecordError."""
    parsed = parse_line(line)
    fields = parsed.fields
    home = fields.pop("run", run)
    if home != run:
        fields["by"] = run
    fields["filename"] = object_keys.run_key(home, f"archive/{_bare(fields.get('filename', ''))}")
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return f"{parsed.key} {parsed.timestamp} {text}"


def _bare(filename: str) -> str:
    if "/" in filename:
        raise RecordError("a file name leads into a folder")
    return filename


def home_of(line: CdxLine) -> str:
    """Return the run whose index a line of the merged index stood in; raises RecordError."""
    home = object_keys.split_run_key(line.fields.get("filename", ""))
    if home is None or not home[1].startswith("archive/"):
        raise RecordError(f"merged index: the line of {line.key} at {line.timestamp} names no file of a run")
    return line.fields.get("by", home[0])


def snapshot_of(line: CdxLine, run: str) -> Snapshot:
    """Return the snapshot in a line of a run's index, or of the merged index; raises RecordError."""
    fields = line.fields
    try:
        filename = fields["filename"]
        run = fields.get("run", run)
        if parts := object_keys.split_run_key(filename):
            run, filename = parts[0], parts[1].removeprefix("archive/")
        if "/" in filename:
            raise ValueError("a file name leads into a folder")
        return Snapshot(
            url=fields["url"],
            timestamp=from_stamp(line.timestamp),
            status=size_of(fields.get("status", "0"), 999),
            mime=fields.get("payloadMime", fields.get("mime", "application/octet-stream")),
            digest=fields.get("digest", ""),
            record_id=fields.get("recordId", ""),
            record=_place(object_keys.run_key(run, f"archive/{filename}"), fields["offset"], fields["length"]),
            run=run,
            refers_to=_parse_reference(fields["refers"]) if "refers" in fields else None,
            truncated=fields.get("truncated"),
            etag=fields.get("etag"),
            last_modified=fields.get("lastModified"),
            location=fields.get("redirect"),
            title=fields.get("title"),
            availability=fields.get("availability"),
            recovered=fields.get("recovered"),
            document=_parse_document(fields["document"]) if "document" in fields else None,
            text=parse_text_mark(fields["text"]) if "text" in fields else None,
            session=fields.get("session"),
            method=fields.get("method"),
            request_body=fields.get("requestBody"),
            ahead=_seconds(fields.get("clockAhead", "")),
        )
    except (KeyError, ValueError) as error:
        raise RecordError(
            f"index of run {run}: the line of {line.key} at {line.timestamp} lacks or breaks a field"
        ) from error


def _seconds(text: str) -> int:
    return int(text) if _SECONDS.match(text) else 0


def _reference(ref: Reference) -> str:
    record = ref.record
    return f"{record.key} {record.offset} {record.length} {stamp(ref.timestamp)} {ref.record_id} {ref.url}"


def _parse_reference(text: str) -> Reference:
    key, offset, length, timestamp, record_id, url = text.split(" ", 5)
    return Reference(_place(key, offset, length), record_id, url, from_stamp(timestamp))


def _parse_document(text: str) -> DocumentRef:
    key, offset, length = text.split(" ")
    return DocumentRef(checked_key(key), size_of(offset), size_of(length, LONGEST))


def parse_text_mark(text: str) -> TextMark:
    """Return what "digest words extractor" or "digest wordsr extractor" names; raises ValueError."""
    digest, words, extractor = text.split(" ", 2)
    if not is_digest(digest):
        raise ValueError("no digest of a text")
    return TextMark(digest, size_of(words.removesuffix("r")), extractor, words.endswith("r"))


def _place(key: str, offset: str, length: str) -> RecordRef:
    return RecordRef(checked_key(key), size_of(offset), size_of(length))
