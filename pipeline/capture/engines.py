"""Where results come from: the recorder alone, or the recorder and a browser side by side."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

from archive.model import Fetched, Role, Target
from pipeline.capture.bridge import Ended, ReadAhead
from pipeline.capture.browser.visit_many import Browsed, BrowserSettings
from pipeline.capture.http.fetch_process import fetch_apart
from pipeline.capture.http.settings import FetchSettings

AHEAD = 1000  # targets that wait in the lanes
_GLANCE = 0.001  # seconds

Results = Generator[Fetched | Browsed | None, None, None]


def fetch_and_browse(
    targets: Iterable[Target], settings: FetchSettings, limits: BrowserSettings, workdir: Path, *, tick: float
) -> Results:
    """Visit pages in the browser and fetch everything else; yields as `fetch_apart` and `browse_all` do.

    Raises what they raise; BrowserUnavailable (exit code 2) when there is no browser.
    """
    from pipeline.capture.browser.visit_many import browse_all

    lanes = Lanes(targets)
    try:
        with (
            closing(fetch_apart(lanes.others(), settings, workdir, tick=tick)) as fetched,
            closing(browse_all(lanes.pages(), settings, workdir, limits=limits, tick=_GLANCE)) as browsed,
        ):
            yield from _both(fetched, browsed)
    finally:
        lanes.stop()


def _both(fetched: Iterator[Fetched | None], browsed: Iterator[Browsed | None]) -> Results:
    sources: list[Iterator[Fetched | Browsed | None]] = [browsed, fetched]
    while sources:
        for source in list(sources):
            try:
                yield next(source)
            except StopIteration:
                sources.remove(source)


class Lanes:
    """Targets in two lanes, pages and others, read in a thread of its own as far ahead as `AHEAD`."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._pages: SimpleQueue[Target | Ended] = SimpleQueue()
        self._others: SimpleQueue[Target | Ended] = SimpleQueue()
        self._reader = ReadAhead(targets, AHEAD, self._give)

    def stop(self) -> None:
        """End both lanes."""
        self._reader.stop()
        self._give(Ended())

    def pages(self) -> Iterator[Target]:
        """Return the pages, until there are no more."""
        return self._lane(self._pages)

    def others(self) -> Iterator[Target]:
        """Return all that is no page, until there is no more."""
        return self._lane(self._others)

    def _lane(self, waiting: SimpleQueue[Target | Ended]) -> Iterator[Target]:
        while not isinstance(item := waiting.get(), Ended):
            self._reader.release()
            yield item
        item.check()

    def _give(self, item: Target | Ended) -> None:
        if isinstance(item, Ended) or item.role == Role.PAGE:
            self._pages.put(item)
        if isinstance(item, Ended) or item.role != Role.PAGE:
            self._others.put(item)
