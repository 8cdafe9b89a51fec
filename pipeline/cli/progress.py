"""Progress on stderr, drawn only on a terminal; the lines of outcomes above it."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from pipeline.cli.output import say


class Progress:
    """A bar that counts finished targets, or nothing at all where nobody looks."""

    def __init__(self, *, enabled: bool, total: int | None) -> None:
        self._bar: Bar | None = None
        if enabled and sys.stderr.isatty():
            columns = (SpinnerColumn(), TextColumn("capturing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("capturing", total=total)
            self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()

    def print(self, line: str, *, error: bool) -> None:
        """Print a line above the bar: successes on stdout, failures on stderr."""
        if self._bar and sys.stdout.isatty():
            style = "red" if error else None  # emoji=False: ":100:" in a URL is not a picture
            self._bar.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True, style=style)
        else:
            say(line, error=error)

    def advance(self) -> None:
        """One more target is done."""
        if self._bar:
            self._bar.advance(self._task)
