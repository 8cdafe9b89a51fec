"""How things are printed: plain lines for people, JSON lines for programs, hostile text made harmless for terminals."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click


def plain(text: str, limit: int | None = None) -> str:
    """Text that cannot steer a terminal: controls and direction marks shown as escapes, cut to a length."""
    shown = "".join(character if character.isprintable() else _escaped(character) for character in text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def harmless(text: str) -> str:
    """A page's text for a terminal or a file: its lines kept, other controls gone."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def print_json(entry: Mapping[str, Any]) -> None:
    """One object as one line on stdout."""
    click.echo(json.dumps(entry, ensure_ascii=False))


def print_line(line: bytes) -> None:
    """A JSON line that was made already, on stdout at once: whoever reads it may rely on it."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
