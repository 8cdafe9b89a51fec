"""HAR files (HTTP Archive 1.2): requests and responses rebuilt from the fields in which browsers' tools keep them.

What was on the wire cannot be had from them: heads are written anew from their fields, and bodies lie there with their
content codings undone. A warcinfo record says so; what else an entry says is kept in a metadata record.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from archive.digests import digest_of
from archive.importers.lenient_reader import Fault, ForeignRecord, Found
from archive.importers.made_records import SavedFile, kept_block, made_record, one_line, payload_digest, warcinfo
from archive.model import Block, Headers
from archive.times import from_iso

BEGINNING = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*\{\s*\"log\"\s*:\s*\{")
LARGEST = 512 << 20  # bytes of a file whose entries are read
_REBUILT = (
    "its requests and responses are rebuilt from its fields, bodies with their content codings undone: they are not "
    "the bytes of the wire"
)
_SPACE = re.compile(r"[\s,]*")
_SPACES = re.compile(r"\s*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z", re.ASCII)
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE | re.ASCII)
# Fields that describe the bytes on the wire and not those of the body as it lies in the file.
_OF_THE_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_BODILESS = frozenset({204, 205, 304, 301, 302, 303, 307, 308})
_json = json.JSONDecoder()


def har_records(file: SavedFile) -> Iterator[Found]:
    """Yield the records of a HAR file: how they were made, what each entry says, then what is said of them all."""
    if file.size > LARGEST:
        yield Fault(0, f"the HAR is larger than {LARGEST:,} bytes, and is not read: save its pages in several files")
        return
    log = _Log(file.path.read_bytes().decode("utf-8-sig", "replace"))
    entries = log.entries()
    first = next(entries, None)
    date = _date_of(first[1]) if first else None
    notes = (_REBUILT,) if date else (_REBUILT, "it names no date: the time at which it was changed last is taken")
    described = [("format", "WARC File Format 1.1"), ("description", f"of a HAR, {_REBUILT}")]
    about = warcinfo(date or file.changed, described, notes)
    yield about
    number = 0
    while first is not None:
        number += 1
        yield from _of_entry(file, about, number, *first)
        first = next(entries, None)
    if not number:
        yield Fault(0, "the HAR holds no entry that can be read")
    yield _metadata(file, None, date or file.changed, log.others, (("WARC-Warcinfo-ID", about.record_id),))


class _Log:
    """The log of a HAR: its entries one by one, and its other members, all of them once the entries were read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.others: dict[str, Any] = {}

    def entries(self) -> Iterator[tuple[int, Any]]:
        """Yield the entries with the bytes at which they begin; a text for where they break off."""
        text = self._text
        at = self._member(self._member(0, "log", {}), "entries", self.others)
        offset = len(text[: max(at, 0)].encode("utf-8", "replace"))
        while at >= 0 and text[at : at + 1] != "]":
            try:
                entry, end = _json.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                yield offset, f"the HAR breaks off, or is damaged: {one_line(str(error))[:100]}"
                return
            yield offset, entry
            end = _end(_SPACE, text, end)
            offset += len(text[at:end].encode("utf-8", "replace"))
            at = end
        if at >= 0:
            self._member(at + 1, "", self.others)

    def _member(self, at: int, name: str, others: dict[str, Any]) -> int:
        """Return where the content of an object's member begins, -1 without one; those before it are taken."""
        if at < 0:
            return -1
        text = self._text
        at = _end(_SPACES, text, at)
        at += text[at : at + 1] == "{"
        try:
            while True:
                key, at = _json.raw_decode(text, _end(_SPACE, text, at))
                at = _end(_SPACES, text, at)
                if text[at : at + 1] != ":":
                    return -1
                at = _end(_SPACES, text, at + 1)
                if key == name and text[at : at + 1] in {"{", "["}:
                    return _end(_SPACES, text, at + (text[at] == "["))
                value, at = _json.raw_decode(text, at)
                others[str(key)] = value
        except (ValueError, RecursionError):
            return -1


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


_NO_CAPTURE = ": what it says is kept, and is no capture"


def _of_entry(file: SavedFile, about: ForeignRecord, number: int, offset: int, entry: Any) -> Iterator[Found]:
    if isinstance(entry, str):
        yield Fault(offset, entry)
        return
    links: Headers
    try:
        request, response = _object(entry, "request"), _object(entry, "response")
        url, status = str(request["url"]).partition("#")[0], int(response.get("status") or 0)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        kept = isinstance(entry, dict)
        lacks = isinstance(error, KeyError)
        why = f"has no {error}" if lacks else f"cannot be understood: {one_line(str(error))[:100]}"
        yield Fault(offset, f"entry {number} of the HAR {why}" + (_NO_CAPTURE if kept else ""))
        if kept:
            links = (("WARC-Warcinfo-ID", about.record_id),)
            yield _metadata(file, None, _date_of(entry) or file.changed, entry, links)
        return
    date = _date_of(entry)
    links = (("WARC-Warcinfo-ID", about.record_id), *_seen(entry, response))
    body: tuple[bytes, str | None] = b"", None
    why = ""
    if not url.lower().startswith(("http:", "https:")):
        why = "asked no server"
    elif date is None:
        why = "has no date"
    elif not 100 <= status <= 999:
        why = "had no answer"
    else:
        try:
            body = _body(response, status, str(request.get("method")))
        except ValueError as error:
            why = str(error)
    if why or date is None:
        yield Fault(offset, f"entry {number} of the HAR, {url[:200]}, {why}{_NO_CAPTURE}")
        yield _metadata(file, url, date or file.changed, entry, links[:1])
        return
    answer = _response(file, url, date, response, status, body, links, f"{number} {entry.get('startedDateTime')}")
    beside: Headers = (*links[:1], ("WARC-Concurrent-To", answer.record_id))
    yield answer
    yield _request(file, url, date, request, beside, answer.record_id)  # two may be the same but for their answers
    yield _metadata(file, url, date, entry, beside, answer.record_id)


def _metadata(
    file: SavedFile, url: str | None, date: datetime, said: Any, links: Headers, seed: str = ""
) -> ForeignRecord:
    """Return a record of what a HAR says, but for a body, which is in the response (WARC 1.1 §6.6)."""
    if isinstance(said.get("response"), dict) and isinstance(said["response"].get("content"), dict):
        content = {name: value for name, value in said["response"]["content"].items() if name != "text"}
        kept = said["response"]["content"].get("text") if len(links) == 1 else None  # without a response
        content = content if kept is None else content | {"text": kept}
        said = said | {"response": said["response"] | {"content": content}}
    block = kept_block(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"), file.folder)
    return made_record("metadata", url, date, "application/json", block, _digest(block), links, seed=seed)


def _object(entry: Any, name: str) -> dict[str, Any]:
    found = entry[name]
    if not isinstance(found, dict):
        raise ValueError(f"its {name} is no object")  # noqa: TRY004 - one error for whatever is wrong with it
    return found


def _date_of(entry: Any) -> datetime | None:
    try:
        started = entry["startedDateTime"]
        if isinstance(started, (int, float)):  # milliseconds, as some write
            return datetime.fromtimestamp(started // 1000, UTC)
        return from_iso(str(started)).replace(microsecond=0)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None


def _body(response: dict[str, Any], status: int, method: str) -> tuple[bytes, str | None]:
    """Return a body as it lies in the file, and its text where it is one; raises ValueError where it is not there."""
    content = response.get("content")
    content = content if isinstance(content, dict) else {}
    text = content.get("text")
    if not isinstance(text, str):
        if status in _BODILESS or status < 200 or method.upper() == "HEAD" or not content.get("size"):
            return b"", None
        raise ValueError(f"has no body in it, of {content.get('size')} bytes")
    if str(content.get("encoding") or "").lower() != "base64":
        return b"", text
    try:
        return base64.b64decode(text), None
    except binascii.Error as error:
        raise ValueError(f"has a body that is no Base64 ({error})") from error


def _seen(entry: Any, response: dict[str, Any]) -> Headers:
    address = entry.get("serverIPAddress")
    version = str(response.get("httpVersion") or "").strip().lower()
    known = {"http/2": "h2", "http/2.0": "h2", "h2": "h2", "http/3": "h3", "http/3.0": "h3", "h3": "h3"}
    protocol = known.get(version, version if version in {"http/1.0", "http/1.1"} else None)
    ip = address.strip("[] ") if isinstance(address, str) else ""
    return (
        *((("WARC-IP-Address", ip),) if re.fullmatch(r"[0-9A-Fa-f:.]{3,45}", ip) else ()),
        *((("WARC-Protocol", protocol),) if protocol else ()),
    )


def _fields(owner: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the header fields that a HAR lists, as an HTTP/1.1 head can have them."""
    listed = owner.get("headers")
    found: list[tuple[str, str]] = []
    for field in listed if isinstance(listed, list) else []:
        if isinstance(field, dict) and _NAME.match(str(field.get("name"))):  # not those of HTTP/2 that begin with ":"
            values = str(field.get("value") or "").split("\n")  # several of one name are joined so by some
            found += [(str(field["name"]), one_line(value)) for value in values]
    return found


def _response(
    file: SavedFile, url: str, date: datetime, response: dict[str, Any], status: int,
    held: tuple[bytes, str | None], links: Headers, seed: str,
) -> ForeignRecord:  # fmt: skip
    fields = [
        (f"X-Archive-Orig-{name}" if name.lower() in _OF_THE_WIRE else name, value) for name, value in _fields(response)
    ]
    content = response.get("content")
    mime = one_line(str(content.get("mimeType") or "")) if isinstance(content, dict) else ""
    if "/" in mime and not any(name.lower() == "content-type" for name, _ in fields):
        fields.append(("Content-Type", mime))
    body, text = held
    if text is not None:
        body, fields = _encoded(text, fields)
    fields.append(("Content-Length", str(len(body))))
    reason = one_line(str(response.get("statusText") or ""))
    block = kept_block(_head(f"HTTP/1.1 {status} {reason}", fields) + body, file.folder)
    digest = _digest(block)
    more = (*links, ("WARC-Payload-Digest", payload_digest(body)))
    return made_record("response", url, date, "application/http; msgtype=response", block, digest, more, seed=seed)


def _encoded(text: str, fields: list[tuple[str, str]]) -> tuple[bytes, list[tuple[str, str]]]:
    """Return a text in the charset that its head names, else in UTF-8, and a head that names that."""
    kind = next((value for name, value in fields if name.lower() == "content-type"), "")
    if named := _CHARSET.search(kind):
        try:
            return text.encode(named[1]), fields
        except (LookupError, UnicodeError):
            pass
    if kind.strip().lower().startswith("text/") or named:
        changed = _CHARSET.sub("", kind) + "; charset=utf-8"
        orig = [("X-Archive-Orig-Content-Type", kind)]
        others = [each for each in fields if each[0].lower() != "content-type"]
        fields = [*others, *orig, ("Content-Type", changed)]
    return text.encode("utf-8", "replace"), fields


def _request(
    file: SavedFile, url: str, date: datetime, request: dict[str, Any], links: Headers, seed: str
) -> ForeignRecord:
    posted = request.get("postData")
    body = str(posted.get("text") or "").encode("utf-8", "replace") if isinstance(posted, dict) else b""
    target = re.sub(r"\Ahttps?://[^/?#]*", "", url, flags=re.IGNORECASE)
    target = target if target.startswith("/") else f"/{target}"
    method = one_line(str(request.get("method") or "GET"))[:40].replace(" ", "-")
    fields = _fields(request)
    if not any(name.lower() == "host" for name, _ in fields):
        fields.insert(0, ("Host", url.split("/")[2].rpartition("@")[2]))
    block = kept_block(_head(f"{method} {one_line(target).replace(' ', '%20')} HTTP/1.1", fields) + body, file.folder)
    kind = "application/http; msgtype=request"
    return made_record("request", url, date, kind, block, _digest(block), links, seed=seed)


def _head(first: str, fields: list[tuple[str, str]]) -> bytes:
    return "\r\n".join((first, *(f"{name}: {value}" for name, value in fields), "", "")).encode("utf-8", "replace")


def _digest(block: Block) -> str:
    with block.open() as stream:
        return digest_of(stream.read())
