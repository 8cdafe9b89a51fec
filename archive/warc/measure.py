"""Digests of a response, over what was on the wire and over what it carries."""

from __future__ import annotations

import hashlib

from archive.digests import digest_of
from archive.model import Digests, Exchange
from archive.warc.entity import Head, read_entity


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
        stream.seek(exchange.head_length)
        head = Head(exchange.status, "", exchange.headers, exchange.head_length)
        for piece in read_entity(stream, head):
            payload_hash.update(piece)
            size += len(piece)
    return Digests(f"sha256:{block_hash.hexdigest()}", f"sha256:{payload_hash.hexdigest()}", size)
