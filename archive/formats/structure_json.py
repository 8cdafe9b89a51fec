"""The structure of a document as a part of its line in pages.jsonl."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from archive.checked_json import size_of, text_of, texts_of
from archive.model import OutlineEntry, Passage, Structure


def written(structure: Structure) -> dict[str, Any]:
    """Return a structure as JSON values; what is absent is left out."""
    entry = asdict(structure)
    entry["paragraphs"] = [
        {name: value for name, value in passage.items() if value != ()} for passage in entry["paragraphs"]
    ]
    return {name: value for name, value in entry.items() if value not in (None, (), [])}


def read(entry: Any) -> Structure:
    """Return the structure that JSON values are; raises ValueError, KeyError, TypeError where they are none."""
    lacks = entry.get("lacks_text")
    return Structure(
        format=text_of(entry["format"]),
        pages=tuple((_number(width), _number(height)) for width, height in entry.get("pages", ())),
        paragraphs=tuple(map(_passage, entry.get("paragraphs", ()))),
        outline=tuple(map(_outlined, entry.get("outline", ()))),
        fields=_pairs(entry.get("fields", ())),
        properties=_pairs(entry.get("properties", ())),
        notes=texts_of(entry.get("notes", [])),
        lacks_text=None if lacks is None else text_of(lacks),
    )


def _passage(entry: dict[str, Any]) -> Passage:
    boxes = tuple(tuple(map(_number, box)) for box in entry.get("boxes", ()))
    if any(len(box) != 5 for box in boxes):
        raise ValueError("a box is a page and four numbers")
    return Passage(text_of(entry["kind"]), size_of(entry["start"]), size_of(entry["end"]), boxes)


def _outlined(entry: dict[str, Any]) -> OutlineEntry:
    page = entry.get("page")
    return OutlineEntry(size_of(entry["level"]), text_of(entry["title"]), None if page is None else size_of(page))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((text_of(name), text_of(each)) for name, each in value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{type(value).__name__} where a number should be")  # noqa: TRY004 - one error for whatever is wrong
    return value
