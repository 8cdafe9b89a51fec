"""Progress on stderr: a bar on a terminal, else a line now and then; the lines of outcomes above it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.cli.output import many, say

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

_PAUSE = 60.0  # seconds between two lines where there is no terminal


class Progress:
    """What is done, failed and transferred of one command; nothing at all where nobody looks.

    `unit` is the word for one of what is counted, `total` how many there are, where that is known. `measured` returns
    the bytes that were transferred, for commands that do not count them. With `lines`, a line a minute is printed where
    stderr is no terminal.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        total: int | None,
        what: str = "capturing",
        unit: str = "page",
        measured: Callable[[], int] | None = None,
        lines: bool = True,
    ) -> None:
        self._bar: Bar | None = None
        self._what, self._unit, self._total, self._measured = what, unit, total, measured
        self._done = self._failed = self._bytes = 0
        self._lines = enabled and lines and not sys.stderr.isatty()
        self._began = self._said = time.monotonic()
        if enabled and sys.stderr.isatty():
            self._draw()

    def _draw(self) -> None:
        from rich import progress  # cron looks at no bar, and need not wait for it
        from rich.console import Console
        from rich.text import Text

        class Counts(progress.ProgressColumn):
            """The counts in words, asked for whenever the bar is drawn."""

            def __init__(self, words: Callable[[], str]) -> None:
                super().__init__()
                self._words = words

            def render(self, task: progress.Task) -> Text:  # noqa: ARG002 (Rich names it)
                return Text(self._words())

        bar = () if self._total is None else (progress.BarColumn(bar_width=24),)
        left = () if self._total is None else (progress.TextColumn("left"), progress.TimeRemainingColumn())
        columns = (progress.SpinnerColumn(), *bar, Counts(self.words), progress.TimeElapsedColumn(), *left)
        self._bar = progress.Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task(self._what, total=self._total)
        self._bar.start()

    def words(self) -> str:
        """Return what was done so far: "capturing: 12 of 40 pages, 1 failed, 3.4 MB"."""
        if self._total is None:
            parts = [many(self._done, self._unit)] if self._unit else []
        else:
            parts = [f"{self._done:,} of {many(self._total, self._unit)}"]
        parts += [f"{self._failed:,} failed"] if self._failed else []
        size = self._measured() if self._measured else self._bytes
        parts += [amount(size)] if size else []
        return f"{self._what}: {', '.join(parts)}" if parts else self._what

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.stop()
            self._bar = None

    def print(self, line: str, *, error: bool) -> None:
        """Print a line above the bar: successes on stdout, failures on stderr."""
        if self._bar and sys.stdout.isatty():
            style = "red" if error else None  # emoji=False: ":100:" in a URL is not a picture
            self._bar.console.print(line, markup=False, emoji=False, highlight=False, soft_wrap=True, style=style)
        else:
            say(line, error=error)

    def advance(self, *, failed: bool = False, size: int = 0) -> None:
        """Count one more, and its bytes."""
        self._done += 1
        self._failed += failed
        self._bytes += size
        if self._lines and time.monotonic() - self._said >= _PAUSE:
            self._say()
        if self._bar:
            self._bar.advance(self._task)

    def add(self, size: int) -> None:
        """Count bytes of what is not counted itself, and print a line where it is time for one."""
        self._bytes += size
        if self._lines and time.monotonic() - self._said >= _PAUSE:
            self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        say(f"onrecord: {self.words()}{self._left()}", error=True)

    def _left(self) -> str:
        """Return how long the rest takes, as far as one can tell from what is done."""
        if not self._total or not self._done or self._done >= self._total:
            return ""
        left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
        return f", about {span(left)} left"


def amount(size: int) -> str:
    """Return a number of bytes as people read it: "12.3 MB"."""
    value, units = float(size), ["kB", "MB", "GB", "TB"]
    if size < 1000:
        return many(size, "byte")
    while value >= 999.95 and units:
        value, unit = value / 1000, units.pop(0)
    return f"{value:.1f} {unit}"


def span(seconds: float) -> str:
    """Return a span of time as people say it: "40 s", "12 min", "3 h 5 min"."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
