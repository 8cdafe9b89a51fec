"""Addresses of the pages for people."""

from __future__ import annotations

from urllib.parse import urlencode

from archive.model import Snapshot
from archive.times import stamp


def address(path: str, **values: object) -> str:
    """Return a path of this origin with a query; values that are None or empty are left out."""
    query = urlencode({name: value for name, value in values.items() if value not in (None, "")})
    return f"{path}?{query}" if query else path


def of(path: str, snapshot: Snapshot) -> str:
    """Return the address of a page about a snapshot."""
    return address(path, url=snapshot.url, at=stamp(snapshot.timestamp))
