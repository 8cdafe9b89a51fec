"""Every object key of the layout is made here.

Layout version 1:
    onrecord.json
    runs/<UTC start>-<random>/{archive/NNNNN.warc.gz, pages/pages.jsonl, indexes/index.cdx.gz, indexes/index.idx,
                               logs/outcomes.jsonl, datapackage-digest.json, datapackage.json}
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime

STORE_KEY = "onrecord.json"
RUNS_PREFIX = "runs/"

PAGES = "pages/pages.jsonl"
CDX = "indexes/index.cdx.gz"
IDX = "indexes/index.idx"
OUTCOMES = "logs/outcomes.jsonl"
MANIFEST = "datapackage.json"
MANIFEST_DIGEST = "datapackage-digest.json"

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4,16}\Z")


def new_run_id(started: datetime) -> str:
    """A run's name: its UTC start and eight hex digits, three of the millisecond, so that names sort by time."""
    return f"{started:%Y%m%dT%H%M%SZ}-{started.microsecond // 1000:03x}{secrets.token_hex(3)[1:]}"


def is_run_id(name: str) -> bool:
    """Whether the name is one that `new_run_id` could have made."""
    return _RUN.match(name) is not None


def warc_path(number: int) -> str:
    """Where a run keeps its n-th WARC file."""
    return f"archive/{number:05d}.warc.gz"


def run_key(run: str, path: str) -> str:
    """The object key of a run's file."""
    return f"{RUNS_PREFIX}{run}/{path}"


def split_run_key(key: str) -> tuple[str, str] | None:
    """The run and the path in it that a key names, or None for a key outside the runs."""
    parts = key.split("/", 2)
    if len(parts) == 3 and parts[0] == "runs" and is_run_id(parts[1]):
        return parts[1], parts[2]
    return None
