"""How things are printed: plain lines for people, JSON lines for programs, hostile text made harmless for terminals."""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, TextIO

import click

from pipeline.outbound.plain_text import STEERING, STEERING_IN_LINES, escape

_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def many(count: int, one: str) -> str:
    """Return how many there are, in words: "1 run", "2 runs"; `one` is the word for one."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def plain(text: str, limit: int | None = None) -> str:
    """Text that cannot steer a terminal: controls and direction marks shown as escapes, cut to a length."""
    shown = STEERING.sub(escape, text)
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def harmless(text: str) -> str:
    """Return a page's text for a terminal or a file: its lines kept, other controls gone."""
    return STEERING_IN_LINES.sub("", _LINE_ENDS.sub("\n", text))


def json_line(entry: Mapping[str, Any]) -> bytes:
    """One object as one line of UTF-8, without line end; what could steer a terminal is escaped, so nothing is lost."""
    return _shown(json.dumps(entry, ensure_ascii=False))


def _shown(text: str) -> bytes:
    return STEERING.sub(lambda found: json.dumps(found[0])[1:-1], text).encode()


def print_json(entry: Mapping[str, Any]) -> None:
    """One object as one line on stdout, UTF-8 whatever the locale says."""
    sys.stdout.buffer.write(json_line(entry) + b"\n")
    sys.stdout.buffer.flush()


def print_line(line: bytes) -> None:
    """Print a JSON line that was made already on stdout, at once: its reader may rely on it.

    When nobody reads any more, what is under way goes on all the same.
    """
    with unheard(sys.stdout):
        sys.stdout.buffer.write(_shown(line.decode("utf-8", "replace")) + b"\n")
        sys.stdout.buffer.flush()


@contextmanager
def unheard(stream: TextIO) -> Iterator[None]:
    """Write to a stream; once it cannot be written, this and all that follows is written to nowhere."""
    try:
        yield
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class Terminal:
    """A terminal as something to write a page's bytes to: what would steer it is left out."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes) -> int:
        """Write bytes, as far as they are text."""
        self._raw.write(harmless(self._decoder.decode(data)).encode())
        return len(data)


def say(line: str, *, error: bool) -> None:
    """Print a line on stdout, or on stderr, also when nobody reads it any more."""
    with unheard(sys.stderr if error else sys.stdout):
        click.echo(line, err=error)
