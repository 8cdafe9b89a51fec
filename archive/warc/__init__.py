"""WARC 1.1 records: written, read back, walked member by member."""

from archive.warc.http_message import Head, decoded, parse_head, read_entity
from archive.warc.payload_digest import entity_of, measure

__all__ = ["Head", "decoded", "entity_of", "measure", "parse_head", "read_entity"]
