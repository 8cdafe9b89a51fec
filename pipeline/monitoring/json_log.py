"""What is said on stderr, and what is logged, as one JSON object a line: `{"time","level","logger","message"}`."""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from storage.errors import OnrecordError

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogFileError(OnrecordError):
    """The log file cannot be written."""

    exit_code = 2


class JsonLines(logging.Formatter):
    """A record as one line: ASCII only, so that nothing it quotes can steer a terminal or end the line.

    What was given as `extra=` stands beside the message, as text where JSON has no form for it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object; an exception is its traceback, in `exception`."""
        more = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            more["exception"] = self.formatException(record.exc_info)
        moment = datetime.fromtimestamp(record.created, UTC)
        return entry(moment, record.levelname, record.name, record.getMessage(), more)


class Lines(io.TextIOBase):
    """A stream in the place of stderr: each line that is written to it becomes an entry, entries pass as they are."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rest = ""

    def write(self, text: str) -> int:
        """Take text; whole lines are written on."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._stream.write(f"{_entry_of(line)}\n")
        self._stream.flush()
        return len(text)

    def fileno(self) -> int:
        """Return the descriptor beneath."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Nobody watches JSON lines: nothing is drawn."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def flush(self) -> None:
        """Write on what has no line end yet only when there is one: an entry is whole."""
        self._stream.flush()


def entry(moment: datetime, level: str, logger: str, message: str, more: Mapping[str, object]) -> str:
    """One line of a log."""
    first = {
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": level.lower(),
        "logger": logger,
        "message": message,
    }
    return json.dumps(first | {name: value for name, value in more.items() if name not in first}, default=str)


def log_file(path: str) -> logging.Handler:
    """Return a handler that appends to a file, and to a new one after logrotate has moved it away.

    Raises LogFileError.
    """
    try:
        handler = logging.handlers.WatchedFileHandler(Path(path).expanduser(), encoding="utf-8")
    except (OSError, RuntimeError) as error:
        raise LogFileError(f"log_file {path} cannot be written: {getattr(error, 'strerror', None) or error}") from None
    handler.setFormatter(JsonLines())
    handler.setLevel(logging.INFO)
    return handler


def _entry_of(line: str) -> str:
    """Return a line of prose as an entry; a line that is one already as it is."""
    if line.startswith('{"time": '):
        return line
    said = line.removeprefix("onrecord: ")
    level = "error" if said.startswith("error: ") else "info"
    return entry(datetime.now(UTC), level, "onrecord", said.removeprefix("error: "), {})
