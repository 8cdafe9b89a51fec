"""Standard streams that may be closed, full or broken: what is under way goes on, and nothing else lands in them.

A file that is opened while descriptor 1 or 2 is closed would get that number, and what is printed would be written into
it; so closed ones are opened first. Commands that change something go on when their output cannot be written; commands
that only print end.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO

FREE = "free space, or name another place"
# These only print: without a reader there is nothing left to do.
READERS = frozenset({"diff", "doctor", "export", "get", "help", "list", "search", "snapshots", "status"})

_TELLS = {errno.EBADF: "it is closed; name a file, as in `> FILE`"}

_GONE = {errno.EPIPE, errno.EBADF}  # nobody reads, or somebody closed it: no fault to name


class Outlet(io.FileIO):
    """A descriptor to print to; with `goes_on`, what cannot be written is dropped, and `failure` says why."""

    def __init__(self, descriptor: int, *, goes_on: bool) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.goes_on = goes_on
        self.failure: OSError | None = None
        self.is_shut = False  # then everything is dropped, also what is buffered above

    def write(self, data: object) -> int:
        """Write bytes, as many as the descriptor takes; raises OSError unless output is dropped."""
        size = memoryview(data).nbytes  # type: ignore[arg-type]  # io declares an opaque buffer type
        if self.is_shut:
            return size
        try:
            return super().write(data)  # type: ignore[arg-type]  # as above
        except OSError as error:
            if not self.goes_on:
                raise
            self.failure, self.is_shut = error, True
            return size


class Streams:
    """The standard streams of this process."""

    def __init__(self) -> None:
        """Open those that are closed, and print through outlets; streams that tests put in place stay as they are."""
        self.out: Outlet | None = None
        for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):  # 1: writing fails, as it did
            try:
                os.fstat(descriptor)
            except OSError:
                _open_closed(descriptor, flags)
        if sys.stdin is None:
            sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, for good
        if sys.stdout is None or sys.stdout is sys.__stdout__:
            self.out = Outlet(1, goes_on=False)
            sys.stdout = _text(self.out, sys.stdout)
        if sys.stderr is None or sys.stderr is sys.__stderr__:
            sys.stderr = _text(Outlet(2, goes_on=True), sys.stderr)

    def end(self) -> OSError | None:
        """Write what is buffered; returns why output was lost, None where it was not, or where nobody reads it."""
        failure = None
        try:
            sys.stdout.flush()
        except OSError as error:
            failure = error
        if self.out is not None:
            failure = failure or self.out.failure
            self.out.is_shut = True
            if failure is None and sys.__stdout__ is not None:  # for a program that goes on after `main`
                sys.stdout = sys.__stdout__
        if failure is None or (failure.errno in _GONE and self._drops):
            return None
        return None if failure.errno == errno.EPIPE else failure

    @property
    def _drops(self) -> bool:
        return self.out is not None and self.out.goes_on


def lost(error: OSError) -> str:
    """Return why output was lost, in a line that says what to do."""
    return f"the output: {_TELLS.get(error.errno or 0) or f'{error.strerror or error}; {FREE}'}"


def _open_closed(descriptor: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)  # the lowest number that is free, which is this one or a lower one
    if opened != descriptor:
        os.dup2(opened, descriptor)
        os.close(opened)
    os.set_inheritable(descriptor, True)


def _text(outlet: Outlet, before: TextIO | None) -> io.TextIOWrapper:
    encoding = getattr(before, "encoding", None) or "utf-8"
    errors = "strict" if outlet.fileno() == 1 else "backslashreplace"
    buffered = getattr(before, "line_buffering", False) or outlet.fileno() == 2
    return io.TextIOWrapper(io.BufferedWriter(outlet), encoding, errors, line_buffering=buffered)
