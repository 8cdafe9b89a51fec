"""What files of a store say, taken apart: whatever they hold, the right type comes out, or a ValueError."""

from __future__ import annotations

import json
from typing import Any

LARGEST = (1 << 63) - 1  # bytes: no object is larger, and no store can be asked for more


def parsed_object(data: bytes | str) -> dict[str, Any]:
    """Return the object that a JSON text holds; raises ValueError, for one that is nested too deeply too."""
    try:
        value = json.loads(data)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - one error for whatever is wrong with the text
    return value


def size_of(value: object, largest: int = LARGEST) -> int:
    """Return a number of bytes, or a place among them, from a JSON number or decimal digits; raises ValueError."""
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
        raise ValueError(f"{str(value)[:40]!r} is no number of bytes")
    return value


def text_of(value: object) -> str:
    """Return a text; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} where a text should be")  # noqa: TRY004 - as above
    return value


def texts_of(value: object) -> tuple[str, ...]:
    """Return a list of texts; raises ValueError for anything else."""
    if not isinstance(value, list):
        raise ValueError(f"{type(value).__name__} where a list should be")  # noqa: TRY004 - as above
    return tuple(text_of(entry) for entry in value)
