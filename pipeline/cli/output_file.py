"""Output files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pipeline.cli.output import Terminal

_STDOUT = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


@contextmanager
def to_file(path: Path | None) -> Iterator[Any]:
    """Return a binary stream to a file that appears whole or not at all, to a pipe or device, or to stdout.

    What goes to a terminal is text, and what would steer the terminal is left out.
    """
    if path is None or str(path) in _STDOUT:
        yield Terminal(sys.stdout.buffer) if sys.stdout.isatty() else sys.stdout.buffer
        return
    try:
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and not stat.S_ISREG(mode):  # a device is written to, not replaced by a file
            with path.open("wb") as device:
                yield device
            return
        with _whole(Path(os.path.realpath(path)), mode) as file:
            yield file
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def _whole(path: Path, mode: int | None) -> Iterator[Any]:
    """Return a file that is put in its place once it is whole, under the rights of the one it replaces."""
    part = path.with_name(f".onrecord-{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor: no file that was there is opened
            if mode is not None:
                os.fchmod(descriptor, stat.S_IMODE(mode))
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
