"""Progress on stderr, drawn only on a terminal; the lines of outcomes above it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pipeline.cli.output import say

if TYPE_CHECKING:
    from rich.progress import Progress as Bar


class Progress:
    """A bar that counts finished targets, or nothing at all where nobody looks."""

    def __init__(self, *, enabled: bool, total: int | None) -> None:
        self._bar: Bar | None = None
        if enabled and sys.stderr.isatty():
            from rich import progress  # cron looks at no bar, and need not wait for it
            from rich.console import Console

            columns = (
                progress.SpinnerColumn(),
                progress.TextColumn("capturing"),
                progress.BarColumn(),
                progress.MofNCompleteColumn(),
                progress.TimeElapsedColumn(),
            )
            self._bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
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
