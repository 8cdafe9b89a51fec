"""What comes over the network, as harnesses: bytes in, and an exception only for a defect of the program."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import h11

from archive.errors import EntityError
from archive.formats.surt import key_range, urlkey
from archive.warc.content_coding import decoded
from archive.warc.http_message import parse_head, read_entity
from pipeline.capture.http.address_policy import refusal
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.recorder import BlockSink, Recorder
from pipeline.capture.http.urls import checked_url, redirected_url
from pipeline.discover.resolve_url import web_url
from pipeline.extract.encoding import decode

_HEAD = 4096  # bytes of a head, and of what is given whole and in pieces
_DECODED = 1 << 20
_CODINGS = (
    "gzip",
    "deflate",
    "gzip, deflate",
    "x-gzip",
    "br",
    "identity, gzip",
    "gzip,gzip,gzip",
    "",
    "zstd",
    "utf-8, br",
)


def recorder(data: bytes) -> None:
    """What is recorded is what was sent, and does not hang on how it arrived; it can be read back to its end."""
    flags, step, sent = data[:1] or b"\0", data[1:2] or b"\0", data[2:]
    bodiless, small = bool(flags[0] & 1), bool(flags[0] & 2)
    whole = _recorded([sent] if sent else [], bodiless=bodiless, small=small)
    if len(sent) < _HEAD:
        size = step[0] % 16 + 1
        pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
        assert _recorded(pieces, bodiless=bodiless, small=small) == whole, "it hangs on how the bytes arrive"
    if len(whole) == 1:
        return
    status, _, _, length, block, _ = whole
    assert isinstance(status, int)
    assert isinstance(length, int)
    assert isinstance(block, bytes)
    assert block in sent, "what is kept was not sent"
    assert 100 < status < 1000
    assert 0 < length <= len(sent)


def _recorded(pieces: list[bytes], *, bodiless: bool, small: bool) -> tuple[object, ...]:
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD)
    connection.send(h11.Request(method="HEAD" if bodiless else "GET", target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    sink = BlockSink(Path("/nowhere"), 1 << 30)
    limit = 200 if small else 1 << 20
    recording = Recorder(connection, sink, max_size=limit, max_header_bytes=_HEAD, bodiless=bodiless)
    try:
        for piece in [*pieces, b""]:
            if not recording.complete:
                recording.feed(piece)
    except Failure as failure:
        return (failure.verdict.name,)
    assert recording.complete, "the connection's end ends every answer"
    block = sink.finish().data or b""
    assert len(block) <= max(limit, recording.head_length), "more is kept than was allowed"
    _read_back(block, recording)
    if recording.truncated == "unspecified":
        block = b""  # kept as far as it had come when the framing broke
    return recording.status, recording.headers, recording.version, recording.head_length, block, recording.truncated


def _read_back(block: bytes, recording: Recorder) -> None:
    import io

    head = parse_head(block[: recording.head_length])
    body = io.BytesIO(block[recording.head_length :])
    size = sum(map(len, read_entity(body, head)))
    assert size <= len(block) - recording.head_length, "an entity is no larger than its framing"


def coding(data: bytes) -> None:
    """Content codings come undone within the limit, or end in one named error."""
    name, step, body = _CODINGS[(data[:1] or b"\0")[0] % len(_CODINGS)], (data[1:2] or b"\0")[0] + 1, data[2:]
    pieces = (body[at : at + step] for at in range(0, len(body), step))
    size = 0
    try:
        for piece in decoded(pieces, name, _DECODED):
            size += len(piece)
    except EntityError:
        pass
    assert size <= _DECODED, "more came out than was allowed"


def urls(data: bytes) -> None:
    """A URL that is taken is its own fixed form, and every reader of it sees the same host."""
    text = data.decode("utf-8", "surrogatepass" if _is_wtf8(data) else "replace")
    key = urlkey(text)
    assert not set(key) & set(" \t\r\n"), "a key would break its line"
    for how in ("exact", "prefix", "host", "domain"):
        start, end = key_range(text, how)
        assert start <= end
    for made in (_taken(text), _redirect(text)):
        if made is None:
            continue
        url = checked_url(made)
        assert str(url) == made, "its form is not fixed"
        assert 0 < url.port < 65536
        assert made.isascii()
        assert made.isprintable()
        assert " " not in made
        assert urlsplit(made).hostname == url.host, "another reader sees another host"
        _check_numeric(url.host)
    found = web_url("https://a.example/b/c?d", text)
    assert found is None or (found.lower().startswith(("http://", "https://")) and "\n" not in found)


def _is_wtf8(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _taken(text: str) -> str | None:
    try:
        return str(checked_url(text))
    except Failure:
        return None


def _redirect(text: str) -> str | None:
    try:
        return str(
            redirected_url(checked_url("https://a.example/b/c?d"), text.encode("utf-8", "replace").decode("latin-1"))
        )
    except Failure:
        return None


def _check_numeric(host: str) -> None:
    """What the system's resolver takes for a number stands there as an address that is checked."""
    if ":" in host:
        assert str(ip_address(host)) == host
        return
    try:
        number = socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        assert refusal(host) == "no IP address"
    else:
        assert host == number, "a number in another form"


def characters(data: bytes) -> None:
    """Whatever a page's bytes and its declarations say, there is a text of them."""
    label, _, body = data.partition(b"\n")
    text, name = decode(body, f"text/html; charset={label.decode('latin-1')}")
    assert isinstance(text, str)
    assert name
    text.encode("utf-8", "replace")
