"""The files of a run and of the merged index, one module per format: read with every field checked, and written."""

from archive.formats.join_url import joined_url
from archive.formats.link_format import Link, links_in, links_of
from archive.formats.memento_links import from_http_date, http_date, link, links_around, memento_url, timemap, uri
from archive.formats.method_query import MethodQuery, method_url, without_method
from archive.formats.outcomes_jsonl import DamagedLine, OutcomeLine, at_capture, encode_outcome
from archive.formats.pages_jsonl import encode_document
from archive.formats.surt import dotted_quad, urlkey
from archive.formats.tracking import is_tracking, untracked

__all__ = [
    "DamagedLine",
    "Link",
    "MethodQuery",
    "OutcomeLine",
    "at_capture",
    "dotted_quad",
    "encode_document",
    "encode_outcome",
    "from_http_date",
    "http_date",
    "is_tracking",
    "joined_url",
    "link",
    "links_around",
    "links_in",
    "links_of",
    "memento_url",
    "method_url",
    "timemap",
    "untracked",
    "uri",
    "urlkey",
    "without_method",
]
