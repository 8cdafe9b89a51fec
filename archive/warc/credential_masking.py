"""Headers that open doors: what they open is masked before it is written, where the run's settings say so.

Names, schemes, cookies' names and every byte's place stay, so that a record shows what was sent, and how much of it;
what stands in a value's place is asterisks, as many as it had bytes. Bodies are never touched.
"""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

from archive.model import Block, Exchange
from archive.warc.http_message import parse_head, read_head

_REDIRECTS = {301, 302, 303, 307, 308}
_REQUEST = {"authorization", "proxy-authorization", "cookie"}
_LINE = re.compile(rb"([^:\r\n]+)(:[ \t]*)([^\r\n]*)(\r?\n?)\Z")
_COOKIE = re.compile(rb"(=[ \t]*)([^;]*)")
_SCHEME = re.compile(rb"(?<=[^ \t])[ \t]+(?=[^ \t])")


def masked(exchange: Exchange) -> Exchange:
    """Return an exchange without the credentials in its request, and without the cookies that answer such a request.

    Cookies of a redirect are masked as well: the next request of its chain may send them back. Its note says what was
    masked. The response's head keeps its length; its digests are to be made again.
    """
    names = _REQUEST | {name.lower() for name in exchange.session}
    request, sent = _masked_head(_head_of(exchange.request), names)
    if not sent and exchange.status not in _REDIRECTS:
        return exchange
    request += exchange.request[len(request) :]
    notes = tuple(f"masked: {name} in the request" for name in sorted(sent))
    exchange = replace(exchange, request=request, notes=(*exchange.notes, *notes))
    with exchange.response.open() as stream:
        head = stream.read(exchange.head_length)
    answer, received = _masked_head(head, {"set-cookie"})
    if not received:
        return exchange
    return replace(
        exchange,
        response=_with_head(exchange.response, answer),
        headers=parse_head(answer).headers,
        digests=None,
        notes=(*exchange.notes, "masked: Set-Cookie in the response"),
    )


def _head_of(message: bytes) -> bytes:
    return read_head(BytesIO(message), len(message))[1]


def _masked_head(head: bytes, names: set[str]) -> tuple[bytes, set[str]]:
    """Return a head with the values of the named headers masked, and the names that were found."""
    found: set[str] = set()
    lines = []
    name = ""
    for number, line in enumerate(head.splitlines(keepends=True)):
        if line[:1] in {b" ", b"\t"} and name in names:  # a value that goes on (RFC 9112 §5.2)
            lines.append(re.sub(rb"[^ \t\r\n]", b"*", line))
            continue
        match = _LINE.match(line) if number else None
        name = match[1].strip().decode("latin-1").lower() if match else ""
        if match and name in names and match[3].strip():
            found.add(match[1].strip().decode("latin-1"))
            line = match[1] + match[2] + _masked_value(name, match[3]) + match[4]  # noqa: PLW2901 - the line as it is kept
        lines.append(line)
    return b"".join(lines), found


def _masked_value(name: str, value: bytes) -> bytes:
    if name == "set-cookie":
        pair, semicolon, attributes = value.partition(b";")
        return _masked_cookies(pair) + semicolon + attributes
    if name == "cookie":
        return b";".join(map(_masked_cookies, value.split(b";")))
    gap = _SCHEME.search(value)
    start = gap.end() if gap else 0
    return value[:start] + b"*" * (len(value) - start)


def _masked_cookies(pair: bytes) -> bytes:
    """`name=value` without its value; what has no name is masked whole."""
    if b"=" not in pair:
        return re.sub(rb"[^ \t]", b"*", pair)
    return _COOKIE.sub(lambda found: found[1] + b"*" * len(found[2]), pair, count=1)


def _with_head(block: Block, head: bytes) -> Block:
    """Return a block with another head of the same length."""
    if block.data is not None:
        return Block.of(head + block.data[len(head) :])
    assert block.path is not None, "a block is in memory or in a file"
    with block.path.open("r+b") as file:
        file.write(head)
    return block
