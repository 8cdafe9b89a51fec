"""Digests of a response, over what was on the wire and over what it carries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from archive.digests import digest_of
from archive.model import Digests, Exchange
from archive.warc.http_message import Head, read_entity


def measure(exchange: Exchange) -> Digests:
    """Digest an exchange's response, in bounded memory (WARC 1.1 §5.7, §5.8: the payload is the entity body)."""
    response = exchange.response
    if response.data is not None and (exchange.header("Transfer-Encoding") is None):
        payload = memoryview(response.data)[exchange.head_length :]
        return Digests(digest_of(response.data), digest_of(payload), len(payload))
    block_hash, payload_hash, size = hashlib.sha256(), hashlib.sha256(), 0
    with response.open() as stream:
        for piece in iter(lambda: stream.read(1 << 20), b""):
            block_hash.update(piece)
        for piece in entity_of(exchange, stream)[1]:
            payload_hash.update(piece)
            size += len(piece)
    return Digests(f"sha256:{block_hash.hexdigest()}", f"sha256:{payload_hash.hexdigest()}", size)


def entity_of(exchange: Exchange, stream: BinaryIO) -> tuple[Head, Iterator[bytes]]:
    """Return the head of a response and its entity body in pieces, from a reader of its block; raises EntityError."""
    stream.seek(exchange.head_length)
    head = Head(exchange.status, "", exchange.headers, exchange.head_length)
    return head, read_entity(stream, head)
