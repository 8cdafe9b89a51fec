"""Captures as rows of CSV (RFC 4180): the columns of the Parquet table but for texts, lists of links and comments."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any, BinaryIO

from archive.export.parquet import COLUMNS, Registered, Row, row_of
from archive.times import iso

_LEFT_OUT = frozenset({"text", "comments", "links"})  # more than a cell of a spreadsheet holds
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so is run by a spreadsheet
_LONGEST = 32_000  # characters of a cell


def csv_line(values: Iterable[Any]) -> bytes:
    """Return one row with its line end; a text that a spreadsheet would run as a formula begins with an apostrophe."""
    held = io.StringIO()
    csv.writer(held).writerow([_cell(value) for value in values])
    return held.getvalue().encode("utf-8", "replace")


def write_csv(captures: Iterable[Row], file: BinaryIO, registered: Registered) -> int:
    """Write a header, and a row for each capture, in bounded memory; returns how many there are."""
    names = [name for name in COLUMNS if name not in _LEFT_OUT]
    file.write(csv_line(names))
    count = 0
    for snapshot, document, state in captures:
        row = row_of(snapshot, document, state, registered)
        file.write(csv_line(row.get(name) for name in names))
        count += 1
    return count


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, int):
        return str(value)
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    text = text.replace("\0", "")[:_LONGEST]
    return f"'{text}" if text.startswith(_FORMULA) else text
