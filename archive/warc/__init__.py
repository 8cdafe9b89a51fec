"""WARC 1.1 records: written, read back, walked member by member."""

from archive.warc.capture_metadata import Origin, mime_of
from archive.warc.content_coding import decoded
from archive.warc.gzip_members import packs_into
from archive.warc.http_message import Head, parse_head, read_entity, read_head
from archive.warc.payload_digest import entity_of, measure

__all__ = [
    "Head",
    "Origin",
    "decoded",
    "entity_of",
    "measure",
    "mime_of",
    "packs_into",
    "parse_head",
    "read_entity",
    "read_head",
]
