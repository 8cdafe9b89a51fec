"""Log lines on stderr and in the log file."""

from __future__ import annotations

import logging
import sys

from pipeline.cli.output import plain


class _PlainLines(logging.Formatter):
    """Warnings in one line each: what they quote may come from a hostile store."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(" ".join(super().format(record).split()))


_ours: list[logging.Handler] = []


def set_up_logs(verbosity: int, *, as_json: bool, file: str | None) -> None:
    """Warnings in plain lines on stderr, or in JSON with all else that is said there; and the log file, if any."""
    level = [logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG][min(verbosity, 2) + 1]
    for earlier in _ours:  # of settings that were loaded before
        logging.getLogger().removeHandler(earlier)
    said = logging.StreamHandler()
    said.setFormatter(_PlainLines("onrecord: %(message)s"))
    said.setLevel(level)
    handlers: list[logging.Handler] = [said]
    if as_json or file:
        from pipeline.monitoring.json_log import JsonLines, Lines, log_file

        if as_json:
            said.setFormatter(JsonLines())
            sys.stderr = sys.stderr if isinstance(sys.stderr, Lines) else Lines(sys.stderr)
        if file:
            handlers.append(log_file(file))
    logging.basicConfig(level=min(level, logging.INFO) if file else level, handlers=handlers)
    _ours[:] = handlers


def to_log_file(message: str, level: int) -> None:
    """Return a line for the log file, if there is one, of what was said on stderr."""
    entry = {"name": "onrecord", "msg": message, "levelno": level, "levelname": logging.getLevelName(level)}
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handle(logging.makeLogRecord(entry))
